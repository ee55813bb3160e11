"""Liquidation by hand. 10 contracts of BTC_USDT at 50000 are worth 50 USDT; what must stand behind
a position is 0.14 % of its worth: a maintenance margin of 0.1 % and a liquidation fee of 0.04 %.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.paper_desk import BTC, CONTRACTS, LONG, NOW, SHORT, Desk, seen
from tools.paper_exchange.engine.commands import ChangeMargin, SetAutoAdd, SetPrice
from tools.paper_exchange.engine.events import LiquidationRisk
from tools.paper_exchange.engine.margin import held_margin, liquidation_price
from tools.paper_exchange.engine.state import Order

ISOLATED: dict[str, Any] = {"open_type": 1}
ETH = "ETH_USDT"


def _fair(desk: Desk, fair: str) -> list[Any]:
    """Only the fair price moves."""
    return desk.do(SetPrice(at_ms=NOW, symbol=BTC, last=Decimal(50000), fair=Decimal(fair)))


def _takeover(desk: Desk) -> Order:
    taken = [order for order in desk.account.finished_orders.values() if order.category == 2]
    assert len(taken) == 1
    return taken[0]


@pytest.mark.parametrize(("side", "price"), [(1, "55020.5"), (3, "164534.5")])
def test_the_liquidation_price_of_the_venues_sample(side, price):
    desk = Desk()
    desk.price("109777.5")
    desk.place(side, 5, leverage=2, open_type=1)
    contract = replace(CONTRACTS[BTC], liquidation_fee_rate=Decimal("0.0002"))
    assert liquidation_price(desk.held(LONG if side == 1 else SHORT), contract) == Decimal(price)


def test_added_margin_moves_the_liquidation_price():
    desk = Desk()
    desk.place(1, 10, **ISOLATED)
    assert liquidation_price(desk.held(), CONTRACTS[BTC]) == 45070
    # 2 USDT on 10 x 0.0001 BTC are 2000 of price.
    desk.held().extra_margin = Decimal(2)
    assert liquidation_price(desk.held(), CONTRACTS[BTC]) == 43070
    desk.held().extra_margin = Decimal(50)
    assert liquidation_price(desk.held(), CONTRACTS[BTC]) == 0


@pytest.mark.parametrize(
    ("side", "holds", "takes", "bankruptcy"),
    [(1, "45070.1", "45070", 45000), (3, "54929.9", "54930", 55000)],
)
def test_an_isolated_position_loses_its_margin_and_no_more(side, holds, takes, bankruptcy):
    desk = Desk()
    desk.place(side, 10, **ISOLATED)
    kind = LONG if side == 1 else SHORT
    _fair(desk, holds)
    assert desk.held(kind).hold_vol == 10
    events = _fair(desk, takes)
    assert desk.account.position(BTC, kind) is None
    assert desk.cash == Decimal(10000) - Decimal("0.04") - 5
    order = _takeover(desk)
    assert seen(order, "state error side vol price profit") == [
        3, 0, 4 if side == 1 else 2, 10, bankruptcy, -5,
    ]  # fmt: skip
    assert order.external_oid == f"_m_{order.id:032x}"
    assert seen(order.deals[0], "vol price fee profit") == [10, bankruptcy, 0, -5]
    names = [type(event).__name__ for event in events]
    assert names.count("DealMade") == 1
    assert {"OrderChanged", "PositionChanged", "WalletChanged"} < set(names)


def test_the_margin_is_all_that_a_gap_takes():
    desk = Desk(balance="5.04")
    desk.place(1, 10, **ISOLATED)
    desk.do(ChangeMargin(at_ms=NOW, account_id=1, position_id=desk.held().id, amount=Decimal(0)))
    _fair(desk, "30000")
    assert desk.cash == 0
    assert desk.account.wallet("USDT").insured == 0


def test_margin_that_was_added_is_lost_too():
    desk = Desk()
    desk.place(1, 10, **ISOLATED)
    desk.do(ChangeMargin(at_ms=NOW, account_id=1, position_id=desk.held().id, amount=Decimal(2)))
    _fair(desk, "43070.1")
    _fair(desk, "43070")
    assert _takeover(desk).profit == -7
    assert _takeover(desk).price == 43000
    assert desk.account.closed_positions[0].extra_margin == 0


def test_the_loss_is_the_margin_to_the_last_digit():
    desk = Desk()
    desk.place(1, 3, leverage=7, open_type=1)
    margin = held_margin(desk.held(), CONTRACTS[BTC])
    _fair(desk, "30000")
    assert desk.account.wallet("USDT").profit == -margin


def test_a_long_position_cannot_lose_more_than_it_is_worth():
    desk = Desk()
    desk.place(1, 10, leverage=1, open_type=1)
    desk.do(
        ChangeMargin(at_ms=NOW, account_id=1, position_id=desk.held().id, amount=Decimal("0.02"))
    )
    _fair(desk, "50")
    assert seen(_takeover(desk), "price profit") == [0, -50]


def test_the_last_price_alone_liquidates_nothing():
    desk = Desk()
    desk.place(1, 10, **ISOLATED)
    desk.do(SetPrice(at_ms=NOW, symbol=BTC, last=Decimal(40000), fair=Decimal(50000)))
    assert desk.held().hold_vol == 10


def test_resting_orders_that_would_close_it_die_with_it():
    desk = Desk()
    desk.place(1, 10, **ISOLATED)
    close = desk.limit(4, 4, "55000")
    open_more = desk.limit(1, 5, "40000", **ISOLATED)
    _fair(desk, "45000")
    assert seen(close, "state error") == [4, 13]
    assert open_more.state == 2


def test_margin_is_filled_up_before_a_takeover():
    desk = Desk()
    desk.place(1, 10, **ISOLATED)
    desk.do(SetAutoAdd(at_ms=NOW, account_id=1, position_id=desk.held().id, enabled=True))
    _fair(desk, "45070")
    # 4.93 are lost, so 4.93 are added.
    assert desk.held().extra_margin == Decimal("4.93")
    assert desk.free == Decimal("9999.96") - 5 - Decimal("4.93")
    assert liquidation_price(desk.held(), CONTRACTS[BTC]) == 40140


def test_margin_is_not_thrown_after_what_it_cannot_save():
    desk = Desk(balance="6.04")
    desk.place(1, 10, **ISOLATED)
    desk.do(SetAutoAdd(at_ms=NOW, account_id=1, position_id=desk.held().id, enabled=True))
    _fair(desk, "44070")
    assert _takeover(desk).profit == -5
    assert desk.cash == 1


def test_a_little_that_is_free_saves_it_where_that_is_enough():
    desk = Desk(balance="6.04")
    desk.place(1, 10, **ISOLATED)
    desk.do(SetAutoAdd(at_ms=NOW, account_id=1, position_id=desk.held().id, enabled=True))
    _fair(desk, "44070.1")
    assert (desk.held().extra_margin, desk.free) == (1, 0)


def test_a_cross_account_ends_where_its_worth_meets_what_must_stand_behind():
    desk = Desk(balance="110")
    desk.place(1, 1_000, leverage=50)
    # 106 - (50000 - p) / 10 meets p / 10 x 0.0014 at 49008.6121.
    _fair(desk, "49008.7")
    assert desk.held().hold_vol == 1_000
    _fair(desk, "49008.6")
    order = _takeover(desk)
    # 99.14 are lost, and 0.04 % of 4900.86 is the fee.
    assert seen(order, "price profit taker_fee") == [
        Decimal("49008.6"), Decimal("-99.14"), Decimal("1.960344"),
    ]  # fmt: skip
    assert desk.cash == Decimal(106) - Decimal("99.14") - Decimal("1.960344")


def test_the_insurance_fund_pays_what_is_lost_beyond_everything():
    desk = Desk(balance="110")
    desk.place(1, 1_000, leverage=50)
    _fair(desk, "48000")
    assert desk.cash == 0
    # 106 - 200 - 1.92.
    assert desk.account.wallet("USDT").insured == Decimal("95.92")


def test_orders_that_would_open_are_canceled_before_a_cross_liquidation():
    desk = Desk(balance="120")
    desk.place(1, 1_000, leverage=50)
    opening = desk.limit(1, 10, "40000", leverage=50)
    closing = desk.limit(4, 10, "60000")
    _fair(desk, "48000")
    assert seen(opening, "state error frozen") == [4, 6, 0]
    assert seen(closing, "state error") == [4, 13]
    assert desk.account.wallet("USDT").frozen == 0


@pytest.mark.parametrize(("fair", "left"), [("49000", 2), ("48950", 1), ("48000", 0)])
def test_the_largest_loss_goes_first_until_the_rest_is_sound(fair, left):
    desk = Desk(balance="116")
    desk.price("2500", symbol=ETH)
    desk.place(1, 10, leverage=50, symbol=ETH)
    desk.place(1, 1_000, leverage=50)
    _fair(desk, fair)
    assert len(desk.account.positions) == left
    if left == 1:
        # 111.8 - 105 - 1.958: sound for 250 USDT of ETH.
        assert desk.held(symbol=ETH).hold_vol == 10
        assert desk.cash == Decimal("4.842")


@pytest.mark.parametrize(("fair", "holds"), [("49011", True), ("49010", False)])
def test_isolated_margin_does_not_stand_behind_cross_positions(fair, holds):
    desk = Desk(balance="160")
    desk.price("2500", symbol=ETH)
    desk.place(1, 10, leverage=5, symbol=ETH, **ISOLATED)
    desk.place(1, 1_000, leverage=50)
    # 155.8 - 50 - 98.9 or 99, and 6.86 are needed.
    _fair(desk, fair)
    assert (desk.account.position(BTC, LONG) is not None) is holds


def test_isolated_positions_do_not_fall_with_the_cross_ones():
    desk = Desk(balance="200")
    desk.price("2500", symbol=ETH)
    desk.place(1, 10, leverage=5, symbol=ETH, **ISOLATED)
    desk.place(1, 1_000, leverage=50)
    _fair(desk, "30000")
    assert list(desk.account.positions) == [f"{ETH}:1"]
    # The 50 that stand behind it are made good.
    assert desk.cash == 50
    assert desk.free == 0
    wallet = desk.account.wallet("USDT")
    assert wallet.cash == 200 + wallet.profit - wallet.fees + wallet.insured


def test_the_owner_is_warned_once_each_time_it_becomes_risky():
    desk = Desk()
    desk.place(1, 10, **ISOLATED)

    def warned(fair: str) -> int:
        return sum(isinstance(event, LiquidationRisk) for event in _fair(desk, fair))

    # 0.07 must stand behind it; 0.0875 do at 45087.5, a ratio of 0.8.
    prices = ["45087.6", "45087.5", "45080", "45090", "45087.5", "50001", "45080"]
    assert [warned(fair) for fair in prices] == [0, 1, 0, 0, 1, 0, 1]


def test_the_owner_of_cross_positions_is_warned_of_each():
    desk = Desk(balance="110")
    desk.place(1, 1_000, leverage=50)
    events = _fair(desk, "49020")
    # 6.8628 by 106 - 98.
    assert [e.position.symbol for e in events if isinstance(e, LiquidationRisk)] == [BTC]
