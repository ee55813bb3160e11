"""Take profit and stop loss that travel with an order, and changes and cancels of stops."""

from decimal import Decimal

import pytest

from tests.paper_desk import BTC, NOW, seen
from tests.paper_triggers import TriggerDesk, attached, leg_of
from tools.paper_exchange.engine.commands import CancelOrder, SetDepth, Twist
from tools.paper_exchange.engine.events import AttachedChanged, OrderChanged, StopChanged
from tools.paper_exchange.engine.triggers.commands import CancelStops, ChangeAttached


@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize(
    ("side", "profit", "loss", "moves_to"),
    [
        (1, "51000", "49000", "51000"),
        (1, "51000", "49000", "49000"),
        (3, "49000", "51000", "51000"),
        (3, "49000", "51000", "49000"),
    ],
)
def test_a_filled_order_is_protected(mode, side, profit, loss, moves_to):
    desk = TriggerDesk(mode=mode)
    order = desk.place(side, 10, attached=attached(profit, loss))
    (stop,) = desk.stops
    assert seen(stop, "order_id position_id vol state") == [order.id, order.position_id, 10, 1]
    assert (stop.profit.vol, stop.loss.vol) == (10, 10)
    desk.price(moves_to)
    assert (desk.holds(), stop.state) == ({}, 3)


def test_its_reference_prices_are_kept():
    desk = TriggerDesk()
    desk.place(1, 10, attached=attached("51000", "49000") | {"lossTrend": 2, "profitTrend": 3})
    (stop,) = desk.stops
    assert (stop.loss.trend, stop.profit.trend) == (2, 3)
    desk.prices("49000")
    assert desk.holds() == {1: 10}


def test_a_resting_order_is_protected_when_it_fills():
    desk = TriggerDesk()
    order = desk.limit(1, 10, "49500", attached=attached(loss="49000"))
    assert desk.stops == []
    desk.price("49500")
    assert (order.state, len(desk.stops)) == (3, 1)


def test_a_leap_through_order_and_stop_ends_flat():
    desk = TriggerDesk()
    desk.limit(1, 10, "49500", attached=attached(loss="49000"))
    desk.price("48000")
    assert (desk.holds(), desk.stops) == ({}, [])


def test_what_was_filled_is_protected_when_the_rest_is_canceled():
    desk = TriggerDesk()
    order = desk.limit(1, 10, "50000", attached=attached(loss="49000"), twist=Twist.PARTIAL_FILL)
    assert desk.stops == [], "not before the end"
    desk.made(CancelOrder(at_ms=NOW, account_id=1, order_id=order.id))
    (stop,) = desk.stops
    assert (stop.vol, desk.holds()) == (5, {1: 5})


def test_a_later_position_is_not_protected_by_an_earlier_order():
    desk = TriggerDesk()
    order = desk.limit(1, 10, "50000", attached=attached(loss="49000"), twist=Twist.PARTIAL_FILL)
    desk.place(4, 5)
    desk.place(1, 5)
    desk.made(CancelOrder(at_ms=NOW, account_id=1, order_id=order.id))
    assert (desk.stops, desk.holds()) == ([], {1: 5})


def test_a_market_order_that_gets_a_part():
    desk = TriggerDesk()
    asks = [[Decimal(50000), Decimal(4)]]
    desk.made(SetDepth(at_ms=NOW, symbol=BTC, bids=[], asks=asks))
    desk.place(1, 10, attached=attached(loss="49000"))
    (stop,) = desk.stops
    assert stop.vol == 4


def test_nothing_filled_is_not_protected():
    desk = TriggerDesk()
    order = desk.limit(1, 10, "49000", attached=attached(loss="48000"))
    desk.made(CancelOrder(at_ms=NOW, account_id=1, order_id=order.id))
    assert (order.state, desk.stops) == (4, [])


def test_each_order_has_its_own():
    desk = TriggerDesk()
    desk.place(1, 10, attached=attached(loss="49000"))
    desk.place(1, 5, attached=attached(loss="49500"))
    desk.price("49500")
    assert desk.holds() == {1: 10}
    desk.price("49000")
    assert desk.holds() == {}


def test_a_net_order_that_turns_is_protected_for_what_it_opened():
    desk = TriggerDesk(mode=2)
    desk.place(1, 10)
    desk.place(3, 25, attached=attached(profit="49000", loss="51000"))
    (stop,) = desk.stops
    assert (stop.vol, stop.position_type) == (15, 2)


def test_a_net_order_that_only_reduces_is_not():
    desk = TriggerDesk(mode=2)
    desk.place(1, 10)
    desk.place(3, 4, attached=attached(profit="49000", loss="51000"))
    assert desk.stops == []


def test_what_closes_is_not():
    desk = TriggerDesk()
    desk.place(1, 10)
    desk.place(4, 4, attached=attached(profit="1", loss="99999"))
    assert (desk.stops, desk.holds()) == ([], {1: 6})


@pytest.mark.parametrize(
    ("side", "kind", "price", "profit", "loss"),
    [
        (1, 5, "0", "50000", None),
        (1, 5, "0", None, "50000"),
        (3, 5, "0", "50000", None),
        (3, 5, "0", None, "50000"),
        (1, 1, "49500", "49500", None),
        (1, 1, "49500", None, "49500"),
        (3, 1, "50500", "50500", None),
        (3, 1, "50500", None, "50500"),
        (1, 5, "0", "51000.05", None),
    ],
)
def test_prices_on_the_wrong_side_are_refused(side, kind, price, profit, loss):
    desk = TriggerDesk()
    carried = attached(profit, loss)
    assert desk.refused(side, 10, type=kind, price=Decimal(price), attached=carried) == 5003


def test_an_unknown_reference_price_is_refused():
    assert TriggerDesk().refused(1, 10, attached=attached(loss="49000", trend=4)) == 3001


def change_attached(order_id: int, **prices: str) -> ChangeAttached:
    given = {name: Decimal(price) for name, price in prices.items()}
    return ChangeAttached(at_ms=NOW, account_id=1, order_id=order_id, attached=given)


def test_changing_what_an_open_order_carries():
    desk = TriggerDesk()
    order = desk.limit(1, 10, "49500", attached=attached("51000", "49000"))
    events = desk.do(change_attached(order.id, stopLossPrice="49100"))
    assert [type(event) for event in events] == [OrderChanged, AttachedChanged]
    assert order.attached == {"stopLossPrice": 49100}
    assert desk.code(change_attached(order.id, stopLossPrice="49500")) == 5003
    desk.made(change_attached(order.id))
    desk.price("49500")
    assert (order.state, desk.stops) == (3, [])
    assert desk.code(change_attached(order.id, stopLossPrice="49100")) == 2009
    assert desk.code(change_attached(1, stopLossPrice="49100")) == 2040


def test_what_an_order_carries_is_announced():
    desk = TriggerDesk()
    plain = desk.limit(1, 1, "49500")
    order = desk.limit(1, 1, "49500", attached=attached(loss="49000"))
    events = desk.do(change_attached(order.id, stopLossPrice="49100"))
    told = [event.order.id for event in events if isinstance(event, AttachedChanged)]
    assert told == [order.id] != [plain.id]


def test_changing_a_stop():
    desk = TriggerDesk()
    desk.place(1, 10)
    stop = desk.stop(profit="51000", loss="49000", vol="6")
    events = desk.do(desk.change_stop(stop, loss=leg_of("49500", vol="0", trend=2)))
    assert [type(event) for event in events] == [StopChanged]
    assert seen(stop.loss, "price trend vol") == [49500, 2, 6]
    assert stop.profit.price == 51000, "what is not given stays"
    desk.prices("50000", fair="49500")
    assert desk.holds() == {1: 4}


def test_a_change_may_add_a_leg_take_one_away_or_fire():
    desk = TriggerDesk()
    desk.place(1, 10)
    stop = desk.stop(profit="51000")
    desk.made(desk.change_stop(stop, loss="49000"))
    assert seen(stop.loss, "price vol") == [49000, 10]
    desk.made(desk.change_stop(stop, profit="0"))
    assert stop.profit is None
    desk.made(desk.change_stop(stop, loss="50000"))
    assert (stop.state, desk.holds()) == (3, {})


def test_refused_changes_of_a_stop():
    desk = TriggerDesk()
    desk.place(1, 10)
    stop = desk.stop(profit="51000", loss="49000")
    assert desk.code(desk.change_stop(stop, profit="0", loss="0")) == 5001
    assert desk.code(desk.change_stop(stop, profit="48000")) == 5003
    assert desk.code(desk.change_stop(stop, loss=leg_of("48000", vol="0", trend=7))) == 3001
    desk.made(CancelStops(at_ms=NOW, account_id=1, stop_ids=[stop.id]))
    assert desk.code(desk.change_stop(stop, loss="48000")) == 5002


def test_canceling_stops():
    desk = TriggerDesk()
    desk.place(1, 10)
    first, second = desk.stop(loss="49000", vol="5"), desk.stop(loss="48000", vol="5")
    cancel = CancelStops(at_ms=NOW, account_id=1, stop_ids=[first.id, 1])
    assert desk.made(cancel) == 1
    assert (first.state, second.state) == (2, 1)
    assert desk.code(cancel) == 5002
    desk.price("49000")
    assert desk.holds() == {1: 10}
