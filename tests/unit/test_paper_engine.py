"""The paper exchange's engine against tables worked out by hand.

BTC_USDT: 0.0001 BTC a contract, price 50000, so 10 contracts are worth 50 USDT; taker 0.0008.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.paper_desk import BTC, CONTRACTS, LONG, NOW, SHORT, Desk, seen
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.commands import (
    CancelOrder,
    DuplicateRule,
    Reset,
    SetLeverage,
    SetPositionMode,
    Twist,
)
from tools.paper_exchange.engine.refusals import Refused


def test_market_open_add_and_close_in_hedge_mode():
    desk = Desk()
    order = desk.place(1, 10)
    assert seen(order, "state deal_vol deal_value") == [3, 10, 500000]
    # 10 x 0.0001 x 50000 = 50 USDT; fee 0.04; margin 5.
    assert desk.cash == Decimal("9999.96")
    assert desk.free == Decimal("9994.96")
    desk.price("51000")
    desk.place(1, 30)
    # (10 x 50000 + 30 x 51000) / 40 = 50750; fee 30 x 5.1 x 0.0008 = 0.1224.
    assert desk.held().cost / desk.held().hold_vol == Decimal(50750)
    assert desk.cash == Decimal("9999.8376")
    desk.price("52000")
    close = desk.place(4, 20)
    # 20 x 0.0001 x (52000 - 50750) = 2.5; fee 104 x 0.0008 = 0.0832.
    assert close.profit == Decimal("2.5")
    assert desk.cash == Decimal("10002.2544")
    assert seen(desk.held(), "hold_vol close_vol") == [20, 20]
    desk.place(4, 20)
    assert desk.account.position(BTC, LONG) is None
    assert desk.account.closed_positions[0].profit == Decimal(5)
    assert desk.free == desk.cash == Decimal("10004.6712")


def test_a_short_gains_when_the_price_falls():
    desk = Desk()
    desk.place(3, 10)
    desk.price("40000")
    assert desk.place(2, 10).profit == Decimal(10)


def test_hedge_mode_holds_both_sides():
    desk = Desk()
    desk.place(1, 10)
    desk.place(3, 4)
    assert desk.held(LONG).hold_vol == 10
    assert desk.held(SHORT).hold_vol == 4


def test_closing_in_parts_that_do_not_divide_loses_nothing():
    desk = Desk()
    desk.place(1, 1)
    desk.price("50000.1")
    desk.place(1, 2)
    desk.price("50000")
    profits = [desk.place(4, 1).profit for _ in range(3)]
    # Bought for 50000 + 2 x 50000.1, sold for 3 x 50000: 0.2 x 0.0001 lost, to the last digit.
    assert sum(profits) == Decimal("-0.00002")


ONE_WAY = [
    # held before, side, vol, reduceOnly -> held long, held short
    ("long", 3, 4, False, 6, 0),
    ("long", 3, 10, False, 0, 0),
    ("long", 3, 15, False, 0, 5),
    ("long", 1, 5, False, 15, 0),
    ("short", 1, 4, False, 0, 6),
    ("short", 1, 15, False, 5, 0),
    ("long", 4, 4, False, 6, 0),
    ("long", 4, 10, True, 0, 0),
    ("long", 3, 10, True, 0, 0),
    ("short", 2, 4, True, 0, 6),
    ("short", 1, 10, True, 0, 0),
]


@pytest.mark.parametrize(("before", "side", "vol", "reduce", "long", "short"), ONE_WAY)
def test_one_way_mode(before, side, vol, reduce, long, short):
    desk = Desk(mode=2)
    desk.place(1 if before == "long" else 3, 10)
    desk.place(side, vol, reduce_only=reduce)
    held = {position.type: position.hold_vol for position in desk.account.positions.values()}
    assert [held.get(kind, 0) for kind in (LONG, SHORT)] == [long, short]


def test_a_flip_may_use_the_margin_that_it_sets_free():
    desk = Desk(mode=2, balance="6")
    desk.place(1, 10)
    assert desk.place(3, 20).state == 3
    assert desk.held(SHORT).hold_vol == 10


@pytest.mark.parametrize("mode", [1, 2])
def test_closing_more_than_is_free_or_nothing_at_all(mode):
    desk = Desk(mode=mode)
    assert desk.refused(4, 1) == 2009
    desk.place(1, 10)
    assert desk.refused(2, 1) == 2009
    assert desk.refused(4, 11) == 2008
    desk.limit(4, 6, "51000")
    # Held, but promised to the order that rests.
    assert desk.refused(4, 5) == 7005
    assert desk.held().frozen_vol == 6
    assert desk.place(4, 4).state == 3


REFUSALS = [
    ({"side": 5}, 2001),
    ({"type": 7}, 2029),
    ({"open_type": 3}, 600),
    ({"position_mode": 3}, 600),
    ({"symbol": "NOPE_USDT"}, 1001),
    ({"symbol": "EMBER_USDT"}, 1002),
    ({"position_mode": 2}, 7002),
    ({"leverage": 0}, 2006),
    ({"leverage": 501}, 2006),
    ({"leverage": None, "open_type": 1}, 600),
    ({"vol": "0"}, 2011),
    ({"vol": "-1"}, 2011),
    ({"vol": "0.5"}, 2057),
    ({"vol": "1.5"}, 2015),
    ({"vol": "400001"}, 2028),
    ({"type": 1, "price": Decimal(0)}, 2007),
    ({"type": 1, "price": Decimal("50000.05")}, 2015),
    ({"type": 1, "price": Decimal("55000.1")}, 2003),
    ({"type": 1, "price": Decimal("44999.9"), "side": 3}, 2004),
    ({"external_oid": "x" * 33}, 2030),
    ({"vol": "400000", "leverage": 1}, 2005),
]


@pytest.mark.parametrize(("changes", "code"), REFUSALS, ids=str)
def test_refusals(changes, code):
    assert Desk().refused(**changes) == code


def test_the_edge_of_what_is_accepted():
    desk = Desk(balance="5.04")
    assert desk.limit(1, 10, "50000", external_oid="x" * 32).state == 3
    assert desk.cash == 5
    assert desk.free == 0
    assert Desk().limit(1, 1, "55000").deals[0].price == 50000
    assert Desk(balance="5.0399").refused(1, 10) == 2005


def test_the_position_decides_leverage_and_margin_mode():
    desk = Desk()
    desk.place(1, 10)
    assert desk.refused(leverage=20) == 2021
    assert desk.refused(open_type=1) == 2027
    assert desk.refused(3, open_type=1) == 5006
    assert desk.place(3, 10, leverage=20).state == 3
    desk.limit(1, 1, "49000", symbol=BTC)
    desk.place(4, 10, leverage=99)
    assert desk.refused(leverage=20) == 7004


def test_first_failing_check_names_the_code():
    """Volume is looked at before price, price before client id, client id before balance."""
    desk = Desk()
    wrong: dict[str, Any] = {
        "type": 1,
        "price": Decimal(0),
        "external_oid": "x" * 33,
        "leverage": 1,
    }
    assert desk.refused(vol=0, **wrong) == 2011
    assert desk.refused(vol=400_000, **wrong) == 2007
    wrong["price"] = Decimal(50000)
    assert desk.refused(vol=400_000, **wrong) == 2030
    wrong["external_oid"] = "fine"
    assert desk.refused(vol=400_000, **wrong) == 2005


def test_a_resting_limit_freezes_margin_and_fills_as_maker_at_its_price():
    desk = Desk()
    order = desk.limit(1, 10, "49000")
    assert order.state == 2
    # 49 USDT: margin 4.9 and the taker's fee of 0.0392.
    assert desk.account.wallet("USDT").frozen == order.frozen == Decimal("4.9392")
    desk.price("49000.1")
    assert order.state == 2
    desk.price("48000")
    assert order.state == 3
    assert seen(order.deals[0], "price taker") == [49000, False]
    assert desk.account.wallet("USDT").frozen == 0
    assert desk.cash == Decimal(10000) - Decimal(49) * Decimal("0.0006")


def test_a_resting_close_fills_when_the_price_rises():
    desk = Desk()
    desk.place(1, 10)
    order = desk.limit(4, 10, "51000")
    desk.price("51000")
    assert seen(order, "state profit") == [3, 1]
    assert desk.account.position(BTC, LONG) is None


def test_cancel_gives_back_what_was_frozen():
    desk = Desk()
    order = desk.limit(1, 10, "49000")
    command = CancelOrder(at_ms=NOW, account_id=1, order_id=order.id)
    apply(desk.state, CONTRACTS, command)
    assert order.state == 4
    assert desk.account.wallet("USDT").frozen == 0
    desk.price("40000")
    assert order.deal_vol == 0
    with pytest.raises(Refused, match="2041"):
        apply(desk.state, CONTRACTS, command)
    with pytest.raises(Refused, match="2040"):
        apply(desk.state, CONTRACTS, CancelOrder(at_ms=NOW, account_id=1, order_id=5))


ORDER_TYPES = [
    # type, price -> state, order errorCode, filled
    (2, "50000", 4, 20, 0),
    (2, "49000", 2, 0, 0),
    (3, "50000", 3, 0, 10),
    (3, "49000", 4, 18, 0),
    (4, "50000", 3, 0, 10),
    (4, "49000", 4, 19, 0),
    (6, "0", 3, 0, 10),
]


@pytest.mark.parametrize(("kind", "price", "state", "error", "filled"), ORDER_TYPES)
def test_order_types(kind, price, state, error, filled):
    order = Desk().limit(1, 10, price, type=kind)
    assert seen(order, "state error deal_vol") == [state, error, filled]


def test_a_net_order_ends_the_closing_orders_that_it_leaves_without_contracts():
    desk = Desk(mode=2)
    desk.place(1, 10)
    first, second = desk.limit(4, 5, "51000"), desk.limit(4, 5, "52000")
    desk.place(3, 7)
    assert [seen(order, "state error") for order in (first, second)] == [[4, 4], [4, 4]]
    assert seen(desk.held(), "hold_vol frozen_vol") == [3, 0]


@pytest.mark.parametrize(
    ("rule", "state", "error"), [(DuplicateRule.ASYNC, 5, 23), (DuplicateRule.ACCEPT, 3, 0)]
)
def test_duplicate_client_ids(rule, state, error):
    desk = Desk()
    first = desk.place(1, 10, external_oid="one")
    assert desk.refused(external_oid="one") == 2042
    second = desk.place(1, 10, external_oid="one", duplicates=rule)
    assert seen(second, "state error") == [state, error]
    assert desk.account.order_by_client_id(BTC, "one") is first


def test_a_refused_order_does_not_use_its_client_id_up():
    desk = Desk()
    assert desk.refused(vol=0, external_oid="one") == 2011
    assert desk.place(1, 1, external_oid="one").state == 3


@pytest.mark.parametrize(("vol", "filled", "state"), [(10, 5, 4), (5, 2, 4), (1, 1, 3)])
def test_partial_fill_fault(vol, filled, state):
    desk = Desk()
    order = desk.place(1, vol, twist=Twist.PARTIAL_FILL)
    assert seen(order, "deal_vol state") == [filled, state]
    assert desk.held().hold_vol == filled


def test_partial_fill_of_a_limit_order_leaves_the_rest_open():
    desk = Desk()
    order = desk.limit(1, 10, "50000", twist=Twist.PARTIAL_FILL)
    assert seen(order, "deal_vol state frozen") == [5, 2, Decimal("2.52")]
    desk.price("49999")
    assert seen(order, "deal_vol state") == [10, 3]


def test_async_reject_fault_takes_the_client_id_and_nothing_else():
    desk = Desk()
    order = desk.place(1, 10, twist=Twist.ASYNC_REJECT, external_oid="one")
    assert seen(order, "state error") == [5, 2]
    assert desk.cash == 10000
    assert desk.refused(external_oid="one") == 2042


def test_changing_leverage_changes_the_margin_of_what_is_held():
    desk = Desk(balance="10")
    desk.place(1, 10)

    def change(leverage: int, **fields: Any) -> None:
        command = SetLeverage(
            at_ms=NOW, account_id=1, symbol=BTC, position_type=1, leverage=leverage, **fields
        )
        apply(desk.state, CONTRACTS, command)

    change(50)
    assert desk.free == Decimal("8.96")
    for wrong, code in (({"leverage": 2}, "2044"), ({"leverage": 600}, "2006")):
        with pytest.raises(Refused, match=code):
            change(**wrong)
    with pytest.raises(Refused, match="2027"):
        change(20, open_type=1)
    desk.limit(1, 1, "49000", leverage=50)
    with pytest.raises(Refused, match="2019"):
        change(20)


def test_position_mode_changes_only_when_flat():
    desk = Desk()
    desk.place(1, 10)
    command = SetPositionMode(at_ms=NOW, account_id=1, position_mode=2)
    with pytest.raises(Refused, match="7001"):
        apply(desk.state, CONTRACTS, command)
    desk.place(4, 10)
    apply(desk.state, CONTRACTS, command)
    assert desk.refused() == 7002


def test_money_of_another_currency_is_not_taken():
    desk = Desk()
    desk.price("50000", symbol="BTC_USDC")
    assert desk.refused(symbol="BTC_USDC") == 2005


def test_reset_empties_the_books_and_keeps_the_account():
    desk = Desk()
    desk.place(1, 10, external_oid="one")
    desk.limit(1, 10, "49000")
    last_id = desk.state.last_order_id
    apply(desk.state, CONTRACTS, Reset(at_ms=NOW))
    assert desk.cash == 10000
    assert not desk.account.positions
    desk.price("40000")
    assert desk.place(1, 10, external_oid="one").id > last_id


def test_order_ids_have_18_digits_and_do_not_fit_a_float():
    order = Desk().place(1, 10)
    assert len(str(order.id)) == 18
    assert order.id > 2**53
