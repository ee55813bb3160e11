"""Small pages on a port of their own, under the console's content security policy: they stand for
the console where a test is about the machinery.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from services.console.web.headers import CONTENT_SECURITY_POLICY

Answer = str | Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEAD = (
    '<!doctype html><html lang="en"><head><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="icon" href="data:,">{head}</head><body>{body}</body></html>'
)


def document(body: str, *, title: str = "A page", head: str = "") -> str:
    return _HEAD.format(title=title, head=head, body=body)


@contextlib.asynccontextmanager
async def serving(answers: dict[str, Answer]) -> AsyncIterator[str]:
    """The base URL; a text is answered as what its path's ending says, else as HTML."""

    async def answer(request: web.Request) -> web.StreamResponse:
        found = answers.get(request.path)
        if found is None:
            return web.Response(status=404, text="no such page")
        if not isinstance(found, str):
            return await found(request)
        kinds = {"js": "text/javascript", "css": "text/css"}
        kind = kinds.get(request.path.rsplit(".")[-1], "text/html")
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return web.Response(text=found, content_type=kind, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    # What a page still holds open when the test ends is cut.
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
