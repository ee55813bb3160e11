"""One whole run: a stack, the load and what is done to it, then everything there is to see."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from nats.aio.client import Client

from bench.stack import running_stack
from chaos.acting import Actor
from chaos.desk import Desk
from chaos.evidence import Evidence
from chaos.exchange import Exchange
from chaos.sending import Sender, stopwatch
from chaos.trail_reading import (
    last_of,
    log_of,
    read_anchors,
    read_log,
    read_rows,
    until_anchored,
    until_quiet,
    until_worked_off,
)
from chaos.verifying import verify
from chaos.violations import Violation
from chaos.world import QUOTED, TICKERS, Purpose, Sendable, World
from tools.devstack.ports import Ports

Tell = Callable[[str], None]
_PROGRESS_S = 10.0
_WATCHERS_LEARN_S = 2.0
_WORKED_OFF_WITHIN_S = 180.0
_TOLD_WITHIN_S = 60.0
"""The private connection may be away for half a minute, and orders are asked for in turn."""
_QUIET_S = 8.0
_ANCHORED_WITHIN_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    evidence: Evidence
    violations: list[Violation]
    sent: Counter[str]
    done: Counter[str]
    befallen: Counter[str]
    left: dict[str, int]
    """What the consumers still had to do when nobody waited any longer."""


@dataclass(kw_only=True)
class Run:
    world: World
    directory: Path
    port_base: int
    tell: Tell

    @property
    def _sent(self) -> list[Sendable]:
        both: list[Sendable] = [*self.world.signals, *self.world.steps]
        return sorted(both, key=lambda each: each.due_s)

    @property
    def log_copy(self) -> Path:
        return self.directory.with_name("the log.jsonl")

    async def whole(self) -> Outcome:
        """From an empty folder to the verdict; nothing runs any more when it returns."""
        self.tell("starting the stack")
        async with (
            running_stack(self.directory, port_base=self.port_base) as described,
            _client() as web,
        ):
            exchange = Exchange(session=web, url=described["paper_exchange"])
            desk = Desk(session=web, url=described["console"], token=described["console_token"])
            webhooks = await desk.set_up(
                self.world, exchange=exchange, ws_url=described["paper_exchange_ws"]
            )
            self.tell(f"made {len(self.world.accounts)} accounts and {len(webhooks)} routes")
            await asyncio.sleep(_WATCHERS_LEARN_S)
            outcome = await self._chaos(described, exchange=exchange, desk=desk, webhooks=webhooks)
            self.tell("stopping the stack")
        return outcome

    async def _chaos(
        self,
        described: dict[str, Any],
        *,
        exchange: Exchange,
        desk: Desk,
        webhooks: dict[str, str],
    ) -> Outcome:
        elapsed_s = stopwatch()
        async with _client() as load:
            sender = Sender(session=load, webhooks=webhooks, elapsed_s=elapsed_s)
            actor = Actor(
                directory=self.directory,
                ports=Ports(self.port_base),
                exchange=exchange,
                seed=self.world.seed,
                elapsed_s=elapsed_s,
                tell=self.tell,
            )
            await exchange.set_up(seed=self.world.seed)
            await exchange.stand()
            await exchange.befall(self.world.faults)
            try:
                await self._everything(sender, actor)
            except ExceptionGroup as group:
                raise _first(group) from group
        await exchange.calm()
        self.tell("all is sent and done; waiting until everything is worked off")
        evidence = Evidence(answers=sender.answers)
        left = await self._gather(evidence, described, actor=actor, exchange=exchange, desk=desk)
        violations = verify(self.world, evidence)
        return Outcome(
            evidence=evidence,
            violations=violations,
            sent=sender.counts,
            done=actor.done,
            befallen=exchange.befallen,
            left=left,
        )

    async def _everything(self, sender: Sender, actor: Actor) -> None:
        async with asyncio.TaskGroup() as beside:
            progress = beside.create_task(self._tell_progress(sender, actor))
            async with asyncio.TaskGroup() as group:
                group.create_task(sender.send_all(self._sent))
                group.create_task(actor.do_all(self.world.acts))
            progress.cancel()

    async def _gather(
        self,
        evidence: Evidence,
        described: dict[str, Any],
        *,
        actor: Actor,
        exchange: Exchange,
        desk: Desk,
    ) -> dict[str, int]:
        async with log_of(described["nats"]) as log:
            left = await until_worked_off(log, limit_s=_WORKED_OFF_WITHIN_S)
            if left:
                self.tell(f"not worked off: {left}")
            if self.world.waiting:
                await self._end_what_waits(evidence, log, exchange=exchange, desk=desk)
            evidence.settled = await last_of(log)
            left |= await until_worked_off(log, limit_s=_WORKED_OFF_WITHIN_S)
            # An auditor that ends anchors what it has stored.
            await actor.restart("auditor")
            await until_anchored(log, seq=evidence.settled, limit_s=_ANCHORED_WITHIN_S)
            self.tell("reading the log, the trail and the exchange's records")
            # In this order each holds what the one before it may name.
            await read_anchors(log, into=evidence)
            await read_rows(described["postgres"], into=evidence)
            await read_log(log, into=evidence, copy=self.log_copy)
        await exchange.note_befallen()
        await exchange.note_records()
        evidence.calls = exchange.calls()
        evidence.orders = await exchange.orders()
        evidence.positions = dict(await exchange.positions(sorted({**TICKERS, **QUOTED})))
        evidence.stops = await exchange.stops([route.name for route in self.world.waiting])
        evidence.told = await desk.journeys({alert.alert_id for alert in evidence.stored})
        return left

    async def _end_what_waits(
        self, evidence: Evidence, log: Client, *, exchange: Exchange, desk: Desk
    ) -> None:
        # All that a sweep reaches is there now, so after this one nothing of it waits any more.
        await exchange.sweep()
        filling = {step.key for step in self.world.steps if step.purpose is Purpose.FILL}
        ids = {
            answer.alert_id
            for key in filling
            for answer in evidence.answers.get(key, [])
            if answer.alert_id
        }
        deadline = time.monotonic() + _TOLD_WITHIN_S
        while any(told.status == "pending" for told in (await desk.journeys(ids)).values()):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(1)
        # What stops have moved is told as a drift, once it was seen twice.
        await until_quiet(log, for_s=_QUIET_S, limit_s=_TOLD_WITHIN_S)
        await until_worked_off(log, limit_s=_WORKED_OFF_WITHIN_S)

    async def _tell_progress(self, sender: Sender, actor: Actor) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_S)
            self.tell(
                f"{sender.counts['alerts']} of {len(self._sent)} alerts sent,"
                f" {actor.done.total()} of {len(self.world.acts)} acts done"
            )


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=60),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
