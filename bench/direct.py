"""The baseline *direct*: one process with one handler that parses an alert, signs an order, posts
it and answers. It stores nothing, checks no duplicate and keeps no order: the floor of what a
bridge can cost, not a bridge to use.
"""

import asyncio
import hmac
import json
import os
import secrets
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
import msgspec
import uvloop
from aiohttp import web

from bench.alerts import CONTRACTS, SYMBOL, TICKER
from libs.common.contracts.words import AccountId, AlertId, Effect, PositionSide
from libs.common.domain import identity
from libs.common.running import settle_memory

CONFIG = "BENCH_DIRECT"
"""The environment variable that holds the configuration: secrets do not belong in arguments."""
HOST = "127.0.0.1"
_CREATE = "/api/v1/private/order/create"
# As many as ingest lets wait: a burst must not be measured by connections that are tried again.
_BACKLOG = 2048


class Config(msgspec.Struct, frozen=True, kw_only=True):
    exchange: str
    port: int
    keys: dict[str, tuple[str, str]]
    """Access key and secret key by the token of the webhook."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    ticker: str
    order_contracts: msgspec.Raw
    order_action: str
    alert_id: str


class Reply(msgspec.Struct, frozen=True):
    code: int


_decode_alert = msgspec.json.Decoder(Alert).decode
_decode_reply = msgspec.json.Decoder(Reply).decode


@dataclass(frozen=True, kw_only=True)
class Bridge:
    session: aiohttp.ClientSession
    exchange: str
    keys: Mapping[str, tuple[str, str]] = field(repr=False)

    async def handle(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        alert = _decode_alert(await request.read())
        if alert.ticker != TICKER or token not in self.keys:
            return web.json_response({"status": "refused"}, status=422)
        made = identity.alert_id(
            unix_ms=time.time_ns() // 1_000_000, random_bits=secrets.randbits(74)
        )
        body = order_body(made, account=token, buy=alert.order_action == "buy")
        access_key, secret_key = self.keys[token]
        async with self.session.post(
            self.exchange + _CREATE,
            data=body,
            headers=signed(access_key, secret_key, body=body, now_ms=time.time_ns() // 1_000_000),
        ) as answer:
            reply = _decode_reply(await answer.read())
        if reply.code != 0:
            return web.json_response({"status": "rejected", "code": reply.code}, status=502)
        return web.json_response({"status": "accepted", "alert_id": made})


def order_body(alert: AlertId, *, account: str, buy: bool) -> bytes:
    """Always an opening: without a lane, a close could overtake the open it belongs to."""
    side = PositionSide.LONG if buy else PositionSide.SHORT
    return json.dumps(
        {
            "symbol": SYMBOL,
            "price": 0,
            "vol": CONTRACTS,
            "side": 1 if buy else 3,
            "type": 5,
            "openType": 2,
            "positionMode": 1,
            "externalOid": identity.client_order_id(
                alert=alert,
                account=AccountId(account),
                effect=Effect.OPEN,
                side=side,
                chunk=0,
                attempt=0,
            ),
            "leverage": 10,
        },
        separators=(",", ":"),
    ).encode()


def signed(access_key: str, secret_key: str, *, body: bytes, now_ms: int) -> dict[str, str]:
    text = f"{access_key}{now_ms}".encode() + body
    return {
        "Content-Type": "application/json",
        "ApiKey": access_key,
        "Request-Time": str(now_ms),
        "Signature": hmac.digest(secret_key.encode(), text, "sha256").hex(),
    }


async def main() -> None:
    config = msgspec.json.decode(os.environ[CONFIG], type=Config)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    connector = aiohttp.TCPConnector(limit=64, keepalive_timeout=300)
    async with aiohttp.ClientSession(connector=connector) as session:
        bridge = Bridge(session=session, exchange=config.exchange, keys=config.keys)
        app = web.Application()
        app.router.add_post("/hook/{token}", bridge.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, config.port, backlog=_BACKLOG).start()
            settle_memory()
            await stop.wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(main())
