"""Runs an ASGI application inside a process that has more to do than HTTP: uvicorn without its
signal handlers, ended by the process's own stop event.
"""

import asyncio
import contextlib
import functools
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import uvicorn

from libs.common.http_limits import Connections, HttpLimits, LimitedProtocol
from libs.common.tls import Tls, TlsListener

_TICKS_PER_S = 10
_FILES_OF_OURS = 128
"""Connections to NATS, logs and the like, which senders must leave room for."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, places: Connections, tls: Tls | None) -> None:
        super().__init__(config)
        self._places = places
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._tls is None or sockets is None:
            await super().startup(sockets)
            return
        protocol: Any = self.config.http_protocol_class
        make_protocol = functools.partial(
            protocol,
            config=self.config,
            server_state=self.server_state,
            app_state={},
        )
        listeners = [TlsListener(bound, self._tls, make_protocol) for bound in sockets]
        self.servers = listeners  # type: ignore[assignment]
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_PER_S == 0:
            self._places.end_the_slow(now_s=asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The process decides when to stop (running.py), not the HTTP server.
        yield


@contextlib.asynccontextmanager
async def serving(
    app: Any,
    *,
    host: str,
    port: int,
    limits: HttpLimits | None = None,
    tls: Tls | None = None,
) -> AsyncIterator[None]:
    """Serve `app` while the block runs; raises `OSError` when the port cannot be bound."""
    places = Connections(_affordable(limits or HttpLimits()))
    config = uvicorn.Config(
        app,
        http=functools.partial(LimitedProtocol, places=places),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    # Binding here makes a taken port an exception instead of an exit inside uvicorn, and the
    # kernel queues connections from this line on, before the server's task has run once.
    bound = socket.create_server((host, port), backlog=2048)
    bound.setblocking(False)
    # asyncio sets it only on sockets that it makes itself; connections take it from here. Without
    # it an answer's body waits for the other side to have confirmed its head, which takes 40 ms.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(config, places=places, tls=tls)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        bound.close()


def _affordable(limits: HttpLimits) -> HttpLimits:
    # Where no file can be opened any more, no connection is accepted at all, also a good one.
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return limits
    affordable = max(soft - _FILES_OF_OURS, soft // 2)
    return replace(limits, connections_max=min(limits.connections_max, affordable))
