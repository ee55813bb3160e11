"""The executor over the real client and the paper exchange: orders that wait, and changes."""

import contextlib

import pytest

from libs.common.clock import SystemClock
from libs.common.consuming import Delivery
from libs.common.contracts.intent import Offset, Protection
from libs.common.contracts.words import Action, OrderType
from libs.common.domain.identity import alert_id
from services.executor.following import Follower
from services.executor.handler import Executor
from services.executor.moved import Moved
from services.executor.resting import RestingOrders
from services.executor.settings import Timing
from tests.conformance.stands import paper_stand
from tests.factories import NOW, D, make_intent
from tests.fake_bus import FakeBus
from tests.fake_halts import FakeHalts
from tests.unit.executor_desk import HAPPY, OneAccount, Owning

pytestmark = pytest.mark.integration

RESTING = [*HAPPY[:3], "execution.resting"]
CHANGED = ["order.planned", "execution.sent", "execution.changed"]
LIMIT = {"order_type": OrderType.LIMIT, "price": D(49_000)}
STOP = {"order_type": OrderType.STOP, "price": D(51_000)}


class Stand:
    def __init__(self, paper):
        self.paper = paper
        self.bus = FakeBus()
        self._count = 0
        resting = RestingOrders(owned=lambda _: True)
        resting.complete.set()
        needs = {
            "bus": self.bus,
            "accounts": OneAccount(paper.exchange),
            "resting": resting,
            "timing": Timing(receive_window_s=1.0, receive_margin_s=0.5, visible_after_s=0.1),
            "clock": SystemClock(),
        }
        self._executor, self._follower = (
            Executor(
                **needs,
                halts=FakeHalts(),
                moved=Moved(visible_after_s=0.1),
                ownership=Owning(),
            ),
            Follower(**needs),
        )

    async def send(self, **changes):
        """Handle an alert's intent; returns the stages that it brought."""
        self._count += 1
        intent = make_intent(
            alert_id=alert_id(unix_ms=self._count, random_bits=self._count),
            received_at=SystemClock().now(),
            **{"contracts": D(10), **changes},
        )
        before = len(self.bus.entries)
        await self._executor.handle(
            Delivery(
                seq=0,
                subject="",
                stored_at=NOW,
                message=intent,
                headers={},
                data=b"",
                came=None,
                origin_seq=0,
                fresh=True,
            )
        )
        return self.bus.stages[before:]

    async def follow(self):
        before = len(self.bus.entries)
        await self._follower.ask("paper")
        return self.bus.stages[before:]


@pytest.fixture
async def stand():
    async with contextlib.AsyncExitStack() as stack:
        yield Stand(await stack.enter_async_context(paper_stand("")))


async def test_a_limit_order_waits_and_is_filled(stand):
    assert await stand.send(**LIMIT) == RESTING
    assert await stand.follow() == []
    await stand.paper.price("48900")
    assert await stand.follow() == ["execution.filled"]


async def test_a_stop_order_waits_and_is_filled(stand):
    assert await stand.send(**STOP) == RESTING
    assert await stand.follow() == []
    await stand.paper.price("51100")
    assert await stand.follow() == ["execution.filled"]
    assert stand.bus.messages("execution.filled")[0].filled_contracts == 10


async def test_waiting_orders_are_canceled(stand):
    await stand.send(**LIMIT, order_id="a")
    await stand.send(**STOP, order_id="b")
    cancel = {"action": Action.CANCEL, "contracts": None}
    assert await stand.send(**cancel, order_id="b") == CHANGED
    assert await stand.follow() == ["execution.canceled"]
    assert await stand.send(**cancel) == CHANGED
    assert await stand.follow() == ["execution.canceled"]
    assert await stand.send(**cancel) == ["order.planned"]


async def test_a_position_is_protected_moved_and_trailed(stand):
    protection = Protection(stop=Offset(price=D(49_000)), target=Offset(price=D(53_000)))
    assert await stand.send() == HAPPY
    modify = {"action": Action.MODIFY, "contracts": None}
    assert await stand.send(**modify, protection=protection) == CHANGED
    moved = Protection(stop=Offset(price=D(49_500)))
    assert await stand.send(**modify, protection=moved) == CHANGED
    [there] = (await stand.paper.exchange.protectives("BTC_USDT")).value
    assert (there.stop_price, there.target_price) == (49_500, 53_000)
    trailing = Protection(trailing_ticks=D(1000))
    assert await stand.send(**modify, protection=trailing) == CHANGED
    wider = Protection(trailing_ticks=D(2000))
    assert await stand.send(**modify, protection=wider) == [*CHANGED, *CHANGED[1:]]
    [trail] = (await stand.paper.exchange.trails("BTC_USDT")).value
    assert trail.distance == 200


async def test_a_trailing_stop_follows_the_fill(stand):
    trailing = Protection(trailing_ticks=D(1000))
    assert await stand.send(protection=trailing) == [*HAPPY, *CHANGED[1:]]
    [trail] = (await stand.paper.exchange.trails("BTC_USDT")).value
    assert (trail.contracts, trail.distance) == (10, 100)


async def test_the_stop_moves_to_the_entry(stand):
    await stand.send()
    await stand.paper.price("50500")
    assert await stand.send(action=Action.BREAKEVEN, contracts=None) == CHANGED
    [there] = (await stand.paper.exchange.protectives("BTC_USDT")).value
    assert there.stop_price == 50_000


@pytest.mark.parametrize("order", [STOP, {"protection": Protection(trailing_ticks=D(1000))}])
async def test_a_lost_reply_doubles_nothing(stand, order):
    path = "planorder/place/v2" if order is STOP else "trackorder/place"
    fault = {"path": f"/api/v1/private/{path}", "kind": "lose_reply"}
    await stand.paper.paper.control("PUT", "faults", [fault])
    stages = await stand.send(**order)
    end = "resting" if order is STOP else "changed"
    assert stages[-2:] == ["execution.unknown", f"execution.{end}"]
    exchange = stand.paper.exchange
    waiting = await (exchange.pending if order is STOP else exchange.trails)("BTC_USDT")
    assert len(waiting.value) == 1
