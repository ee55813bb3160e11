"""`python -m bench.paper`: how many orders a second the paper exchange takes on one core, from many
accounts, signed, journaled and answered; and whether it lost or doubled any. It says how far the
exchange can be from being the bottleneck of another measurement.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import uvloop

from bench.errors import BenchError
from bench.figures import spread
from bench.options import whole, within
from bench.paper_load import Account, compare, send
from bench.processes import running, until
from bench.table import Cell, render
from bench.usage import Usage, read_usage
from tools.devstack.ports import free_port

_READY_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    times_ms: list[float]
    seconds: float
    before: Usage
    after: Usage


def main() -> int:
    """0: every order was taken and is held once; 1: not so."""
    options = _options()
    measured: Measured | None = None
    try:
        with (
            tempfile.TemporaryDirectory(prefix="alertwire-paper-") as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            measured = runner.run(_measure(options, Path(folder)))
    except* BenchError as errors:
        for error in errors.exceptions:
            print(f"error: {error}", file=sys.stderr)
    if measured is None:
        return 1
    _tell(measured, options)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.paper",
        description=(
            "Start a paper exchange on one core and create market orders at it as fast as it"
            " answers. Exits with 1 unless every order was taken, and taken once."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--seconds", type=within(0.1, 120), default=10.0, metavar="S", help="how long")
    add("--accounts", type=whole(1, 1_000), default=100, metavar="N", help="each with a key")
    add("--connections", type=whole(1, 1_000), default=16, metavar="N", help="orders in flight")
    return parser.parse_args()


async def _measure(options: argparse.Namespace, folder: Path) -> Measured:
    async with _exchange(folder) as (address, pid):
        host = urlsplit(address).netloc
        async with aiohttp.ClientSession(address) as session:
            accounts = await _accounts(session, options.accounts)
            times: list[float] = []
            before, began = _usage(pid), time.monotonic()
            until_s = began + options.seconds
            shares = [accounts[n :: options.connections] for n in range(options.connections)]
            async with asyncio.TaskGroup() as tasks:
                for share in filter(None, shares):
                    tasks.create_task(send(share, host=host, until_s=until_s, times_ms=times))
            seconds, after = time.monotonic() - began, _usage(pid)
            await compare(session, accounts, host=host)
    return Measured(times_ms=times, seconds=seconds, before=before, after=after)


@contextlib.asynccontextmanager
async def _exchange(folder: Path) -> AsyncIterator[tuple[str, int]]:
    port = free_port()
    environ = {
        "ALERTWIRE_PORT": str(port),
        "ALERTWIRE_STATE_DIR": str(folder / "books"),
        "ALERTWIRE_LOG_LEVEL": "warning",
    }
    log = folder / "paper_exchange.log"
    module = ("tools.paper_exchange",)
    async with running("paper_exchange", module, log_file=log, environ=environ) as process:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(process.pid, cores[:1])
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[1:])
        await until(lambda: _answers(port), process=process, log_file=log, timeout_s=_READY_S)
        yield f"http://127.0.0.1:{port}", process.pid


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


async def _accounts(session: aiohttp.ClientSession, count: int) -> list[Account]:
    await _control(session, "PUT", "limits", {"order_create_per_2s": None})
    accounts = []
    for _ in range(count):
        keys = await _control(session, "POST", "accounts", {"balance": "1000000"})
        secret = keys["secret_key"].encode()
        accounts.append(Account(access_key=keys["access_key"], secret_key=secret))
    return accounts


def _usage(pid: int) -> Usage:
    return read_usage({"it": pid})["it"]


async def _control(session: aiohttp.ClientSession, method: str, name: str, body: Any) -> Any:
    async with session.request(method, f"/_paper/{name}", json=body) as answer:
        return await answer.json()


def _tell(measured: Measured, options: argparse.Namespace) -> None:
    times = spread(measured.times_ms)
    if times is None:
        raise BenchError("no order was sent")
    cpu_s = measured.after.cpu_s - measured.before.cpu_s
    rows: list[list[Cell]] = [
        ["orders", times.count],
        ["orders per second", round(times.count / measured.seconds)],
        ["p50 ms", times.p50],
        ["p99 ms", times.p99],
        ["max ms", times.max],
        ["processor ms per order", cpu_s * 1000 / times.count],
        ["memory MiB before", measured.before.rss_mib],
        ["memory MiB after", measured.after.rss_mib],
    ]
    print(render([f"{options.accounts} accounts, {options.connections} in flight", ""], rows))


if __name__ == "__main__":
    sys.exit(main())
