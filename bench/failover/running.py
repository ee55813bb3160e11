"""One whole measurement: a stack, alerts at an even rate, one end after the other, and then the
chaos suite's verdict on all that happened.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from bench.errors import BenchError
from bench.failover.contending import HELD, KILLED, Contenders, contending
from bench.failover.options import Options
from bench.failover.reading import deeds_of
from bench.failover.signalling import SYMBOLS, made_world, signals
from bench.failover.timing import Cost, End, costs
from bench.stack import running_stack
from chaos.desk import Desk
from chaos.evidence import Evidence
from chaos.exchange import Exchange
from chaos.faults import CREATE
from chaos.oids import read_oid
from chaos.sending import Sender, stopwatch
from chaos.trail_reading import log_of, read_log, read_rows, until_worked_off
from chaos.verifying import verify
from chaos.violations import Violation
from chaos.world import Act, ActKind, Signal, World
from tools.devstack.ports import Ports

Tell = Callable[[str], None]
WAY_MS = 100
"""To the exchange, so that something is in flight at each end."""
_LOST = 2
"""Requests that are lost on their way just before an executor ends: nobody may know their fate."""
_LOST_WITHIN_S = 10.0
_WATCHERS_LEARN_S = 2.0
_FLOWS_S = 2.0
_LOOK_S = 0.5
_ROUND_LIMIT_S = 60.0
_OLD_S = 1.0
"""An alert that was answered so long ago and has no order yet is one that waits."""
_WORKED_OFF_WITHIN_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    costs: list[Cost]
    violations: list[Violation]
    alerts: int
    orders: int


@dataclass(kw_only=True)
class Measurement:
    options: Options
    folder: Path
    tell: Tell
    ends: list[End] = field(default_factory=list)
    sent: list[Signal] = field(default_factory=list)

    async def whole(self) -> Outcome:
        """From an empty folder to the figures; nothing runs any more when it returns."""
        world = made_world(accounts=self.options.accounts, seed=self.options.seed)
        self.tell("starting the stack")
        directory = self.folder / "stack"
        async with (
            running_stack(directory, port_base=self.options.port_base) as described,
            _client() as web,
        ):
            exchange = Exchange(session=web, url=described["paper_exchange"])
            desk = Desk(session=web, url=described["console"], token=described["console_token"])
            webhooks = await desk.set_up(
                world, exchange=exchange, ws_url=described["paper_exchange_ws"]
            )
            await exchange.set_up(seed=world.seed)
            await exchange.switch(Act(at_s=0, kind=ActKind.LATENCY, value=str(WAY_MS)))
            self.tell(f"made {len(webhooks)} accounts and routes; starting two of each service")
            executors, routers = (
                Contenders(
                    service=service,
                    directory=directory,
                    ports=Ports(self.options.port_base),
                    web=web,
                )
                for service in ("executor", "router")
            )
            pids = described["processes"]
            async with (
                contending(executors, supervised=pids["executor"]),
                contending(routers, supervised=pids["router"]),
            ):
                await asyncio.sleep(_WATCHERS_LEARN_S)
                sender = Sender(session=web, webhooks=webhooks, elapsed_s=stopwatch())
                await self._measure(world, sender, exchange, executors=executors, routers=routers)
                outcome = await self._judge(world, sender, described, exchange=exchange, desk=desk)
            self.tell("stopping the stack")
        return outcome

    async def _measure(
        self,
        world: World,
        sender: Sender,
        exchange: Exchange,
        *,
        executors: Contenders,
        routers: Contenders,
    ) -> None:
        enough = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(world, sender, enough))
                for contenders, how in self._rounds(executors, routers):
                    await asyncio.sleep(_FLOWS_S)
                    if contenders is executors:
                        await _lose_some(exchange)
                    end = await contenders.end_owner(how)
                    self.ends.append(end)
                    self.tell(
                        f"{end.service} {how}: the other works {end.taken_s - end.at_s:.2f} s later"
                    )
                    await self._until_none_waits(sender, exchange)
                enough.set()
        except ExceptionGroup as group:
            error: Exception = group
            while isinstance(error, ExceptionGroup):
                error = error.exceptions[0]
            raise error from group

    def _rounds(
        self, executors: Contenders, routers: Contenders
    ) -> Iterator[tuple[Contenders, str]]:
        yield from [(executors, KILLED)] * self.options.kills
        yield from [(executors, HELD)] * self.options.held
        yield from [(routers, KILLED)] * self.options.router_kills

    async def _send(self, world: World, sender: Sender, enough: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for signal in signals(world, rate=self.options.rate):
                await asyncio.sleep(max(0.0, signal.due_s - sender.elapsed_s()))
                if enough.is_set():
                    return
                self.sent.append(signal)
                group.create_task(sender.send_all([signal]))

    async def _until_none_waits(self, sender: Sender, exchange: Exchange) -> None:
        try:
            async with asyncio.timeout(_ROUND_LIMIT_S):
                while True:
                    await asyncio.sleep(_LOOK_S)
                    before_s = sender.elapsed_s() - _OLD_S
                    await exchange.note_records()
                    if not _accepted(sender, before_s=before_s) - _ordered(exchange):
                        return
        except TimeoutError:
            waiting = _accepted(sender, before_s=before_s) - _ordered(exchange)
            told = f"{len(waiting)} alerts have no order {_ROUND_LIMIT_S:g} s after an end"
            raise BenchError(told) from None

    async def _judge(
        self,
        world: World,
        sender: Sender,
        described: dict[str, Any],
        *,
        exchange: Exchange,
        desk: Desk,
    ) -> Outcome:
        self.tell("waiting until everything is worked off, then reading all there is")
        evidence = Evidence(answers=sender.answers)
        log_copy = self.folder / "the log.jsonl"
        async with log_of(described["nats"]) as log:
            await until_worked_off(log, limit_s=_WORKED_OFF_WITHIN_S)
            await read_log(log, into=evidence, copy=log_copy)
        await read_rows(described["postgres"], into=evidence)
        await exchange.note_records()
        await exchange.calm()
        evidence.calls = exchange.calls()
        evidence.orders = await exchange.orders()
        evidence.positions = dict(await exchange.positions(SYMBOLS))
        evidence.told = await desk.journeys({alert.alert_id for alert in evidence.stored})
        return Outcome(
            costs=costs(self.ends, deeds_of(log_copy, calls=evidence.calls)),
            violations=verify(replace(world, signals=tuple(self.sent)), evidence),
            alerts=len(evidence.stored),
            orders=len(evidence.orders),
        )


async def _lose_some(exchange: Exchange) -> None:
    before = (await exchange.befallen_so_far()).total()
    await exchange.befall([{"path": CREATE, "kind": "drop_before", "count": _LOST}])
    deadline = time.monotonic() + _LOST_WITHIN_S
    while (await exchange.befallen_so_far()).total() < before + _LOST:
        if time.monotonic() > deadline:
            raise BenchError(f"no {_LOST} orders were sent within {_LOST_WITHIN_S:g} s")
        await asyncio.sleep(0.01)


def _accepted(sender: Sender, *, before_s: float) -> set[str]:
    return {
        answer.alert_id
        for answers in sender.answers.values()
        for answer in answers
        if answer.status == 200 and answer.answered_s < before_s
    }


def _ordered(exchange: Exchange) -> set[str]:
    names = (read_oid(call.oid) for call in exchange.calls() if call.code == 0)
    return {name.alert_id for name in names if name is not None}


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=60),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
