"""Cells of the table of trade modes over a real log and the paper exchange's HTTP: the position
that a signal leaves, and the orders that the exchange received for it.
"""

import asyncio
import contextlib

import pytest

from libs.common.bus import connected
from libs.common.clock import SystemClock
from libs.common.consuming import Consumer
from libs.common.contracts import subjects
from libs.common.contracts.execution import Execution
from libs.common.contracts.intent import Denial, IntentDenied, Limits
from libs.common.contracts.order import Plan
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import OrderType, PositionMode, TradeMode
from libs.common.domain.identity import alert_id, intent_event_id
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology, executor_consumer
from services.executor.handler import Executor, lane_of
from services.executor.resting import RestingOrders
from services.executor.settings import Timing
from tests.conformance.stands import paper_stand
from tests.factories import D
from tests.paper_client import CREATE
from tests.unit.domain.notation import NOTHING, moves, signal
from tests.unit.executor_desk import OneAccount

pytestmark = pytest.mark.integration

HEDGE, ONE_WAY = PositionMode.HEDGE, PositionMode.ONE_WAY
NUMBERS = {HEDGE: 1, ONE_WAY: 2}
"""What MEXC calls them."""
STALE = Denial(reason=Reason.STALE, message="the entry is 40 s old")


class Stand:
    def __init__(self, *, bus, paper, position_mode):
        self.bus = bus
        self.paper = paper
        self._alerts = 0
        resting = RestingOrders(owned=lambda _: True)
        resting.complete.set()
        self._executor = Executor(
            bus=bus,
            accounts=OneAccount(paper.exchange, position_mode=position_mode),
            resting=resting,
            timing=Timing(receive_window_s=1.0, receive_margin_s=0.5, visible_after_s=0.1),
            clock=SystemClock(),
        )

    @contextlib.asynccontextmanager
    async def running(self):
        consumer = Consumer(
            self.bus, durable=executor_consumer(0), handler=self._executor.handle, lane_of=lane_of
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(consumer.run(stop))
            yield
            stop.set()

    async def hold(self, text):
        """Open what is held before the signal."""
        for part in text.split(", ") if text != "none" else ():
            side, contracts = part.split()
            said = f"{'buy' if side == 'long' else 'sell'} {contracts}"
            assert await self.send(said, trade_mode=TradeMode.HEDGE) == f"open {part}"

    async def send(self, text, **changes):
        """Through the log; returns what the executor planned, once it is done."""
        self._alerts += 1
        intent = signal(
            text,
            alert_id=alert_id(unix_ms=self._alerts, random_bits=self._alerts),
            received_at=SystemClock().now(),
            **changes,
        )
        await self.bus.publish(
            subject=subjects.intent_accepted(shard=0, account=intent.account, symbol=intent.symbol),
            message=intent,
            event_id=intent_event_id(intent.intent_id),
        )
        async with asyncio.timeout(10):
            while (said := await self._answer(intent.alert_id)) is None:
                await asyncio.sleep(0.01)
        return said

    async def _answer(self, alert):
        """None until the plan's last leg has ended."""
        ended = set()
        planned = None
        for subject in ("order.>", "execution.>", "intent.denied.>"):
            async for entry in self.bus.entries_after(subject=subject, seq=0):
                match entry.message:
                    case IntentDenied(alert_id=found) if found == alert:
                        return f"denied {entry.message.denial.reason.value}"
                    case Plan(alert_id=found) if found == alert:
                        planned = entry.message
                    case Execution(alert_id=found) if found == alert:
                        if entry.message.kind.value in {"filled", "resting"}:
                            ended.add(entry.message.client_order_id)
        if planned is None or {leg.client_order_id for leg in planned.legs} - ended:
            return None
        withheld = f", withheld {planned.withheld.reason.value}" if planned.withheld else ""
        return moves(planned) + withheld

    async def held(self):
        found = (await self.paper.exchange.holdings("BTC_USDT")).holdings
        texts = sorted(f"{each.side.value} {each.contracts:f}" for each in found)
        return ", ".join(texts) or "none"

    async def orders(self):
        """How many orders the exchange received."""
        return len(await self.paper.paper.control("GET", f"requests?path={CREATE}"))


@pytest.fixture
async def stand_of(js, nats_url):
    await ensure_topology(js)
    async with contextlib.AsyncExitStack() as stack:
        bus = await stack.enter_async_context(
            connected(url=Secret(nats_url), service="executor", health=Health("t"))
        )

        async def make(position_mode):
            paper = await stack.enter_async_context(
                paper_stand("", position_mode=NUMBERS[position_mode])
            )
            await paper.paper.control("PUT", "limits", {"order_create_per_2s": None})
            stand = Stand(bus=bus, paper=paper, position_mode=position_mode)
            await stack.enter_async_context(stand.running())
            return stand

        yield make


CELLS = [
    # account, mode, held, signal, orders, held afterwards
    (HEDGE, "netting", "none", "buy 2", "open long 2", "long 2"),
    (HEDGE, "netting", "long 3", "sell 2", "close long 2", "long 1"),
    (HEDGE, "netting", "long 3", "sell 5", "close long 3, open short 2", "short 2"),
    (ONE_WAY, "netting", "short 3", "buy 5", "close short 3, open long 2", "long 2"),
    (HEDGE, "opposite", "long 3", "sell 2", "close long 3, open short 2", "short 2"),
    (ONE_WAY, "opposite", "long 3", "sell 5", "close long 3, open short 5", "short 5"),
    (HEDGE, "reverse", "long 3", "sell 5", "close long 3", "none"),
    (ONE_WAY, "reverse", "short 3", "buy 2", "close short 3", "none"),
    (HEDGE, "hedge", "long 3", "sell 2", "open short 2", "long 3, short 2"),
    (ONE_WAY, "hedge", "long 3", "sell 2", "denied hedge_needs_hedge_mode", "long 3"),
    (HEDGE, "target", "long 3, short 2", "target long 5", "close short 2, open long 2", "long 5"),
    (ONE_WAY, "target", "long 3", "target short 2", "close long 3, open short 2", "short 2"),
    (HEDGE, "target", "long 3", "target long 3", NOTHING, "long 3"),
    (HEDGE, "netting", "long 3, short 2", "flat", "close long 3, close short 2", "none"),
    (HEDGE, "netting", "long 3, short 2", "flat short", "close short 2", "long 3"),
    (ONE_WAY, "netting", "long 3", "flat 50%", "close long 1", "long 2"),
    (HEDGE, "netting", "long 3", "reverse", "close long 3, open short 3", "short 3"),
]


@pytest.mark.parametrize(("account", "mode", "before", "said", "orders", "after"), CELLS)
async def test_cell(  # noqa: PLR0917 - the columns of the table
    stand_of, account, mode, before, said, orders, after
):
    stand = await stand_of(account)
    await stand.hold(before)
    assert await stand.held() == before
    received = await stand.orders()
    assert await stand.send(said, trade_mode=TradeMode(mode)) == orders
    assert await stand.held() == after
    expected = 0 if orders.startswith(("denied", NOTHING)) else len(orders.split(", "))
    assert await stand.orders() - received == expected


@pytest.mark.parametrize(
    ("changes", "said", "orders", "after"),
    [
        ({"opening_denied": STALE}, "sell 5", "close long 3, withheld stale", "none"),
        ({"limits": Limits(pyramiding=False)}, "buy 2", "denied pyramiding", "long 3"),
        ({"order_type": OrderType.LIMIT}, "sell 5", "denied flip_needs_market", "long 3"),
        ({"order_type": OrderType.LIMIT}, "sell 2", "close long 2", "long 3"),
        ({"order_type": OrderType.IOC}, "sell 5", "close long 3, open short 2", "short 2"),
    ],
)
async def test_what_is_held_back(stand_of, changes, said, orders, after):
    """A limit of 51000 rests above the market; an IOC of it is meant to sell at once, at 49000."""
    stand = await stand_of(HEDGE)
    await stand.hold("long 3")
    price = {"order_type": OrderType.MARKET} | changes
    if price["order_type"] is not OrderType.MARKET:
        price["price"] = D(49_000) if price["order_type"] is OrderType.IOC else D(51_000)
    assert await stand.send(said, **price) == orders
    assert await stand.held() == after


async def test_what_a_resting_close_has_frozen_is_left_alone(stand_of):
    """Two of three long wait to be sold at 51000; flat closes the one that is free."""
    stand = await stand_of(HEDGE)
    await stand.hold("long 3")
    resting = {"order_type": OrderType.LIMIT, "price": D(51_000)}
    assert await stand.send("sell 2", **resting) == "close long 2"
    assert await stand.send("flat") == "close long 1, withheld position_frozen"
    assert await stand.send("flat") == "denied position_frozen"
    assert await stand.held() == "long 2"
