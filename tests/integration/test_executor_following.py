"""The executor's resting orders over a real log: followed across restarts, each end told once."""

import asyncio
import contextlib

import pytest

from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.clock import SystemClock
from libs.common.connecting import Access
from libs.common.consuming import Consumer
from libs.common.contracts import subjects
from libs.common.contracts.execution import Execution
from libs.common.contracts.words import Action, OrderType
from libs.common.domain.identity import alert_id, intent_event_id
from libs.common.executor_shards import executor_consumer
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.executor.following import Follower
from services.executor.handler import Executor, lane_of
from services.executor.moved import Moved
from services.executor.resting import RestingOrders
from services.executor.settings import Timing
from tests.factories import D, make_intent
from tests.fake_halts import FakeHalts
from tests.fakes import FakeExchange
from tests.unit.executor_desk import OneAccount, Owning

pytestmark = pytest.mark.integration

TIMING = Timing(follow_s=0.02, follow_pause_s=0.0, receive_window_s=0.1, receive_margin_s=0.1)
EXECUTIONS = "execution.*.paper.BTC_USDT"


class Stand:
    """An exchange, and an executor that can be ended and started."""

    def __init__(self, bus):
        self.bus = bus
        self.exchange = FakeExchange(now=SystemClock().now)

    @contextlib.asynccontextmanager
    async def running(self):
        """One life of the process; its end is as sudden as a kill."""
        resting = RestingOrders(owned=lambda _: True)
        needs = {
            "bus": self.bus,
            "accounts": OneAccount(self.exchange),
            "resting": resting,
            "timing": TIMING,
            "clock": SystemClock(),
        }
        executor, follower = (
            Executor(
                **needs,
                halts=FakeHalts(),
                moved=Moved(visible_after_s=0.1),
                ownership=Owning(),
            ),
            Follower(**needs),
        )
        consumer = Consumer(
            self.bus, durable=executor_consumer(0), handler=executor.handle, lane_of=lane_of
        )
        tasks = [
            asyncio.create_task(follower.follow()),
            asyncio.create_task(consumer.run(asyncio.Event())),
        ]
        try:
            yield resting
        finally:
            await cancelled(tasks)
            assert all(task.cancelled() for task in tasks), tasks

    async def send(self, number, **changes):
        intent = make_intent(
            alert_id=alert_id(unix_ms=number, random_bits=number),
            received_at=SystemClock().now(),
            **changes,
        )
        await self.bus.publish(
            subject=subjects.intent_accepted(shard=0, account=intent.account, symbol=intent.symbol),
            message=intent,
            event_id=intent_event_id(intent.intent_id),
        )
        return intent.alert_id

    async def told(self):
        entries = self.bus.entries_after(subject=EXECUTIONS, seq=0)
        return [
            (entry.message.alert_id, entry.message.kind.value)
            async for entry in entries
            if isinstance(entry.message, Execution)
        ]

    async def until(self, *wanted):
        """Wait for words of an alert."""
        async with asyncio.timeout(10):
            while wanted not in await self.told():
                await asyncio.sleep(0.01)


@pytest.fixture
async def stand(js, nats_url):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="executor", health=Health("t")
    ) as bus:
        yield Stand(bus)


LIMIT = {"order_type": OrderType.LIMIT, "price": D(49_000)}
STOP = {"order_type": OrderType.STOP, "price": D(51_000)}


async def test_resting_orders_outlive_the_process(stand):
    async with stand.running():
        limit = await stand.send(1, **LIMIT)
        stop = await stand.send(2, **STOP, order_id="mine")
        market = await stand.send(3)
        await stand.until(limit, "resting")
        await stand.until(stop, "resting")
        await stand.until(market, "filled")
    stand.exchange.move("48500")
    async with stand.running():
        await stand.until(limit, "filled")
    async with stand.running() as resting:
        await resting.complete.wait()
        assert [found.alert_id for found in resting.of("paper")] == [stop]
        cancel = await stand.send(4, action=Action.CANCEL, contracts=None, order_id="mine")
        await stand.until(cancel, "changed")
        await stand.until(stop, "canceled")
    async with stand.running() as resting:
        await resting.complete.wait()
        await asyncio.sleep(0.1)
        assert resting.accounts() == set()
    assert [each for each in await stand.told() if each[0] in {limit, stop}] == [
        (limit, "sent"),
        (limit, "accepted"),
        (limit, "resting"),
        (stop, "sent"),
        (stop, "accepted"),
        (stop, "resting"),
        (limit, "filled"),
        (stop, "canceled"),
    ]
    assert len(stand.exchange.submitted) == 3


async def test_a_process_that_dies_over_a_stop_order_leaves_one(stand):
    """It dies after the order has left, before the reply."""
    submit, left = stand.exchange.submit, asyncio.Event()

    async def hanging(leg, **how):
        await submit(leg, **how)
        left.set()
        await asyncio.Event().wait()

    stand.exchange.submit = hanging
    async with stand.running():
        alert = await stand.send(1, **STOP)
        await left.wait()
    stand.exchange.submit = submit
    async with stand.running():
        await stand.until(alert, "resting")
    assert len(stand.exchange.venue.plans) == 1
