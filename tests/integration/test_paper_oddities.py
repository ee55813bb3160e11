"""What odd clients send, and what must not come of it."""

import asyncio
import json

import pytest

from tests.paper_client import CREATE
from tests.paper_server import PRIVATE, address_fixture, client_fixture
from tests.paper_socket import connected

__all__ = ["address_fixture", "client_fixture"]

ASSETS = PRIVATE + "account/assets"
HEAD = "{} HTTP/1.1\r\nHost: paper\r\nContent-Length: {}\r\n"


async def sent(address: str, head: bytes, body: bytes) -> None:
    _, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(head + b"\r\n" + body)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize(
    ("line", "header", "body"),
    [
        (f"GET {ASSETS}?a=b", b"", b"\xff\xfe"),
        (f"POST {CREATE}", b"", b'"\xff"'),
        (f"POST {CREATE}", b"", b"[" * 100_000),
        (f"GET {ASSETS}", b"ApiKey: \xff\r\n", b""),
    ],
)
async def test_the_record_of_requests_can_be_read_whatever_was_sent(
    address, client, line, header, body
):
    await sent(address, HEAD.format(line, len(body)).encode() + header, body)
    (call,) = await client.control("GET", "requests")
    assert call["path"] in line
    assert call.get("query") in ({"a": "b"}, {}, None)


async def test_who_asks_before_sending_a_body_is_told_to_go_on(address):
    _, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    body = json.dumps({}).encode()
    head = HEAD.format("POST /_paper/accounts", len(body)) + "Expect: 100-continue\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(5):
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        await reader.readline()
        writer.write(body)
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()


async def test_a_changed_contract_is_pushed(address, client):
    async with connected(address) as socket:
        await socket.ask("sub.contract", {})
        await client.control("PUT", "contracts/BTC_USDT", {"state": 4})
        frame = await socket.next("push.contract")
        assert (frame["symbol"], frame["data"]["state"]) == ("BTC_USDT", 4)
        await client.control("PUT", "contracts/BTC_USDT", {})
        assert (await socket.next("push.contract"))["data"]["state"] == 0
