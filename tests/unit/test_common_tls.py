"""https by the process itself: handshakes that end, files that change, and who shows what."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest
import structlog

from libs.common.http_limits import PEER_CERTIFICATE, HttpLimits
from libs.common.serving import serving
from libs.common.tls import HANDSHAKES_MAX, Tls, TlsError, TlsFiles
from tests.client_certificates import TRADINGVIEW, Authority
from tests.raw_http import HOST, hang_up, raw, read_all
from tools.devstack.ports import free_port

ASK = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def files(authority):
    cert, key = authority.server()
    return TlsFiles(cert=cert, key=key, client_ca=authority.file)


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


class Shown:
    """Answers whose certificate it was shown."""

    async def __call__(self, scope, _receive, send):
        shown = scope.get(PEER_CERTIFICATE)
        told = shown["subject"][0][0][1] if shown else "nobody"
        headers = [(b"content-length", str(len(told)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": f"{told}".encode()})


@contextlib.asynccontextmanager
async def served(files, **limits):
    port = free_port()
    tls = Tls(files)
    async with serving(Shown(), host=HOST, port=port, limits=HttpLimits(**limits), tls=tls):
        yield port


def client(authority, shown=None):
    context = ssl.create_default_context(cafile=authority.file)
    if shown is not None:
        context.load_cert_chain(*shown)
    return context


async def asked(port, context):
    """What is answered; nothing where the handshake or the connection came to nothing."""
    try:
        return (await raw(port, LAST, ssl=context, name="localhost")).text.rpartition(b"\r\n")[2]
    except (OSError, ssl.SSLError):
        return b""


async def test_who_shows_a_certificate_is_known_and_who_shows_none_is_served(files, authority):
    theirs = authority.client("theirs", **TRADINGVIEW)
    async with served(files) as port:
        assert await asked(port, client(authority)) == b"nobody"
        assert await asked(port, client(authority, theirs)) == b"TradingView Webhooks"


async def test_a_certificate_that_nobody_vouches_for_ends_the_handshake(files, authority, tmp_path):
    strange = Authority(tmp_path, name="strange").client("strange-one", **TRADINGVIEW)
    expired = authority.client("expired", **TRADINGVIEW, days=-1)
    server_only = authority.server(name="for-servers")
    with structlog.testing.capture_logs() as lines:
        async with served(files) as port:
            for shown in (strange, expired, server_only):
                assert await asked(port, client(authority, shown)) == b""
            assert await asked(port, client(authority)) == b"nobody"
    reasons = [line["reason"] for line in lines if line["event"] == "tls.refused"]
    assert len(reasons) == 3
    assert all(reason.startswith("client certificate: ") for reason in reasons)
    assert "expired" in reasons[1]


async def test_what_speaks_no_tls_is_turned_away(files):
    async with served(files) as port:
        assert b" 200 " not in (await raw(port, LAST)).text


async def test_changed_files_hold_for_new_connections_and_old_ones_stay(files, authority, tmp_path):
    other = Authority(tmp_path, name="other")
    async with served(files) as port:
        context = client(authority)
        reader, writer = await asyncio.open_connection(
            HOST, port, ssl=context, server_hostname="localhost"
        )
        writer.write(ASK)
        assert await reader.readuntil(b"nobody")
        cert, key = other.server(name="newer")
        cert.replace(files.cert)  # Alone it fits no key: what was read before goes on.
        assert await asked(port, context) == b"nobody"
        key.replace(files.key)
        async with asyncio.timeout(20):
            while await asked(port, client(other)) != b"nobody":
                await asyncio.sleep(0.1)
        assert await asked(port, context) == b""
        writer.write(LAST)
        assert (await read_all(reader)).endswith(b"nobody")
        await hang_up(writer)


async def test_handshakes_that_do_not_end_shut_nobody_out(files, authority, monkeypatch):
    monkeypatch.setattr("libs.common.tls.HANDSHAKES_MAX", 10)
    async with served(files) as port:
        idle = [await asyncio.open_connection(HOST, port) for _ in range(25)]
        assert await asked(port, client(authority)) == b"nobody"
        gone = [await asyncio.wait_for(reader.read(), 20) for reader, _ in idle[:10]]
        assert gone == [b""] * 10
        for _, writer in idle:
            await hang_up(writer)
    assert HANDSHAKES_MAX >= 100


async def test_what_was_refused_leaves_no_file_open(files, authority, tmp_path):
    strange = Authority(tmp_path, name="strange").client("strange-one", **TRADINGVIEW)
    context = client(authority, strange)
    async with served(files) as port:
        await asked(port, context)
        before = open_files()
        for _ in range(20):
            await asked(port, context)
            await raw(port, b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(20):
            while open_files() > before + 2:
                await asyncio.sleep(0.05)


async def test_nobody_is_listened_to_afterwards(files, authority):
    async with served(files) as port:
        pass
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)


@pytest.mark.parametrize("which", ["cert", "key", "client_ca"])
@pytest.mark.parametrize("text", [None, "no certificate"], ids=["missing", "wrong"])
def test_files_that_cannot_be_are_told_at_the_start(files, which, text):
    path = getattr(files, which)
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(TlsError):
        Tls(files)
