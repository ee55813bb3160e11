"""The router on a real log: one alert for several accounts, each on its own, and a count of
openings that survives a restart.
"""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from libs.common.bus import connected
from libs.common.clock import SystemClock
from libs.common.connecting import Access
from libs.common.consuming import Consumer
from libs.common.contracts import subjects
from libs.common.contracts.intent import Intent, IntentDenied
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Guards, RouteAccount
from libs.common.domain import identity
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ROUTER, ensure_topology
from services.router.handler import Router, lane_of
from services.router.pace import Pace
from tests.factories import (
    D,
    make_account,
    make_alert,
    make_instrument,
    make_intent,
    make_order,
    make_route,
)
from tests.fake_halts import FakeHalts

pytestmark = pytest.mark.integration

AWAY = "http://127.0.0.1:2"
THREE = (
    RouteAccount(account="first"),
    RouteAccount(account="away"),
    RouteAccount(account="third", multiplier=D(3)),
)


@pytest.fixture
async def bus(js, nats_url):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="router", health=Health("t")
    ) as found:
        yield found


class Stand:
    """A router over a real log; what it knows of routes and contracts are plain dictionaries."""

    def __init__(self, bus, **route):
        self.bus, self.clock, self.is_owner = bus, SystemClock(), True
        self.routes = {"demo": make_route(**{"accounts": THREE, **route})}
        self.accounts = {
            "first": make_account(id="first"),
            "away": make_account(id="away", base_url=AWAY),
            "third": make_account(id="third"),
        }
        self.catalogues = {
            subjects.instrument_prefix(make_account().base_url): {"BTC_USDT": make_instrument()}
        }

    @contextlib.asynccontextmanager
    async def running(self):
        router = Router(
            bus=self.bus,
            routes=self.routes,
            accounts=self.accounts,
            catalogues=lambda: self.catalogues,
            halts=FakeHalts(),
            shards=1,
            clock=self.clock,
            is_owner=lambda: self.is_owner,
        )
        consumer = Consumer(self.bus, durable=ROUTER, handler=router.handle, lane_of=lane_of)
        stop = asyncio.Event()
        task = asyncio.create_task(consumer.run(stop))
        async with asyncio.timeout(20):
            while consumer.missing() is not None:
                await asyncio.sleep(0.01)
        try:
            yield
        finally:
            stop.set()
            await task

    async def post(self, number, *, age_s=0.0, **order):
        alert = make_alert(
            alert_id=identity.alert_id(unix_ms=number, random_bits=number),
            at=self.clock.now() - timedelta(seconds=age_s),
            order=make_order(**order),
        )
        await self.bus.publish(
            subject=subjects.alert_received("demo"), message=alert, event_id=f"alert-{number}"
        )
        return alert

    async def decided(self, count):
        """The first `count` messages of the router."""
        async with asyncio.timeout(20):
            while True:
                found = [
                    entry.message
                    async for entry in self.bus.entries_after(subject="intent.>", seq=0)
                ]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)


async def test_one_account_waits_and_the_others_are_served(bus):
    stand = Stand(bus)
    async with stand.running():
        alert = await stand.post(1)
        first = await stand.decided(2)
        assert {(intent.account, intent.contracts) for intent in first} == {
            ("first", 10),
            ("third", 30),
        }
        stand.catalogues[subjects.instrument_prefix(AWAY)] = {"BTC_USDT": make_instrument()}
        found = await stand.decided(3)
        assert [intent.account for intent in found[2:]] == ["away"]
        await asyncio.sleep(0.1)
        assert len(await stand.decided(3)) == 3, "nobody is served twice"
    assert {intent.alert_id for intent in found} == {alert.alert_id}
    assert len({intent.intent_id for intent in found}) == 3


async def test_a_router_that_may_be_superseded_tells_nothing_until_it_is_certain(bus):
    stand = Stand(bus, accounts=THREE[:1])
    stand.is_owner = False
    async with stand.running():
        await stand.post(1)
        await stand.post(2)
        await asyncio.sleep(0.3)
        # Another one decides the first meanwhile, and ends.
        intent = make_intent(
            alert_id=identity.alert_id(unix_ms=1, random_bits=1), account="first", contracts=D(7)
        )
        subject = subjects.intent_accepted(shard=0, account="first", symbol="BTC_USDT")
        # Under another event id: by then the log's own dedup has forgotten the first one.
        await bus.publish(subject=subject, message=intent, event_id="long ago")
        assert await stand.decided(1) == [intent]
        stand.is_owner = True
        await stand.decided(2)
        await asyncio.sleep(0.3)
        found = await stand.decided(2)
    assert [each.contracts for each in found] == [7, 10]


async def test_an_exchange_that_stays_away_is_denied_for_its_own_account(bus):
    stand = Stand(bus, max_age_s=300)
    async with stand.running():
        await stand.post(1, age_s=29.5)
        found = await stand.decided(3)
    denied = next(each for each in found if isinstance(each, IntentDenied))
    assert (denied.account, denied.denial.reason) == ("away", Reason.CONTRACTS_UNKNOWN)
    assert {each.account for each in found if isinstance(each, Intent)} == {"first", "third"}


async def test_a_restart_keeps_count_of_the_openings(bus):
    one = (RouteAccount(account="first"),)
    stand = Stand(bus, accounts=one, guards=Guards(orders_per_minute=2))
    async with stand.running():
        await stand.post(1)
        await stand.post(2, action="flat", quantity=None)
        await stand.decided(2)
    async with stand.running():
        await stand.post(3)
        await stand.post(4)
        found = await stand.decided(4)
    assert [intent.opening_denied is None for intent in found] == [True, True, True, False]
    assert found[3].opening_denied.reason is Reason.ORDERS_PER_MINUTE


async def test_only_the_last_minute_of_the_log_is_read(bus, js):
    """Found by halving, over places that are gone and other services' messages."""
    clock = SystemClock()
    moments = []
    for number in range(12):
        moments.append(clock.now())
        await asyncio.sleep(0.003)
        intent = make_intent(
            alert_id=identity.alert_id(unix_ms=number, random_bits=number),
            account="first",
            # Younger than every `since` below, so that only the place in the log decides.
            received_at=moments[0] + timedelta(hours=1),
        )
        subject = subjects.intent_accepted(shard=0, account="first", symbol="BTC_USDT")
        await bus.publish(subject=subject, message=intent, event_id=f"i{number}")
        await bus.publish(
            subject=subjects.alert_received("x"), message=make_alert(), event_id=f"a{number}"
        )
    for seq in (1, 2, 9, 10, 11, 24):
        await js.delete_msg(subjects.STREAM, seq)
    kept = [number for number in range(12) if 2 * number + 1 not in {1, 9, 11}]
    for place, moment in enumerate(moments):
        asking = make_alert(at=moment + timedelta(seconds=60))
        recent = await Pace(bus=bus).recent(asking, account="first", seq=24)
        assert recent == sum(number >= place for number in kept)
