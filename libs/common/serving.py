"""Runs an ASGI application inside a process that has more to do than HTTP: uvicorn without its
signal handlers, ended by the process's own stop event.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn

from libs.common.families import family_of


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The process decides when to stop (running.py), not the HTTP server.
        yield


@contextlib.asynccontextmanager
async def serving(app: Any, *, host: str, port: int) -> AsyncIterator[None]:
    """Serve `app` while the block runs; raises `OSError` when the port cannot be bound."""
    config = uvicorn.Config(
        app,
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
    bound = socket.create_server((host, port), family=family_of(host), backlog=2048)
    bound.setblocking(False)
    # asyncio sets it only on sockets that it makes itself; connections take it from here. Without
    # it an answer's body waits for the other side to have confirmed its head, which takes 40 ms.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        bound.close()
