"""Closing everything and turning a position round."""

from decimal import Decimal
from typing import Any

import pytest

from tests.paper_desk import BTC, LONG, NOW, SHORT, Desk, seen
from tools.paper_exchange.engine.commands import CloseAll, ReversePosition, SetDepth
from tools.paper_exchange.engine.events import CloseAllFailed, PositionReversed
from tools.paper_exchange.engine.refusals import Refused

CLOSE_ALL = CloseAll(at_ms=NOW, account_id=1)


def _reverse(desk: Desk, **changes: Any) -> list[PositionReversed]:
    fields = {"symbol": BTC, "position_id": desk.held().id} | changes
    events = desk.do(ReversePosition(at_ms=NOW, account_id=1, **fields))
    return [event for event in events if isinstance(event, PositionReversed)]


def _depth(desk: Desk, **sides: list[list[Decimal]]) -> None:
    desk.do(SetDepth(at_ms=NOW, symbol=BTC, **sides))


def test_all_sides_and_symbols_are_closed_and_other_orders_rest():
    desk = Desk()
    desk.price("2500", symbol="ETH_USDT")
    desk.place(1, 10)
    desk.place(3, 10)
    desk.place(1, 10, symbol="ETH_USDT")
    closing = desk.limit(4, 10, "60000")
    opening = desk.limit(1, 10, "40000")
    events = desk.do(CLOSE_ALL)
    assert not desk.account.positions
    assert seen(closing, "state error") == [4, 0]
    assert opening.state == 2
    assert not any(isinstance(event, CloseAllFailed) for event in events)


def test_a_position_larger_than_an_order_is_closed_in_parts():
    desk = Desk(balance="1000000")
    desk.place(1, 400_000)
    desk.place(1, 400_000)
    desk.place(1, 1)
    desk.do(CLOSE_ALL)
    assert not desk.account.positions
    closed = [order.vol for order in desk.account.finished_orders.values() if order.side == 4]
    assert closed == [400_000, 400_000, 1]


@pytest.mark.parametrize(("bids", "left"), [([], 10), ([["50000", "4"]], 6)])
def test_what_cannot_be_closed_is_announced_once(bids, left):
    desk = Desk()
    desk.place(1, 10)
    _depth(desk, bids=[[Decimal(price), Decimal(vol)] for price, vol in bids])
    events = desk.do(CLOSE_ALL)
    assert desk.held().hold_vol == left
    assert sum(isinstance(event, CloseAllFailed) for event in events) == 1


def test_a_position_is_turned_round_with_its_leverage_and_margin_mode():
    desk = Desk()
    held = desk.place(1, 10, leverage=7, open_type=1).position_id
    assert _reverse(desk) == [PositionReversed(desk.account, 10, held, 0)]
    assert seen(desk.held(SHORT), "hold_vol leverage open_type") == [10, 7, 1]
    assert desk.account.position(BTC, LONG) is None


def test_another_side_that_is_held_keeps_its_leverage():
    desk = Desk()
    desk.place(3, 5, leverage=20)
    desk.place(1, 10)
    assert _reverse(desk, vol=Decimal(4))[0].error == 0
    assert [desk.held(LONG).hold_vol, desk.held(SHORT).hold_vol] == [6, 9]
    assert desk.held(SHORT).leverage == 20


def test_no_more_is_opened_than_was_closed():
    desk = Desk()
    desk.place(1, 25)
    # An order goes through 20 prices at most.
    _depth(desk, bids=[[Decimal(50000 - place), Decimal(1)] for place in range(60)])
    _reverse(desk)
    assert [desk.held(LONG).hold_vol, desk.held(SHORT).hold_vol] == [5, 20]
    assert [order.vol for order in desk.account.finished_orders.values()][-1] == 20


def test_why_the_other_side_could_not_be_opened_is_announced():
    desk = Desk(balance="5.04")
    desk.place(1, 10)
    desk.price("49000")
    # 3.9608 is left, and 4.9 would be needed.
    assert [event.error for event in _reverse(desk)] == [2005]
    assert not desk.account.positions


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"position_id": 1}, 2009),
        ({"symbol": "ETH_USDT"}, 2009),
        ({"vol": Decimal(11)}, 2008),
        ({"vol": Decimal(0)}, 2011),
    ],
)
def test_a_refused_reversal_changes_nothing(changes, code):
    desk = Desk()
    desk.place(1, 10)
    with pytest.raises(Refused, match=str(code)):
        _reverse(desk, **changes)
    assert desk.held().hold_vol == 10


def test_one_way_positions_are_turned_whole():
    desk = Desk(mode=2)
    desk.place(1, 10)
    with pytest.raises(Refused, match="600"):
        _reverse(desk, vol=Decimal(4))
    assert _reverse(desk)[0].error == 0
    assert desk.held(SHORT).hold_vol == 10
