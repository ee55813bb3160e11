"""Binds the paper exchange to an address and lets it go again."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from tools.paper_exchange.app import PaperApp
from tools.paper_exchange.edge.sessions import EdgeLimits
from tools.paper_exchange.market.timekeeping import JOB, keep_time
from tools.paper_exchange.venue import Venue

_SHUTDOWN_S = 0.5


@contextlib.asynccontextmanager
async def serving(
    venue: Venue,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    limits: EdgeLimits = EdgeLimits(),  # noqa: B008 - frozen
) -> AsyncIterator[str]:
    """Serve the venue while the block runs; yields the base address."""
    app = PaperApp(venue, limits)
    server = web.Server(app.handle, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        venue.jobs.start(JOB, keep_time(venue))
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        app.stop()
        await venue.jobs.close()
        await runner.cleanup()
