"""One whole run: the stack, the baselines beside it, and the phases in their order."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.alerts import shots
from bench.bridges import BRIDGES, running_bridge, running_collector, tracing
from bench.collector import SPANS
from bench.durability import durability
from bench.errors import BenchError
from bench.exchange import Metrics, Received
from bench.loading import ANSWER_TIMEOUT_S, Driver
from bench.options import Options
from bench.phases import Behind, System
from bench.plan import phases
from bench.report import OURS
from bench.results import Result
from bench.stack import Desk, Keys, running_stack
from libs.common.running import settle_memory
from tools.devstack.stack import read_stack

Tell = Callable[[str], None]
_WATCHERS_LEARN_S = 2.0
_MISSING_ASKED = 3


@dataclass(frozen=True, kw_only=True)
class Outcome:
    results: list[Result]
    restarted: list[str]
    """Processes that were not the same at the end as at the start."""
    durability: dict[str, Any]
    spans: float | None = None
    """How many the collector received; None without tracing."""


async def whole_run(options: Options, *, folder: Path, tell: Tell) -> Outcome:
    """Everything from an empty folder to the results; nothing runs any more when it returns."""
    if not options.sampled:
        return await _with_stack(options, folder=folder, tell=tell, environ={})
    collecting = running_collector(port_base=options.port_base, folder=folder)
    async with collecting as address, _client() as web:
        environ = tracing(address, ratio=options.sampled)
        outcome = await _with_stack(options, folder=folder, tell=tell, environ=environ)
        # The services have sent the rest of their spans before they ended.
        spans = await Metrics(session=web, url=address).total(SPANS)
    return Outcome(
        results=outcome.results,
        restarted=outcome.restarted,
        durability=outcome.durability,
        spans=spans,
    )


async def _with_stack(
    options: Options, *, folder: Path, tell: Tell, environ: dict[str, str]
) -> Outcome:
    directory = folder / "stack"
    tell("starting the stack")
    stack = running_stack(directory, port_base=options.port_base, environ=environ)
    async with stack as described, contextlib.AsyncExitStack() as opened:
        pids = dict(described["processes"])
        web = await opened.enter_async_context(_client())
        desk = Desk(session=web, described=described)
        await desk.lift_limits()
        keys = await desk.open_accounts(options.accounts)
        webhooks = await desk.make_routes(keys)
        tell(f"made {len(webhooks)} accounts and routes")
        ours = System(
            name=OURS,
            driver=await _driver(opened, webhooks, name="bench"),
            received=Received(session=web, exchange=described["paper_exchange"]),
            keys=_access_keys(keys),
            pids=lambda: _pids(directory),
            behind=Behind(
                executor=Metrics(session=web, url=described["health"]["executor"]),
                auditor=Metrics(session=web, url=described["health"]["auditor"]),
            ),
        )
        others = [
            await _beside(ours, name, options, desk=desk, opened=opened, folder=folder)
            for name in BRIDGES
        ]
        await asyncio.sleep(_WATCHERS_LEARN_S)
        settle_memory()
        results = await _all_phases([ours, *others], options, desk=desk, tell=tell)
        safely = await durability(directory, described)
        after = _pids(directory)
        tell("stopping the stack")
    return Outcome(
        results=results,
        restarted=[name for name, pid in pids.items() if after.get(name) != pid],
        durability=safely,
    )


async def _beside(
    ours: System,
    name: str,
    options: Options,
    *,
    desk: Desk,
    opened: contextlib.AsyncExitStack,
    folder: Path,
) -> System:
    keys = await desk.open_accounts(options.accounts)
    bridge = await opened.enter_async_context(
        running_bridge(
            name,
            port_base=options.port_base,
            keys=keys,
            exchange=ours.received.exchange,
            folder=folder,
        )
    )
    return System(
        name=name,
        driver=await _driver(opened, bridge.webhooks, name=name),
        received=ours.received,
        keys=_access_keys(keys),
        pids=lambda: {name: bridge.pid, "paper_exchange": ours.pids().get("paper_exchange", 0)},
    )


async def _all_phases(
    systems: Sequence[System], options: Options, *, desk: Desk, tell: Tell
) -> list[Result]:
    results: list[Result] = []
    for phase in phases(options):
        for system in systems:
            began = time.monotonic()
            await desk.move_exchange(one_way_ms=phase.one_way_ms)
            try:
                result = await system.measure(
                    phase.name, phase.make_load, one_way_ms=phase.one_way_ms
                )
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


async def _driver(
    opened: contextlib.AsyncExitStack, addresses: Sequence[str], *, name: str
) -> Driver:
    session = await opened.enter_async_context(_client())
    return Driver(session=session, shots=shots(addresses, run=name))


def _client() -> aiohttp.ClientSession:
    # No limit on connections: an alert must not wait here for another one's answer.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=300),
        timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _access_keys(keys: Sequence[Keys]) -> frozenset[str]:
    return frozenset(each.access_key for each in keys)


def _pids(directory: Path) -> dict[str, int]:
    described = read_stack(directory) or {}
    return dict(described.get("processes", {}))
