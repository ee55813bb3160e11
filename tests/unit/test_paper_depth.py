"""Orders against a depth that was set: levels are gone through, used up, and what is not offered
rests or is canceled.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.paper_desk import BTC, CONTRACTS, LONG, NOW, SHORT, Desk, seen
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.commands import PlaceOrder, SetDepth, SetPrice
from tools.paper_exchange.engine.events import DealMade, OrderChanged, PriceChanged
from tools.paper_exchange.engine.words import OrderError, OrderState

BIDS = [("49999", 10), ("49998", 20), ("49990", 30)]
ASKS = [("50001", 10), ("50002", 20), ("50010", 30)]
CANCELED, FILLED, OPEN = OrderState.CANCELED, OrderState.FILLED, OrderState.OPEN
LIMIT, POST_ONLY, IOC, FOK, MARKET = 1, 2, 3, 4, 5


def levels(rows: list[tuple[str, int]]) -> list[list[Decimal]]:
    return [[Decimal(price), Decimal(vol)] for price, vol in rows]


def offer(desk: Desk, bids: Any = BIDS, asks: Any = ASKS) -> list[Any]:
    command = SetDepth(at_ms=NOW, symbol=BTC, bids=levels(bids), asks=levels(asks))
    return apply(desk.state, CONTRACTS, command).events


def left(desk: Desk) -> list[tuple[str, int]]:
    return [(str(price), int(vol)) for price, vol in desk.state.depths[BTC].asks]


@pytest.fixture(name="desk")
def desk_fixture() -> Desk:
    desk = Desk()
    offer(desk)
    return desk


@pytest.mark.parametrize(
    ("order", "deals", "end"),
    [
        ((1, MARKET, 10, None), [("50001", 10)], [FILLED, 0]),
        ((1, MARKET, 25, None), [("50001", 10), ("50002", 15)], [FILLED, 0]),
        ((1, MARKET, 60, None), [("50001", 10), ("50002", 20), ("50010", 30)], [FILLED, 0]),
        ((1, MARKET, 61, None), [("50001", 10), ("50002", 20), ("50010", 30)], [CANCELED, 21]),
        ((3, MARKET, 15, None), [("49999", 10), ("49998", 5)], [FILLED, 0]),
        ((1, LIMIT, 40, "50002"), [("50001", 10), ("50002", 20)], [OPEN, 0]),
        ((1, LIMIT, 40, "50000.9"), [], [OPEN, 0]),
        ((3, LIMIT, 40, "49998"), [("49999", 10), ("49998", 20)], [OPEN, 0]),
        ((1, IOC, 40, "50002"), [("50001", 10), ("50002", 20)], [CANCELED, 18]),
        ((1, IOC, 30, "50002"), [("50001", 10), ("50002", 20)], [FILLED, 0]),
        ((1, IOC, 40, "50000"), [], [CANCELED, 18]),
        ((1, FOK, 30, "50002"), [("50001", 10), ("50002", 20)], [FILLED, 0]),
        ((1, FOK, 31, "50002"), [], [CANCELED, 19]),
        ((3, FOK, 31, "49998"), [], [CANCELED, 19]),
        ((1, POST_ONLY, 5, "50001"), [], [CANCELED, 20]),
        ((1, POST_ONLY, 5, "50000.9"), [], [OPEN, 0]),
        ((3, POST_ONLY, 5, "49999"), [], [CANCELED, 20]),
        ((3, POST_ONLY, 5, "49999.1"), [], [OPEN, 0]),
    ],
)
def test_what_a_new_order_gets(desk, order, deals, end):
    side, kind, vol, price = order
    order = desk.place(side, vol, type=kind, price=Decimal(price or 0))
    assert [(str(deal.price), int(deal.vol)) for deal in order.deals] == deals
    assert all(deal.taker for deal in order.deals)
    assert seen(order, "state error") == end
    held = desk.account.position(BTC, LONG if side == 1 else SHORT)
    assert (held.hold_vol if held else 0) == order.deal_vol == sum(vol for _, vol in deals)


def test_the_price_paid_is_the_mean_of_the_levels(desk):
    desk.place(1, 30)
    assert desk.held().cost == 10 * Decimal(50001) + 20 * Decimal(50002)


def test_what_was_taken_is_gone(desk):
    desk.place(1, 25)
    assert left(desk) == [("50002", 5), ("50010", 30)]
    assert desk.place(1, 6).deal_value == 5 * Decimal(50002) + Decimal(50010)


def test_a_refused_order_takes_nothing():
    desk = Desk(balance="10")
    offer(desk)
    assert desk.refused(1, 60) == 2005
    assert left(desk) == ASKS


def test_margin_is_asked_for_what_is_offered_only():
    desk = Desk(balance="6")
    offer(desk, asks=[("50001", 1)])
    assert desk.place(1, 60).deal_vol == 1
    offer(desk, asks=[("50001", 1)])
    assert desk.refused(1, 60, type=LIMIT, price=Decimal(50001)) == 2005


@pytest.mark.parametrize(("side", "code"), [(1, 2039), (3, None)])
def test_a_market_order_needs_somebody_on_the_other_side(desk, side, code):
    offer(desk, asks=[])
    if code is None:
        assert desk.place(side, 1).state is FILLED
    else:
        assert desk.refused(side, 1) == code


def test_a_market_close_without_any_bid_is_refused_as_volatile(desk):
    desk.place(1, 5)
    offer(desk, bids=[])
    assert desk.refused(4, 5) == 2056


def test_a_market_order_goes_through_so_many_levels_and_no_more(desk):
    rows = [(str(50001 + n), 1) for n in range(30)]
    offer(desk, asks=rows)
    order = desk.place(1, 30)
    assert seen(order, "deal_vol state error") == [20, CANCELED, OrderError.MARKET_CANCEL]
    assert desk.limit(1, 10, "50040").deal_vol == 10


def test_a_resting_order_gets_what_a_new_depth_offers_and_goes_on_resting(desk):
    order = desk.limit(1, 50, "50000")
    frozen = order.frozen
    offer(desk, asks=[("49990", 20), ("50000.1", 100)])
    assert seen(order, "deal_vol state") == [20, OPEN]
    assert [(deal.price, deal.taker) for deal in order.deals] == [(Decimal(50000), False)]
    assert order.frozen == frozen * 30 / 50
    assert desk.account.wallet("USDT").frozen == order.frozen
    assert left(desk) == [("50000.1", 100)]
    offer(desk, asks=[("50000", 30)])
    assert order.state is FILLED
    assert desk.account.wallet("USDT").frozen == 0


def test_resting_orders_are_served_in_the_order_they_came(desk):
    first, second = desk.limit(1, 10, "50000"), desk.limit(1, 10, "50000.5")
    offer(desk, asks=[("50000", 15)])
    assert [first.deal_vol, second.deal_vol] == [10, 5]
    offer(desk, asks=[("50000", 2)])
    assert second.deal_vol == 7


def test_a_price_that_went_through_an_order_fills_it_whole(desk):
    order = desk.limit(1, 500, "49000")
    desk.price("49000")
    assert seen(order, "deal_vol state") == [500, FILLED]


def test_a_price_takes_away_the_levels_it_went_through(desk):
    desk.price("50002")
    assert left(desk) == [("50002", 20), ("50010", 30)]
    assert len(desk.state.depths[BTC].bids) == 3
    desk.price("49998")
    assert [int(price) for price, _ in desk.state.depths[BTC].bids] == [49998, 49990]


def test_no_depth_is_unlimited_again(desk):
    apply(desk.state, CONTRACTS, SetDepth(at_ms=NOW, symbol=BTC))
    order = desk.place(1, 100)
    assert [(deal.price, deal.vol) for deal in order.deals] == [(50000, 100)]


def test_closing_keeps_frozen_what_still_rests(desk):
    desk.place(1, 30)
    order = desk.limit(4, 30, "50005")
    offer(desk, bids=[("50005", 12)])
    assert seen(desk.held(), "hold_vol frozen_vol") == [18, 18]
    assert order.remaining == 18


def test_each_change_is_announced_once_and_each_deal_for_itself(desk):
    order = desk.limit(1, 25, "50000")
    events = offer(desk, asks=[("50000", 25)])
    assert [e.order for e in events if isinstance(e, OrderChanged)] == [order]
    assert [e.deal.vol for e in events if isinstance(e, DealMade)] == [25]
    assert isinstance(events[0], PriceChanged)


def test_a_price_alone_is_announced(desk):
    command = SetPrice(at_ms=NOW, symbol=BTC, last=Decimal(50001))
    assert apply(desk.state, CONTRACTS, command).events == [PriceChanged(BTC)]


def test_taking_from_the_depth_changes_what_the_market_shows(desk):
    command = PlaceOrder(
        at_ms=NOW,
        account_id=1,
        symbol=BTC,
        side=1,
        type=MARKET,
        vol=Decimal(1),
        open_type=2,
        leverage=10,
    )
    assert PriceChanged(BTC) in apply(desk.state, CONTRACTS, command).events


@pytest.mark.parametrize(("dearest", "passes"), [("50000", True), ("55000", False)])
def test_margin_is_reckoned_at_the_dearest_price(dearest, passes):
    # Two contracts at 10x: margin 1.00 and fees 0.008 at 50000; 1.10 and 0.0088 at 55000.
    desk = Desk(balance="1.05")
    offer(desk, asks=[("50000", 1), (dearest, 1)])
    if passes:
        assert desk.place(1, 2).deal_vol == 2
    else:
        assert desk.refused(1, 2) == 2005
