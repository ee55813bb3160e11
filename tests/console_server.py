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
from services.console.explaining import Explaining
from services.console.feed import Feed
from services.console.letters import DeadLetters
from services.console.patience import PATIENCE_S, Patience
from services.console.pictures import Pictures
from services.console.registry import Registry
from services.console.replaying import Replaying
from services.console.routes import Webhooks
from services.console.testing import Testing
from services.console.trail import open_trail
from services.console.web.access.guarding import Access
from services.console.web.access.sessions import Sessions
from services.console.web.access.users import Users
from services.console.web.headers import Headers
from tools.devstack.ports import free_port

TOKEN = "console-token"
PRIVATE_KEY = PrivateKey.generate()


@dataclass(kw_only=True)
class Console:
    """The running console, and what lies behind it."""

    http: aiohttp.ClientSession
    url: str
    bus: Bus
    feed: Feed

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}", **more}
        async with self.http.request(method, self.url + path, json=body, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def stored(self, bucket: str, key: str) -> bytes:
        entry = await (await self.bus.js.key_value(bucket)).get(key)
        return entry.value or b""


@contextlib.asynccontextmanager
async def running(
    nats_url: str,
    dsn: str,
    *,
    patience_s: float = PATIENCE_S,
    checkup_s: float = 15.0,
    users: Users | None = None,
    test_s: float = 8.0,
    picture_s: float = 4.0,
    **feed_options: Any,
) -> AsyncIterator[Console]:
    """`feed_options`: of the feed, for tests that cannot wait for a heartbeat or fill a queue."""
    client = ExpressClient()
    await client.connect(nats_url, reconnect_time_wait=0.05, max_reconnect_attempts=-1)
    port = free_port()
    try:
        async with open_trail(Secret(dsn)) as trail, aiohttp.ClientSession() as http:
            bus = Bus(client=client, service="console")
            await bus.open()
            registry, feed = Registry(bus), Feed(bus, **feed_options)
            health = Health("console")
            health.add("trail", trail.missing)
            app = Patience(
                Headers(
                    make_app(
                        token=Secret(TOKEN),
                        registry=registry,
                        dead_letters=DeadLetters(bus),
                        checkups=Checkups(bus, timeout_s=checkup_s),
                        pictures=Pictures(bus, timeout_s=picture_s),
                        explaining=Explaining(bus),
                        replaying=Replaying(bus, registry=registry, trail=trail),
                        testing=Testing(bus, timeout_s=test_s),
                        trail=trail,
                        feed=feed,
                        webhooks=Webhooks(base_url="https://hook.example.org/"),
                        sealer=Sealer(
                            public_key=PRIVATE_KEY.public_key.encode(Base64Encoder).decode()
                        ),
                        health=health,
                        access=Access(users=users or Users(None), sessions=Sessions(bus)),
                    )
                ),
                patience_s=patience_s,
            )
            async with (
                serving(app, host="127.0.0.1", port=port),
                asyncio.TaskGroup() as group,
            ):
                background = [group.create_task(each) for each in (trail.watch(), feed.run())]
                yield Console(http=http, url=f"http://127.0.0.1:{port}", bus=bus, feed=feed)
                feed.close()
                app.close()
                for task in background:
                    task.cancel()
    finally:
        await client.close()
