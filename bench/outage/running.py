"""One whole measurement: load before, without and after PostgreSQL, and then the log against the
trail.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from nats.aio.client import Client

from bench.alerts import shots
from bench.exchange import Received
from bench.figures import Spread, spread
from bench.loading import ANSWER_TIMEOUT_S, Driver, Load
from bench.matching import Matched, match
from bench.outage.holding import postgres_away
from bench.outage.options import Options
from bench.stack import Desk, running_stack
from chaos.evidence import Evidence
from chaos.trail import judge_trail
from chaos.trail_reading import STREAM, log_of, read_log, read_rows, until_worked_off
from libs.common.running import settle_memory
from libs.common.topology import AUDITOR

Tell = Callable[[str], None]
_FLOWING = 100
"""What is on its way into the trail while alerts come, at most."""
_WATCHERS_LEARN_S = 2.0
_LOOK_S = 0.5
_CATCHES_UP_WITHIN_S = 300.0
_WORKED_OFF_WITHIN_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Phase:
    name: str
    sent: int
    accepted: int
    missing: int
    doubled: int
    ack_ms: Spread | None
    order_ms: Spread | None


@dataclass(kw_only=True)
class Outcome:
    phases: list[Phase] = field(default_factory=list)
    lag_largest: int = 0
    """Messages of the log that were not in the trail, at most."""
    answers_after_s: float | None = None
    """From the end of the outage until the auditor's lag fell for the first time."""
    caught_up_after_s: float | None = None
    """And until nothing was left but what came just then; None: not in time."""
    left: int = 0
    """Messages that some consumer had not handled in the end."""
    messages: int = 0
    rows: int = 0
    gaps: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Measurement:
    options: Options
    folder: Path
    tell: Tell
    outcome: Outcome = field(default_factory=Outcome)

    async def whole(self) -> Outcome:
        """From an empty folder to the figures; nothing runs any more when it returns."""
        self.tell("starting the stack")
        directory = self.folder / "stack"
        stack = running_stack(directory, port_base=self.options.port_base)
        async with stack as described, _client() as web:
            desk = Desk(session=web, described=described)
            await desk.lift_limits()
            keys = await desk.open_accounts(self.options.accounts)
            webhooks = await desk.make_routes(keys)
            self.tell(f"made {len(webhooks)} accounts and routes")
            await asyncio.sleep(_WATCHERS_LEARN_S)
            settle_memory()
            driver = Driver(session=web, shots=shots(webhooks, run="outage"))
            received = Received(session=web, exchange=described["paper_exchange"])
            async with log_of(described["nats"]) as log:
                loads = await self._loads(driver, described, log=log)
                await self._compare(described, log=log)
            access = frozenset(each.access_key for each in keys)
            calls = await received.since(loads[0][1].began_ns, keys=access)
            # Together: the last order of one load comes while the next is sent.
            everything = {alert: ns for _, load in loads for alert, ns in load.sent_ns.items()}
            matched = match(everything, calls)
            self.outcome.phases = [_phase(name, load, matched) for name, load in loads]
            self.tell("stopping the stack")
        return self.outcome

    async def _loads(
        self, driver: Driver, described: dict[str, Any], *, log: Client
    ) -> list[tuple[str, Load]]:
        rate, beside_s = self.options.rate, self.options.beside_s
        await driver.one_by_one(2 * self.options.accounts)
        before = await driver.open_loop(rate=rate, seconds=beside_s)
        self.tell(f"before: {before.accepted} of {before.sent} accepted; stopping PostgreSQL")
        pid, url = described["processes"]["postgres"], described["postgres"]
        async with postgres_away(pid=pid, url=url), asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch_lag(log))
            without = await driver.open_loop(rate=rate, seconds=60 * self.options.minutes)
            watching.cancel()
        self.tell(
            f"without: {without.accepted} of {without.sent} accepted, the trail lacks"
            f" {self.outcome.lag_largest:,} messages; PostgreSQL may come back"
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_return(log, began=time.monotonic()))
            after = await driver.open_loop(rate=rate, seconds=beside_s)
        self.tell(f"after: {after.accepted} of {after.sent} accepted")
        return [("before", before), ("without PostgreSQL", without), ("after", after)]

    async def _watch_lag(self, log: Client) -> None:
        told_at = time.monotonic()
        while True:
            await self._look(log)
            if time.monotonic() - told_at > 60:
                told_at = time.monotonic()
                self.tell(f"  the trail lacks {self.outcome.lag_largest:,} messages")
            await asyncio.sleep(_LOOK_S)

    async def _look(self, log: Client) -> int:
        """Asked of the log, not of the auditor: it counts what is not acknowledged."""
        info = await log.jetstream().consumer_info(STREAM, AUDITOR)
        lag = (info.num_pending or 0) + (info.num_ack_pending or 0)
        self.outcome.lag_largest = max(self.outcome.lag_largest, lag)
        return lag

    async def _watch_return(self, log: Client, *, began: float) -> None:
        outcome = self.outcome
        while (waited_s := time.monotonic() - began) < _CATCHES_UP_WITHIN_S:
            lag = await self._look(log)
            if lag < outcome.lag_largest and outcome.answers_after_s is None:
                outcome.answers_after_s = waited_s
            if lag <= _FLOWING and outcome.answers_after_s is not None:
                outcome.caught_up_after_s = waited_s
                self.tell(f"  the trail has caught up after {waited_s:.1f} s")
                return
            await asyncio.sleep(_LOOK_S)

    async def _compare(self, described: dict[str, Any], *, log: Client) -> None:
        self.tell("comparing the log with the trail")
        evidence = Evidence(answers={})
        left = await until_worked_off(log, limit_s=_WORKED_OFF_WITHIN_S)
        self.outcome.left = sum(left.values())
        await read_log(log, into=evidence, copy=self.folder / "the log.jsonl")
        await read_rows(described["postgres"], into=evidence)
        self.outcome.messages, self.outcome.rows = len(evidence.log), len(evidence.rows)
        self.outcome.gaps = [each.text for each in judge_trail(evidence, judged={})]


def _phase(name: str, load: Load, matched: Matched) -> Phase:
    first_ns = matched.first_received_ns
    waits = [(first_ns[each] - ns) / 1e6 for each, ns in load.sent_ns.items() if each in first_ns]
    return Phase(
        name=name,
        sent=load.sent,
        accepted=load.accepted,
        missing=sum(alert in load.sent_ns for alert in matched.missing),
        doubled=sum(alert in load.sent_ns for alert in matched.doubled),
        ack_ms=spread(load.ack_ms),
        order_ms=spread(waits),
    )


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=300),
        timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
