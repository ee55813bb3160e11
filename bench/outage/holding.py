"""Keeps PostgreSQL down: its process is ended, and the supervisor cannot start another one, since
its port is taken. Whoever connects is sent away at once.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from bench.errors import BenchError

_STOPS_WITHIN_S = 15.0
_LOOK_S = 0.02
"""Ten times before the supervisor starts another one."""


@contextlib.asynccontextmanager
async def postgres_away(*, pid: int, url: str) -> AsyncIterator[None]:
    """Down while the block runs; afterwards the supervisor starts it within ten seconds."""
    address = urlsplit(url)
    os.kill(pid, signal.SIGINT)  # "fast": it ends sessions instead of waiting for them
    holder = await _held(address.hostname or "127.0.0.1", address.port or 5432)
    try:
        yield
    finally:
        holder.close()


async def _held(host: str, port: int) -> asyncio.Server:
    try:
        async with asyncio.timeout(_STOPS_WITHIN_S):
            while True:
                try:
                    return await asyncio.start_server(_send_away, host, port)
                except OSError:
                    await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        raise BenchError(f"PostgreSQL still runs {_STOPS_WITHIN_S:g} s after its end") from None


async def _send_away(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
