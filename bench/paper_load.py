"""Signed orders for the paper exchange, written to bare sockets: a client library costs more than
the exchange that it would measure.
"""

import asyncio
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from bench.errors import BenchError

PRIVATE = "/api/v1/private/"
CREATE = f"{PRIVATE}order/create"
KEPT = 100_000
"""How many requests of one path the paper exchange remembers."""
_SYMBOL = "BTC_USDT"


@dataclass(kw_only=True)
class Account:
    access_key: str
    secret_key: bytes = field(repr=False)
    sent: int = 0

    def request(self, method: str, path: str, *, host: str, body: bytes = b"") -> bytes:
        """A whole signed HTTP request, ready for the socket."""
        now = str(time.time_ns() // 1_000_000)
        text = f"{self.access_key}{now}".encode() + body
        signature = hmac.new(self.secret_key, text, hashlib.sha256).hexdigest()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nApiKey: {self.access_key}\r\n"
            f"Request-Time: {now}\r\nSignature: {signature}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def next_order(self, *, host: str) -> bytes:
        """Opens and closes one contract in turn, so that the position stays small."""
        self.sent += 1
        body = (
            f'{{"symbol":"{_SYMBOL}","vol":1,"side":{1 if self.sent % 2 else 4},"type":5,'
            f'"openType":2,"leverage":10,"positionMode":1,"externalOid":"b{self.sent}"}}'
        )
        return self.request("POST", CREATE, host=host, body=body.encode())


async def send(
    accounts: list[Account], *, host: str, until_s: float, times_ms: list[float]
) -> None:
    """Orders of these accounts in turn, one at a time, until the time is over."""
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    try:
        while time.monotonic() < until_s:
            for account in accounts:
                began = time.perf_counter()
                writer.write(account.next_order(host=host))
                answer = await _answer(reader)
                times_ms.append((time.perf_counter() - began) * 1000)
                if not answer["success"]:
                    raise BenchError(f"an order was refused: {answer}")
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> Any:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return msgspec.json.decode(await reader.readexactly(length))


async def compare(session: aiohttp.ClientSession, accounts: list[Account], *, host: str) -> None:
    """What each account holds, and how many calls came, must be what was sent: once each."""
    reader, writer = await asyncio.open_connection(*host.split(":"))
    try:
        for account in accounts:
            writer.write(account.request("GET", f"{PRIVATE}position/open_positions", host=host))
            held = sum(row["holdVol"] for row in (await _answer(reader))["data"])
            if held != account.sent % 2:
                raise BenchError(f"{account.access_key} holds {held} after {account.sent} orders")
    finally:
        writer.close()
    async with session.get("/_paper/requests", params={"path": CREATE}) as answer:
        received = len(await answer.json())
    sent = sum(account.sent for account in accounts)
    if received != min(sent, KEPT):
        raise BenchError(f"{sent} orders were sent, {received} were received")
