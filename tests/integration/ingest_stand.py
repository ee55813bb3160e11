"""Ingest as a whole, for tests: real HTTP, a real log, routes put where the console puts them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import aiohttp
import msgspec
import nats
from nats.js import JetStreamContext

from libs.common.contracts import codec, subjects
from libs.common.contracts.route import Route
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.ingest.__main__ import serve
from services.ingest.settings import Settings

BUY = b'{"platform_name":"mexc","ticker":"BTCUSDT.P","order_contracts":0.001,"order_action":"buy"}'


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


class Stand:
    """One log, and as many ingests on it as the test asks for."""

    def __init__(self, *, url: str, js: JetStreamContext, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.js = js
        self.session = session
        self._tasks: list[tuple[asyncio.Task[None], asyncio.Event]] = []

    async def put_route(self, route: dict[str, Any], *, token: str, **more: Any) -> None:
        """Store a route and wait until every ingest knows it."""
        decoded = make_route(route, token=token, **more)
        store = await self.js.key_value(subjects.BUCKET_ROUTES)
        await store.put(decoded.id, msgspec.json.encode(decoded))

    async def start(self, *, ssl: Any = True, **settings: Any) -> str:
        """Start an ingest, wait until it is ready, and return its address."""
        port, health_port = free_port(), free_port()
        stop = asyncio.Event()
        running = serve(
            Settings(nats_url=Secret(self.url), health_port=health_port, port=port, **settings),
            health=Health("ingest"),
            stop=stop,
        )
        self._tasks.append((asyncio.create_task(running), stop))
        scheme = "https" if "tls_cert_file" in settings else "http"
        address = f"{scheme}://127.0.0.1:{port}"
        await self.until_ready(address, ssl=ssl)
        return address

    async def until_ready(self, address: str, *, ssl: Any = True) -> None:
        async with asyncio.timeout(15):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with self.session.get(f"{address}/health/ready", ssl=ssl) as reply:
                        if reply.status == 200:
                            return
                await asyncio.sleep(0.02)

    async def post(self, address: str, body: Any, **options: Any) -> Reply:
        async with self.session.post(address, data=body, **options) as reply:
            raw = await reply.read()
            return Reply(status=reply.status, headers=reply.headers, body=msgspec.json.decode(raw))

    async def entries(self) -> list[Any]:
        """All messages of the log, oldest first."""
        state = (await self.js.stream_info(subjects.STREAM)).state
        if state.messages == 0:
            return []
        return [
            codec.decode((await self.js.get_msg(subjects.STREAM, seq=seq)).data or b"")
            for seq in range(state.first_seq, state.last_seq + 1)
        ]

    async def stop(self) -> None:
        for _, stop in self._tasks:
            stop.set()
        for task, _ in self._tasks:
            await task


def make_route(route: dict[str, Any], *, token: str, **more: Any) -> Route:
    first, *others = [
        {"sha256": sha256(each.encode()).hexdigest()}
        for each in (token, *more.pop("more_tokens", ()))
    ]
    stored = {
        "settings": {"id": "demo", "accounts": [{"account": "paper"}], **route},
        "tokens": [first | more.pop("hash", {}), *others],
        **more,
    }
    return msgspec.convert(stored, Route)


@contextlib.asynccontextmanager
async def stand_on(url: str) -> AsyncIterator[Stand]:
    client = await nats.connect(url)
    js = client.jetstream()
    for name in (subjects.STREAM, *(f"KV_{bucket}" for bucket in subjects.BUCKETS)):
        with contextlib.suppress(nats.js.errors.NotFoundError):
            await js.delete_stream(name)
    await ensure_topology(js)
    async with aiohttp.ClientSession() as session:
        stand = Stand(url=url, js=js, session=session)
        try:
            yield stand
        finally:
            await stand.stop()
            await client.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
