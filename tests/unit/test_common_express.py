"""The express way through the NATS client: messages are cut from what was read however it was cut
into reads, and everything else stays the library's.
"""

import asyncio

import nats.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.express import ExpressClient, decoded_headers, encoded_headers, status_of

HEADERS = b"NATS/1.0\r\nNats-Msg-Id: e1\r\n\r\n"


def line(*words):
    return b" ".join(words) + b"\r\n"


def message(sid, payload, *, subject=b"s.a", reply=b"", headers=b""):
    words = [
        b"HMSG" if headers else b"MSG",
        subject,
        str(sid).encode(),
        *([reply] if reply else []),
    ]
    if headers:
        words.append(str(len(headers)).encode())
    words.append(str(len(headers) + len(payload)).encode())
    return line(*words) + headers + payload + b"\r\n"


class Reading:
    """A client without a connection, and what its listener and the library were given."""

    def __init__(self, *, sid=1):
        self.client = ExpressClient()
        self.heard = []
        self.left_to_library = []
        self.pings = 0
        self.client.listeners[sid] = lambda *told: self.heard.append(told)
        self.client._process_msg = self._process_msg
        self.client._process_ping = self._process_ping

    async def _process_msg(self, sid, subject, reply, data, headers):
        self.left_to_library.append((sid, subject, reply, data, headers))

    async def _process_ping(self):
        self.pings += 1

    async def read(self, *reads):
        for data in reads:
            await self.client._ps.parse(data)


async def test_a_listener_gets_its_messages_and_the_library_all_others():
    reading = Reading()
    await reading.read(
        message(1, b"one", reply=b"$JS.ACK.x")
        + line(b"PING")
        + message(2, b"two", headers=HEADERS)
        + message(1, b"", headers=HEADERS)
        + message(1, b"MSG s 1 2\r\n\r\n")
    )
    assert reading.heard == [
        ("s.a", "$JS.ACK.x", b"one", None),
        ("s.a", "", b"", HEADERS),
        ("s.a", "", b"MSG s 1 2\r\n\r\n", None),
    ]
    assert reading.left_to_library == [(2, b"s.a", b"", b"two", HEADERS)]
    assert reading.pings == 1


PARTS = [
    message(1, b"one\r\n"),
    line(b"PING"),
    message(2, b"PING\r\n", headers=HEADERS),
    message(1, bytes(range(256)), reply=b"r", headers=HEADERS),
    line(b"+OK"),
    message(1, b""),
]


@given(st.lists(st.sampled_from(PARTS), max_size=8), st.lists(st.integers(1, 40), max_size=60))
def test_it_does_not_matter_how_the_bytes_are_cut_into_reads(parts, lengths):
    whole = b"".join(parts)
    reads, at = [], 0
    for length in lengths:
        reads.append(whole[at : at + length])
        at += length
    reads.append(whole[at:])

    async def heard_of(*reads):
        reading = Reading()
        await reading.read(*reads)
        assert reading.client._ps._rest == b""
        return reading.heard, reading.left_to_library, reading.pings

    assert asyncio.run(heard_of(*reads)) == asyncio.run(heard_of(whole))


async def test_what_was_half_read_is_forgotten_with_its_connection():
    reading = Reading()
    await reading.read(message(1, b"lost")[:-4])
    reading.client._ps.reset()
    await reading.read(message(1, b"new"))
    assert [told[2] for told in reading.heard] == [b"new"]


async def test_what_follows_a_connection_that_is_given_up_is_not_read():
    reading = Reading()

    async def give_up():
        reading.client._ps.reset()

    reading.client._process_ping = give_up
    await reading.read(message(1, b"before") + line(b"PING") + message(1, b"behind"))
    await reading.read(message(1, b"new"))
    assert [told[2] for told in reading.heard] == [b"before", b"new"]


@pytest.mark.parametrize("broken", [b"MSG s.a\r\n", b"MSG s.a one 2\r\nxx\r\n", b"MSG\r\n"])
async def test_a_line_that_is_no_message_is_an_error_of_the_protocol(broken):
    with pytest.raises(nats.errors.ProtocolError):
        await Reading().read(broken)


async def test_without_a_connection_nothing_is_kept_for_later():
    client = ExpressClient()
    with pytest.raises(nats.errors.OutboundBufferLimitError):
        client.post("s.a", b"x")
    assert client.pending_data_size == 0


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (None, None),
        (HEADERS, None),
        (b"NATS/1.0 503\r\n\r\n", "503"),
        (b"NATS/1.0 404 No Messages\r\n\r\n", "404"),
        (b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 1\r\n\r\n", "408"),
    ],
)
def test_the_servers_word_is_told_from_headers(raw, status):
    assert status_of(raw) == status


def test_headers_come_back_as_they_were_sent():
    headers = {"Nats-Msg-Id": "a:b", "traceparent": "00-1-2-01", "X": "ä"}
    assert decoded_headers(encoded_headers(headers)) == headers
    assert decoded_headers(None) == {}


def test_a_value_brings_no_line_of_its_own():
    assert decoded_headers(encoded_headers({"X": "a\r\nY: b"})) == {"X": "a Y: b"}


def test_bytes_that_are_no_text_are_replaced():
    assert decoded_headers(b"NATS/1.0\r\nX: \xff\r\n\r\n") == {"X": "\N{REPLACEMENT CHARACTER}"}
