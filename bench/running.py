"""One whole run: the stack, the direct bridge beside it, and the phases in their order."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec

from bench import direct
from bench.alerts import shots
from bench.errors import BenchError
from bench.exchange import Metrics, Received
from bench.loading import ANSWER_TIMEOUT_S, Driver
from bench.options import Options
from bench.phases import Behind, MakeLoad, System
from bench.processes import running, until
from bench.report import DIRECT, OURS
from bench.results import Result
from bench.stack import Desk, Keys, running_stack
from libs.common.running import settle_memory
from tools.devstack.ports import SPAN
from tools.devstack.stack import read_stack

Tell = Callable[[str], None]
_WATCHERS_LEARN_S = 2.0
_FIRST = "first alert"
_WARM_UP = "warm-up"
_WARM_UP_TURNS = 4
_DIRECT_READY_S = 20.0
_MISSING_ASKED = 3


@dataclass(frozen=True, kw_only=True)
class Outcome:
    results: list[Result]
    restarted: list[str]
    """Processes that were not the same at the end as at the start."""


async def whole_run(options: Options, *, folder: Path, tell: Tell) -> Outcome:
    """Everything from an empty folder to the results; nothing runs any more when it returns."""
    directory = folder / "stack"
    tell("starting the stack")
    async with running_stack(directory, port_base=options.port_base) as described, _client() as web:
        pids = dict(described["processes"])
        desk = Desk(session=web, described=described)
        await desk.lift_limits()
        received = Received(session=web, exchange=described["paper_exchange"])
        webhooks = await desk.make_routes(await desk.open_accounts(options.accounts), tell=tell)
        keys = await desk.open_accounts(options.accounts)
        bridge = running_direct(options, keys=keys, exchange=received.exchange, folder=folder)
        async with bridge as (addresses, bridge_pid), _client() as load, _client() as other_load:
            ours = System(
                name=OURS,
                driver=Driver(session=load, shots=shots(webhooks, run="bench")),
                received=received,
                pids=lambda: _pids(directory),
                behind=Behind(
                    executor=Metrics(session=web, url=described["health"]["executor"]),
                    auditor=Metrics(session=web, url=described["health"]["auditor"]),
                ),
            )
            floor = System(
                name=DIRECT,
                driver=Driver(session=other_load, shots=shots(addresses, run="direct")),
                received=received,
                pids=lambda: {
                    DIRECT: bridge_pid,
                    "paper_exchange": _pids(directory).get("paper_exchange", 0),
                },
            )
            await asyncio.sleep(_WATCHERS_LEARN_S)
            settle_memory()
            results = await _all_phases([ours, floor], options, desk=desk, tell=tell)
        after = _pids(directory)
        restarted = [name for name, pid in pids.items() if after.get(name) != pid]
        tell("stopping the stack")
    return Outcome(results=results, restarted=restarted)


@contextlib.asynccontextmanager
async def running_direct(
    options: Options, *, keys: Sequence[Keys], exchange: str, folder: Path
) -> AsyncIterator[tuple[list[str], int]]:
    """The addresses of the direct bridge, and its process id."""
    named = {
        f"direct-{number:03}": (each.access_key, each.secret_key)
        for number, each in enumerate(keys)
    }
    port = options.port_base + SPAN - 1
    config = direct.Config(exchange=exchange, port=port, keys=named)
    log_file = folder / "the direct bridge.log"
    environ = {direct.CONFIG: msgspec.json.encode(config).decode()}
    async with running("direct", ("bench.direct",), log_file=log_file, environ=environ) as process:
        await until(
            lambda: _listens(port), process=process, log_file=log_file, timeout_s=_DIRECT_READY_S
        )
        yield [f"http://{direct.HOST}:{port}/hook/{token}" for token in named], process.pid


async def _all_phases(
    systems: Sequence[System], options: Options, *, desk: Desk, tell: Tell
) -> list[Result]:
    results: list[Result] = []
    for phase, make_load in _phases(options).items():
        for system in systems:
            began = time.monotonic()
            result = await system.measure(phase, make_load)
            results.append(result)
            tell(f"{phase}, {system.name}: {_short(result)} ({time.monotonic() - began:.1f} s)")
            for alert in result.missing[:_MISSING_ASKED] if system.behind else ():
                tell(f"  no order of {alert}: {await desk.told_of(alert)}")
    if not any(result.accepted for result in results):
        raise BenchError("not one alert was accepted")
    return results


def _phases(options: Options) -> dict[str, MakeLoad]:
    def at(rate: float) -> MakeLoad:
        return lambda driver: driver.open_loop(rate=rate, seconds=options.seconds)

    # The first turn of each account and the filling of caches belong to no figure but the first.
    warm_up = _WARM_UP_TURNS * options.accounts - 1
    return {
        _FIRST: lambda driver: driver.one_by_one(1),
        _WARM_UP: lambda driver: driver.one_by_one(warm_up),
        **{f"{rate:g}/s": at(rate) for rate in options.rates},
        f"burst of {options.burst}": lambda driver: driver.burst(options.burst),
        f"sustained, {options.in_flight} in flight": lambda driver: driver.closed_loop(
            in_flight=options.in_flight, seconds=options.seconds
        ),
    }


def _short(result: Result) -> str:
    told = f"{result.accepted} of {result.sent} accepted, {result.orders} orders"
    if result.order_ms is None:
        return told
    return f"{told}, alert to order p50 {result.order_ms.p50:.2f} ms, p99 {result.order_ms.p99:.2f}"


def _client() -> aiohttp.ClientSession:
    # No limit on connections: an alert must not wait here for another one's answer.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=300),
        timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _pids(directory: Path) -> dict[str, int]:
    described = read_stack(directory) or {}
    return dict(described.get("processes", {}))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((direct.HOST, port)) == 0
