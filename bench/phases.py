"""One phase: puts a load on a system, waits until its work is done, and looks at what it did."""

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.draining import until_reached
from bench.exchange import Metrics, Received
from bench.loading import Driver, Load
from bench.matching import match
from bench.results import AuditorFigures, Result, result
from bench.usage import cpu_between, machine_cpu_s, read_usage

DRAIN_LIMIT_S = 180.0
CATCH_UP_LIMIT_S = 60.0
_HANDLED = "alertwire_messages_handled_total"
_LAG = "alertwire_audit_lag_messages"
_ROWS = "alertwire_audit_rows_total"
_STORING_S = "alertwire_audit_batch_seconds_sum"

MakeLoad = Callable[[Driver], Awaitable[Load]]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the services had counted at a moment."""

    handled: float
    rows: float
    storing_s: float
    at: float


@dataclass(frozen=True, kw_only=True)
class Behind:
    """What works on after the answer: who sends the orders, and who stores the trail."""

    executor: Metrics
    auditor: Metrics

    async def look(self) -> Seen:
        return Seen(
            handled=await self.handled(),
            rows=await self.auditor.total(_ROWS) or 0.0,
            storing_s=await self.auditor.total(_STORING_S) or 0.0,
            at=time.monotonic(),
        )

    async def handled(self) -> float:
        return await self.executor.total(_HANDLED) or 0.0

    async def lag(self) -> float | None:
        return await self.auditor.total(_LAG)


@dataclass(frozen=True, kw_only=True)
class System:
    """What is measured. Without `behind`, its answer follows the order."""

    name: str
    driver: Driver
    received: Received
    keys: frozenset[str]
    """The access keys of its accounts: what comes with others is not its doing."""
    pids: Callable[[], dict[str, int]]
    behind: Behind | None = None

    async def measure(self, phase: str, make_load: MakeLoad, *, one_way_ms: int = 0) -> Result:
        seen = await self.behind.look() if self.behind else None
        # The driver's own use is told too: it takes from the same cores.
        before = read_usage(self.pids() | {"driver": os.getpid()})
        machine_before, began = machine_cpu_s(), time.monotonic()
        load = await make_load(self.driver)
        auditor = None
        if self.behind and seen:
            auditor = await _worked_off(self.behind, accepted=load.accepted, seen=seen)
        after = read_usage(self.pids() | {"driver": os.getpid()})
        machine_after, ended = machine_cpu_s(), time.monotonic()
        cpu_s = cpu_between(before, after)
        others_cores = None
        if machine_before is not None and machine_after is not None:
            others_s = machine_after - machine_before - sum(cpu_s.values())
            others_cores = max(0.0, others_s / (ended - began))
        calls = await self.received.since(load.began_ns, keys=self.keys)
        return result(
            phase=phase,
            system=self.name,
            load=load,
            matched=match(load.sent_ns, calls),
            cpu_s=cpu_s,
            rss_mib={name: usage.rss_mib for name, usage in after.items()},
            auditor=auditor,
            others_cores=others_cores,
            one_way_ms=one_way_ms,
        )


async def _worked_off(behind: Behind, *, accepted: int, seen: Seen) -> AuditorFigures:
    ended = time.monotonic()
    lag = await behind.lag()
    await until_reached(behind.handled, target=seen.handled + accepted, limit_s=DRAIN_LIMIT_S)

    async def stored() -> float | None:
        lag = await behind.lag()
        return None if lag is None else -lag

    caught_up = await until_reached(stored, target=0, limit_s=CATCH_UP_LIMIT_S)
    now = await behind.look()
    rows, storing_s = now.rows - seen.rows, now.storing_s - seen.storing_s
    return AuditorFigures(
        lag_when_load_ended=lag,
        caught_up_after_s=now.at - ended if caught_up else None,
        rows=rows,
        rows_rate=rows / (now.at - seen.at),
        rows_rate_storing=rows / storing_s if storing_s > 0 else None,
    )
