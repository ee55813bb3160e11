"""Servers listen by the family that their host names."""

import asyncio
import socket

import pytest

from libs.common.families import family_of
from libs.common.health import Health
from libs.common.serving import serving


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("127.0.0.1", socket.AF_INET),
        ("0.0.0.0", socket.AF_INET),
        ("localhost", socket.AF_INET),
        ("::", socket.AF_INET6),
        ("::1", socket.AF_INET6),
    ],
)
def test_the_host_says_it(host, family):
    assert family_of(host) is family


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_a_service_listens_by_ipv6():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
        port = free.getsockname()[1]
    async with serving(Health("router"), host="::1", port=port):
        reader, writer = await asyncio.open_connection("::1", port)
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
