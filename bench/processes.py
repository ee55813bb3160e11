"""Child processes of the benchmark: the stack and the direct bridge. They end with their block, and
with the benchmark itself if it is killed.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bench.errors import BenchError
from tools.devstack.child_logs import open_log, tail
from tools.devstack.command import Command, spawn_options
from tools.devstack.processes import REPOSITORY

STOP_DEADLINE_S = 20.0
_LOOK_S = 0.05


@contextlib.asynccontextmanager
async def running(
    name: str, arguments: tuple[str, ...], *, log_file: Path, environ: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A module of ours, run by this Python; asked to stop when the block ends."""
    command = Command(
        name=name,
        argv=(sys.executable, "-m", *arguments),
        cwd=REPOSITORY,
        env={**os.environ, **(environ or {})},
    )
    with open_log(log_file) as log:
        process = await asyncio.create_subprocess_exec(
            *command.argv, **spawn_options(command, log=log)
        )
    try:
        yield process
    finally:
        await _stop(process)


async def until(
    ready: Callable[[], bool],
    *,
    process: asyncio.subprocess.Process,
    log_file: Path,
    timeout_s: float,
) -> None:
    """Wait until `ready()`; raises `BenchError` with the log's end if that does not come."""
    try:
        async with asyncio.timeout(timeout_s):
            while not ready():
                if process.returncode is not None:
                    raise BenchError(f"{log_file.stem} ended:\n{tail(log_file, start=0)}")
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        message = f"{log_file.stem} is not ready after {timeout_s:g} s"
        raise BenchError(f"{message}:\n{tail(log_file, start=0)}") from None


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_DEADLINE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
