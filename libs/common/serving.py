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

from libs.common.draining import Draining, hear_out, protocol_of
from libs.common.http_limits import Connections, HttpLimits, LimitedProtocol
from libs.common.listening import listening, queued
from libs.common.tls import Tls, TlsListener

_TICKS_PER_S = 10
_FILES_OF_OURS = 128
"""Connections to NATS, logs and the like, which senders must leave room for."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, places: Connections, tls: Tls | None) -> None:
        super().__init__(config)
        self._places = places
        self._tls = tls
        self.queue: socket.socket | None = None
        """The listening socket once more, where it ends with this process: what waits in it is
        ours.
        """

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

    async def let_go(self) -> None:
        """Stop accepting, and hear out whoever has connected."""
        listeners = [each for each in self.servers if isinstance(each, TlsListener)]
        for listener in listeners:
            await listener.let_go()
        for server in self.servers:
            if server not in listeners:
                server.close()
        loop = asyncio.get_running_loop()
        for accepted in queued(self.queue) if self.queue is not None else ():
            if listeners:
                listeners[0].take(accepted)
                continue
            with contextlib.suppress(OSError):
                await loop.connect_accepted_socket(lambda: protocol_of(self), accepted)
        await hear_out(
            self.server_state.connections,
            are_more_coming=lambda: any(each.is_busy for each in listeners),
        )


@contextlib.asynccontextmanager
async def serving(  # noqa: PLR0913 - what a server is told, each by name
    app: Any,
    *,
    host: str,
    port: int,
    limits: HttpLimits | None = None,
    tls: Tls | None = None,
    share: bool = False,
    draining: Draining | None = None,
) -> AsyncIterator[None]:
    """Serve `app` while the block runs; raises `OSError` when the port cannot be bound. Where the
    block ends in order, `draining` says how nobody is refused meanwhile.
    """
    places = Connections(_affordable(limits or HttpLimits()))
    config = uvicorn.Config(
        draining.closing(app) if draining is not None else app,
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
    bound, handed = listening(host=host, port=port, share=share)
    server = _Server(config, places=places, tls=tls)
    server.queue = None if handed or draining is None else bound.dup()
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield
        if draining is not None:
            await draining.wait(server.server_state.connections)
            await server.let_go()
    finally:
        server.should_exit = True
        await task
        bound.close()
        if server.queue is not None:
            server.queue.close()


def _affordable(limits: HttpLimits) -> HttpLimits:
    # Where no file can be opened any more, no connection is accepted at all, also a good one.
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return limits
    affordable = max(soft - _FILES_OF_OURS, soft // 2)
    return replace(limits, connections_max=min(limits.connections_max, affordable))
