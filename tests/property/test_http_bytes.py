"""Whatever bytes come, in whatever pieces: each request is served or told what is wrong with it,
and none is a failure of ours.
"""

import asyncio
import re

import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

from libs.common.http_limits import Connections, HttpLimits, LimitedProtocol

LENGTH = b"POST /hook/t HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
PIECES = (
    *(
        LENGTH,
        CHUNKED,
        b"GET / HTTP/1.0\r\n\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b": ",
        b"\x00",
        b"0",
    ),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n", b"\xff\x80"),
    *(
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
        b"Expect: 100-continue\r\n",
        b"%00%ff",
        b"http://",
    ),
    *(b"Connection: close\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n"),
)
ALLOWED = {100, 200, 400, 408, 414, 431}


class Transport:
    def __init__(self):
        self.written = b""
        self.closing = False

    def get_extra_info(self, name, default=None):
        return ("192.0.2.1", 5) if name in {"peername", "sockname"} else default

    def write(self, data):
        self.written += data

    def write_eof(self):
        pass

    def can_write_eof(self):
        return True

    def is_closing(self):
        return self.closing

    def close(self):
        self.closing = True

    def abort(self):
        self.closing = True

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


async def app(_scope, receive, send):
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        more = event["more_body"]
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def answered(parts):
    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: failures.append(about))
    config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_config=None)
    config.load()
    places = Connections(HttpLimits(request_bytes_max=5_000, head_bytes_max=2_000))
    state = ServerState()
    one = LimitedProtocol(config=config, server_state=state, app_state={}, places=places)
    transport = Transport()
    one.connection_made(transport)
    for part in parts:
        if transport.closing:
            break
        one.data_received(part)
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    one.connection_lost(None)
    async with asyncio.timeout(10):
        while state.tasks:
            await asyncio.sleep(0)
    assert failures == []
    assert len(places) == len(places.waiting) == 0
    return transport.written


def pieces(data, cuts):
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    return [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False) if end > begin]


@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=20)), max_size=8),
    st.lists(st.integers(0, 400), max_size=5),
)
def test_any_bytes_are_answered_or_waited_for(parts, cuts):
    written = asyncio.run(answered(pieces(b"".join(parts), cuts)))
    assert {int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", written)} <= ALLOWED


@given(st.lists(st.integers(0, 200), max_size=8), st.sampled_from([LENGTH, CHUNKED]))
def test_a_good_request_is_served_however_it_is_cut(cuts, request):
    written = asyncio.run(answered(pieces(request * 2, cuts)))
    assert re.findall(rb"HTTP/1\.1 (\d{3}) ", written) == [b"200"] * 2


@given(st.integers(0, len(LENGTH) - 1), st.binary(min_size=1, max_size=3))
def test_a_request_with_a_broken_place(at, noise):
    written = asyncio.run(answered([LENGTH[:at] + noise + LENGTH[at + len(noise) :]]))
    assert {int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", written)} <= ALLOWED
