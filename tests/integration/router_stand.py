"""Routers as processes of their own on a real log, and what they have decided: for tests of how
they share the routes. Nothing but NATS stands around them.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.intent import Intent
from libs.common.contracts.presence import Presence
from libs.common.domain import identity
from libs.common.topology import ensure_topology
from services.console.presences import Presences
from tests.factories import make_account, make_alert, make_instrument, make_order, make_route
from tools.devstack.ports import free_port

ROOT = Path(__file__).parents[2]
ROUTES = tuple(f"route-{n}" for n in range(12))
"""They are spread over whatever number of shards a test has."""
PATIENCE_S = 90


class RouterProcess:
    def __init__(self, url: str, *, shards: int) -> None:
        self.port = free_port()
        own = {
            "ALERTWIRE_NATS_URL": url,
            "ALERTWIRE_HEALTH_PORT": str(self.port),
            "ALERTWIRE_ROUTER_SHARDS": str(shards),
        }
        passed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "services.router"],
            cwd=ROOT,
            env={**passed, **own},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def lives(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
        await asyncio.to_thread(self._process.wait, 20)


class RouterStand:
    def __init__(self, bus: Bus, url: str) -> None:
        self.bus = bus
        self._url = url
        self._posted: defaultdict[str, list[str]] = defaultdict(list)
        self._decided: defaultdict[str, list[str]] = defaultdict(list)
        self._read_until = 0
        self._number = 0

    async def prepare(self, *, shards: int) -> None:
        """The log, with routes that trade on one account."""
        await ensure_topology(self.bus.js, router_shards=shards)
        account, instrument = make_account(id="paper"), make_instrument()
        await self._put(subjects.BUCKET_ACCOUNTS, "paper", account)
        for route in ROUTES:
            await self._put(subjects.BUCKET_ROUTES, route, make_route(id=route))
        key = subjects.instrument_key(base_url=account.base_url, symbol=instrument.symbol)
        await self._put(subjects.BUCKET_INSTRUMENTS, key, instrument)

    @contextlib.asynccontextmanager
    async def routers(self, count: int, *, shards: int) -> AsyncIterator[list[RouterProcess]]:
        """That many processes, ended with the block."""
        made = [RouterProcess(self._url, shards=shards) for _ in range(count)]
        try:
            yield made
        finally:
            await asyncio.gather(*(each.end() for each in made))

    async def burst(self, rounds: int, *, pause_s: float = 0.0) -> None:
        """An alert of each route in each round."""
        for _ in range(rounds):
            await asyncio.gather(*(self._post(route) for route in ROUTES))
            await asyncio.sleep(pause_s)

    async def presences(self) -> dict[int, Presence]:
        """What each router tells of itself, by its process id."""
        found = await Presences(self.bus).ask()
        return {int(each.instance.rpartition(":")[2]): each for each in found}

    async def owned(self, routers: Iterable[RouterProcess]) -> list[int]:
        """How many shards each has."""
        there = await self.presences()
        return [
            sum(there[each.pid].owns(lease) for lease in there[each.pid].leases)
            if each.pid in there
            else 0
            for each in routers
        ]

    async def until_owned(self, routers: Iterable[RouterProcess], *counts: int) -> None:
        """In any order."""
        among = list(routers)
        async with asyncio.timeout(PATIENCE_S):
            while sorted(await self.owned(among)) != sorted(counts):
                assert all(each.lives() for each in among)
                await asyncio.sleep(0.1)

    async def until_all_tell(self, routers: Iterable[RouterProcess]) -> dict[int, Presence]:
        pids = {each.pid for each in routers}
        async with asyncio.timeout(PATIENCE_S):
            while not pids <= (told := await self.presences()).keys():
                await asyncio.sleep(0.1)
        return told

    async def until_idle(self, routers: Iterable[RouterProcess], why: str) -> None:
        """None of them has a lease, and each says why."""
        pids = [each.pid for each in routers]
        async with asyncio.timeout(PATIENCE_S):
            while True:
                told = await self.presences()
                idle = [
                    pid in told
                    and why in told[pid].missing.get("consumer", "")
                    and not any(told[pid].owns(lease) for lease in told[pid].leases)
                    for pid in pids
                ]
                if all(idle):
                    return
                await asyncio.sleep(0.1)

    async def until_decided(self) -> None:
        """All that was posted; fails where an alert was decided twice, or before an older one of
        its route.
        """
        wanted = sum(len(alerts) for alerts in self._posted.values())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while await self._decisions() < wanted:
                    await asyncio.sleep(0.1)
        assert self._decided == self._posted

    async def _decisions(self) -> int:
        async for entry in self.bus.entries_after(subject="intent.>", seq=self._read_until):
            self._read_until = entry.seq
            assert isinstance(entry.message, Intent), entry
            self._decided[entry.message.route].append(entry.message.alert_id)
        return sum(len(alerts) for alerts in self._decided.values())

    async def _post(self, route: str) -> None:
        self._number += 1
        number = self._number
        alert = make_alert(
            alert_id=identity.alert_id(unix_ms=number, random_bits=number),
            route=route,
            at=datetime.now(UTC),
            order=make_order(),
        )
        self._posted[route].append(alert.alert_id)
        await self.bus.publish(
            subject=subjects.alert_received(route), message=alert, event_id=f"alert-{number}"
        )

    async def _put(self, bucket: str, key: str, value: msgspec.Struct) -> None:
        store = await self.bus.js.key_value(bucket)
        await store.put(key, msgspec.json.encode(value))
