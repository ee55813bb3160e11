"""The console on a free port over a real NATS and Postgres, and a client that holds its token."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
from nacl.encoding import Base64Encoder
from nacl.public import PrivateKey

from libs.common.bus import Bus
from libs.common.express import ExpressClient
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.serving import serving
from services.console.accounts import Sealer
from services.console.app import make_app
from services.console.checkups import Checkups
from services.console.letters import DeadLetters
from services.console.registry import Registry
from services.console.routes import Webhooks
from services.console.trail import open_trail
from tools.devstack.ports import free_port

TOKEN = "console-token"
PRIVATE_KEY = PrivateKey.generate()


@dataclass(kw_only=True)
class Console:
    """The running console, and what lies behind it."""

    http: aiohttp.ClientSession
    url: str
    bus: Bus

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}", **more}
        async with self.http.request(method, self.url + path, json=body, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def stored(self, bucket: str, key: str) -> bytes:
        entry = await (await self.bus.js.key_value(bucket)).get(key)
        return entry.value or b""


@contextlib.asynccontextmanager
async def running(nats_url: str, dsn: str, *, checkup_s: float = 15.0) -> AsyncIterator[Console]:
    client = ExpressClient()
    await client.connect(nats_url)
    port = free_port()
    try:
        async with open_trail(Secret(dsn)) as trail, aiohttp.ClientSession() as http:
            bus = Bus(client=client, service="console")
            await bus.open()
            registry = Registry(bus)
            health = Health("console")
            health.add("trail", trail.missing)
            app = make_app(
                token=Secret(TOKEN),
                registry=registry,
                dead_letters=DeadLetters(bus),
                checkups=Checkups(bus, timeout_s=checkup_s),
                trail=trail,
                webhooks=Webhooks(base_url="https://hook.example.org/"),
                sealer=Sealer(public_key=PRIVATE_KEY.public_key.encode(Base64Encoder).decode()),
                health=health,
            )
            async with serving(app, host="127.0.0.1", port=port), asyncio.TaskGroup() as group:
                watching = group.create_task(trail.watch())
                yield Console(http=http, url=f"http://127.0.0.1:{port}", bus=bus)
                watching.cancel()
    finally:
        await client.close()
