"""A server that answers as it is told, and a client of it, for tests of the MEXC adapter."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web

from libs.common.secret import Secret
from services.executor.mexc.client import MexcExchange
from tests.recorded import reply

ACCESS_KEY = "mx0vglTESTKEY0001"
SECRET = "0123456789abcdef0123456789abcdef"
NOW_NS = 1_760_000_000_000_000_000

Handler = Callable[[web.Request, str], Any]


class Stub:
    """A server that answers everything with one handler and keeps what it was asked."""

    def __init__(self):
        self.handler: Handler = lambda request, body: json_reply(reply("order_created"))
        self.requests: list[tuple[web.Request, str]] = []
        self.url = ""
        self.released = asyncio.Event()

    async def never(self, request: web.Request, body: str) -> web.StreamResponse:
        """A handler that does not answer while the test runs."""
        await self.released.wait()
        return web.Response()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        self.requests.append((request, body))
        result: Any = self.handler(request, body)
        if asyncio.iscoroutine(result):
            result = await result
        assert isinstance(result, web.StreamResponse)
        return result


def json_reply(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


@contextlib.asynccontextmanager
async def stub_server() -> AsyncIterator[Stub]:
    stub = Stub()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stub.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    stub.url = f"http://{host}:{port}"
    yield stub
    stub.released.set()
    await runner.cleanup()


@contextlib.asynccontextmanager
async def opened(url, clock=lambda: NOW_NS):
    client = MexcExchange(base_url=url, access_key=ACCESS_KEY, secret=Secret(SECRET), clock=clock)
    try:
        yield client
    finally:
        await client.close()
