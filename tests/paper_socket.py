"""A small client of the paper exchange's WebSocket, for tests. Its frames are kept as they come."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.paper_client import PaperClient

PATIENCE_S = 5.0
Frame = dict[str, Any]


class PaperSocket:
    """`next` gives the first kept frame that fits, waiting for it; others stay kept."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.kept: list[Frame] = []

    async def say(self, method: str, param: Any = None, **fields: Any) -> None:
        frame = {"method": method} | ({} if param is None else {"param": param}) | fields
        await self.socket.send_str(json.dumps(frame))

    async def next(self, fits: str | Callable[[Frame], bool]) -> Frame:
        """By channel, or by a test of the frame."""
        found = (lambda frame: frame["channel"] == fits) if isinstance(fits, str) else fits
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for frame in self.kept:
                    if found(frame):
                        self.kept.remove(frame)
                        return frame
                self.kept.append(await self.socket.receive_json())

    async def ask(self, method: str, param: Any = None, **fields: Any) -> Frame:
        """Say something; gives the answer to it, good or bad."""
        await self.say(method, param, **fields)
        return await self.next(lambda frame: frame["channel"].startswith("rs."))

    async def settle(self) -> list[Frame]:
        """All that came until now: what was sent before a ping is here before its pong."""
        await self.say("ping")
        await self.next("pong")
        frames, self.kept = self.kept, []
        return frames

    async def closed(self) -> int | None:
        """Wait until the server ends the connection; gives the code that it named."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return self.socket.close_code

    async def log_in(self, client: PaperClient, **fields: Any) -> Frame:
        return await self.ask("login", login_param(*client.keys), **fields)


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[PaperSocket]:
    url = address.replace("http", "ws", 1) + "/edge"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        yield PaperSocket(socket)


def login_param(access_key: str, secret_key: str, **changes: Any) -> dict[str, Any]:
    at = str(changes.pop("reqTime", time.time_ns() // 1_000_000))
    text = f"{access_key}{at}".encode()
    signature = hmac.new(secret_key.encode(), text, hashlib.sha256).hexdigest()
    return {"apiKey": access_key, "reqTime": at, "signature": signature} | changes
