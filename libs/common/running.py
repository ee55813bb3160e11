"""The life of a process: an event loop, signals, and a garbage collector that does not interrupt.

`run` is the last line of every `__main__`; it knows nothing of what the process does.
"""

import asyncio
import ctypes
import gc
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable

import structlog
import uvloop

from libs.common.cancelling import cancelled
from libs.common.logs import configure_logs
from libs.common.settings import SettingsError

_PR_SET_DUMPABLE = 4

FILES_WANTED = 16_384

STOP_GRACE_S = 8.0
"""How long a stopped process may take to end in order; then it is cancelled. What it was told to
drain for comes on top."""
DRAIN_VARIABLE = "ALERTWIRE_DRAIN_S"

Main = Callable[[asyncio.Event], Awaitable[None]]


def run(service: str, main: Main) -> int:
    """Run `main(stop)` until it returns; SIGTERM and SIGINT set `stop`. Returns the exit code.

    2: the configuration is wrong; 1: the process failed; 0: it was stopped.
    """
    configure_logs(service=service)
    keep_memory_private()
    allow_connections()
    log = structlog.get_logger()
    try:
        configure_logs(service=service, level=os.environ.get("ALERTWIRE_LOG_LEVEL") or "info")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signalled(main))
    except SettingsError as error:
        log.error("settings.refused", reason=str(error))  # noqa: TRY400 - no stack: a user's slip
        return 2
    except Exception:
        log.exception("process.failed")
        return 1
    log.info("process.stopped")
    return 0


def keep_memory_private() -> None:
    """No core dump, by any limit or pattern of the machine, and no look from another process of the
    same user: not by a debugger, not at `/proc/<pid>/mem` or `environ`. Root still can.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A pattern that pipes core dumps to a program pays no heed to that limit.
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        structlog.get_logger().warning("process.dumpable")


def allow_connections() -> None:
    """As many open files as the machine lets us have, within reason: each connection is one, and
    many systems begin with 1,024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def settle_memory() -> None:
    """Call when a service is ready: a full collection of start-up objects stops it for 7-38 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _until_signalled(main: Main) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.ensure_future(main(stop))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    # A process that still waits for a connection has not come to look at `stop`.
    await asyncio.wait({running}, timeout=STOP_GRACE_S + _drain_s())
    if not running.done():
        await cancelled([running])
        if running.cancelled():
            return
    running.result()


def _drain_s() -> float:
    # `main` has read it too, and refused what is no number.
    try:
        return max(0.0, float(os.environ.get(DRAIN_VARIABLE) or 0))
    except ValueError:
        return 0.0
