"""Runs an ASGI application inside a process that has more to do than HTTP: uvicorn without its
signal handlers, ended by the process's own stop event.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn

from libs.common.draining import Draining, hear_out, protocol_of
from libs.common.listening import listening, queued


class _Server(uvicorn.Server):
    queue: socket.socket | None = None
    """The listening socket once more, where it ends with this process: what waits in it is ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The process decides when to stop (running.py), not the HTTP server.
        yield

    async def let_go(self) -> None:
        """Stop accepting, and hear out whoever has connected."""
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for accepted in queued(self.queue) if self.queue is not None else ():
            with contextlib.suppress(OSError):
                await loop.connect_accepted_socket(
                    lambda: protocol_of(self), accepted, ssl=self.config.ssl
                )
        await hear_out(self.server_state.connections)


@contextlib.asynccontextmanager
async def serving(
    app: Any, *, host: str, port: int, share: bool = False, draining: Draining | None = None
) -> AsyncIterator[None]:
    """Serve `app` while the block runs; raises `OSError` when the port cannot be bound. Where the
    block ends in order, `draining` says how nobody is refused meanwhile.
    """
    config = uvicorn.Config(
        draining.closing(app) if draining is not None else app,
        http="httptools",
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
    server = _Server(config)
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
