"""The address that the paper exchange sees a caller under: told as an echo service does, feigned,
and compared with the addresses that a key is linked to.
"""

import aiohttp
import pytest

from tests.paper_server import (  # noqa: F401 - fixtures
    PRIVATE,
    address_fixture,
    client_fixture,
    signed_up,
)
from tests.paper_socket import connected

ASSETS = PRIVATE + "account/assets"
ELSEWHERE = "203.0.113.9"


async def echoed(address, query=""):
    url = f"{address}/_paper/address{query}"
    async with aiohttp.ClientSession() as web, web.get(url) as reply:
        return reply.status, reply.content_type, await reply.text()


async def test_a_caller_is_told_its_address(address):
    assert await echoed(address) == (200, "application/json", '{"ip":"127.0.0.1"}')
    assert await echoed(address, "?format=text") == (200, "text/plain", "127.0.0.1\n")
    assert (await echoed(address, "?format=xml"))[0] == 400


async def test_a_feigned_address_is_told_until_it_is_taken_back(address, client):
    await client.control("PUT", "address", {"seen": ELSEWHERE})
    assert await echoed(address, "?format=text") == (200, "text/plain", f"{ELSEWHERE}\n")
    await client.control("PUT", "address", {"seen": None})
    assert (await client.control("GET", "address")) == {"ip": "127.0.0.1"}


@pytest.mark.parametrize("body", [{"seen": "elsewhere"}, {"seen": 7}, {}, {"other": "1.2.3.4"}])
async def test_what_is_no_address_is_not_taken(client, body):
    status, answer = await client.try_control("PUT", "address", body)
    assert (status, list(answer)) == (400, ["error"])
    assert (await client.control("GET", "address")) == {"ip": "127.0.0.1"}


async def test_a_feigned_address_is_compared_with_the_linked_ones(address):
    async with await signed_up(address, ip_whitelist=["127.0.0.1"]) as linked:
        assert (await linked.get(ASSETS))["code"] == 0
        await linked.control("PUT", "address", {"seen": ELSEWHERE})
        assert (await linked.get(ASSETS))["code"] == 406
        async with connected(address) as socket:
            refused = await socket.log_in(linked)
            assert refused["channel"] == "rs.error"
    async with await signed_up(address, ip_whitelist=[ELSEWHERE]) as client:
        assert (await client.get(ASSETS))["code"] == 0
