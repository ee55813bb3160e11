"""The console on a free port over a real NATS and Postgres, and a client that holds its token."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
from litestar import Litestar
from nacl.encoding import Base64Encoder
from nacl.public import PrivateKey

from libs.common.bus import Bus
from libs.common.cancelling import cancelled
from libs.common.express import ExpressClient
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.serving import serving
from services.console.app import make_app
from services.console.feed import Feed
from services.console.patience import PATIENCE_S, Patience
from services.console.routes import Webhooks
from services.console.sealing import Sealer
from services.console.supplies import make_supplies
from services.console.trace_links import TraceLinks
from services.console.trail import open_trail
from services.console.web.access.ending import CHECKED_EVERY_S
from services.console.web.access.guarding import Access
from services.console.web.access.proxies import Proxies
from services.console.web.access.remembering import RememberedSessions
from services.console.web.access.users import Users
from services.console.web.edges import with_edges
from services.console.web.live.board import Board
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
    board: Board
    site: Litestar

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
    board_options: dict[str, Any] | None = None,
    public_url: str = "",
    proxies: Proxies | None = None,
    checked_every_s: float = CHECKED_EVERY_S,
    picture_s: float = 4.0,
    test_s: float = 8.0,
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
            feed = Feed(bus, **feed_options)
            board = Board(feed, trail, **(board_options or {}))
            health = Health("console")
            health.add("trail", trail.missing)
            public_key = PRIVATE_KEY.public_key.encode(Base64Encoder).decode()
            supplies = make_supplies(
                bus,
                trail=trail,
                feed=feed,
                board=board,
                webhooks=Webhooks(base_url="https://hook.example.org/"),
                sealer=Sealer(public_key=public_key),
                trace_links=TraceLinks(),
                checkup_s=checkup_s,
                picture_s=picture_s,
                test_s=test_s,
            )
            access = Access(
                users=users or Users(None),
                sessions=RememberedSessions(bus),
                public_url=public_url,
                proxies=proxies or Proxies(),
            )
            site = make_app(token=Secret(TOKEN), health=health, access=access, supplies=supplies)
            edges = with_edges(site, access, checked_every_s=checked_every_s)
            app = Patience(edges, patience_s=patience_s)
            async with (
                serving(app, host="127.0.0.1", port=port),
                asyncio.TaskGroup() as group,
            ):
                running = (trail.watch(), feed.run(), board.run(), supplies.standing.follow())
                background = [group.create_task(each) for each in running]
                url = f"http://127.0.0.1:{port}"
                yield Console(http=http, url=url, bus=bus, feed=feed, board=board, site=site)
                board.close()
                feed.close()
                app.close()
                await cancelled(background)
    finally:
        await client.close()
