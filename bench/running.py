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
from bench.phases import Behind, System
from bench.plan import phases
from bench.processes import running, until
from bench.report import DIRECT, OURS, USUAL
from bench.results import Result
from bench.stack import Desk, Keys, running_stack
from libs.common.running import settle_memory
from tools.devstack.ports import SPAN
from tools.devstack.stack import read_stack

Tell = Callable[[str], None]
_WATCHERS_LEARN_S = 2.0
_BRIDGE_READY_S = 60.0
_MISSING_ASKED = 3
_BRIDGES = (DIRECT, USUAL)


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
        bridges = [
            running_bridge(
                name,
                port=options.port_base + SPAN - 1 - place,
                keys=await desk.open_accounts(options.accounts),
                exchange=received.exchange,
                folder=folder,
            )
            for place, name in enumerate(_BRIDGES)
        ]
        async with contextlib.AsyncExitStack() as opened:
            load = await opened.enter_async_context(_client())
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
            others = [
                _bridge_system(
                    name,
                    await opened.enter_async_context(bridge),
                    session=await opened.enter_async_context(_client()),
                    received=received,
                    directory=directory,
                )
                for name, bridge in zip(_BRIDGES, bridges, strict=True)
            ]
            await asyncio.sleep(_WATCHERS_LEARN_S)
            settle_memory()
            results = await _all_phases([ours, *others], options, desk=desk, tell=tell)
        after = _pids(directory)
        restarted = [name for name, pid in pids.items() if after.get(name) != pid]
        tell("stopping the stack")
    return Outcome(results=results, restarted=restarted)


@contextlib.asynccontextmanager
async def running_bridge(
    name: str, *, port: int, keys: Sequence[Keys], exchange: str, folder: Path
) -> AsyncIterator[tuple[list[str], int]]:
    """The addresses of a baseline, and its process id."""
    named = {
        f"{name}-{number:03}": (each.access_key, each.secret_key)
        for number, each in enumerate(keys)
    }
    config = direct.Config(exchange=exchange, port=port, keys=named)
    log_file = folder / f"the {name} bridge.log"
    environ = {direct.CONFIG: msgspec.json.encode(config).decode()}
    async with running(name, (f"bench.{name}",), log_file=log_file, environ=environ) as process:
        await until(
            lambda: _listens(port), process=process, log_file=log_file, timeout_s=_BRIDGE_READY_S
        )
        yield [f"http://{direct.HOST}:{port}/hook/{token}" for token in named], process.pid


def _bridge_system(
    name: str,
    running_as: tuple[list[str], int],
    *,
    session: aiohttp.ClientSession,
    received: Received,
    directory: Path,
) -> System:
    addresses, pid = running_as
    return System(
        name=name,
        driver=Driver(session=session, shots=shots(addresses, run=name)),
        received=received,
        pids=lambda: {name: pid, "paper_exchange": _pids(directory).get("paper_exchange", 0)},
    )


async def _all_phases(
    systems: Sequence[System], options: Options, *, desk: Desk, tell: Tell
) -> list[Result]:
    results: list[Result] = []
    for phase in phases(options):
        for system in systems:
            if system.name not in phase.systems:
                continue
            began = time.monotonic()
            await desk.move_exchange(one_way_ms=phase.one_way_ms)
            try:
                result = await system.measure(phase.name, phase.make_load)
            finally:
                await desk.move_exchange(one_way_ms=0)
            results.append(result)
            tell(
                f"{phase.name}, {system.name}: {_short(result)} ({time.monotonic() - began:.1f} s)"
            )
            for alert in result.missing[:_MISSING_ASKED] if system.behind else ():
                tell(f"  no order of {alert}: {await desk.told_of(alert)}")
    if not any(result.accepted for result in results):
        raise BenchError("not one alert was accepted")
    return results


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
