"""Margin by hand: what positions tie up, what is left, and what an owner may do to it.

1,000 contracts of BTC_USDT at 50000 are worth 5000 USDT; 10x ties up 500, the taker's fee is 4.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.paper_desk import BTC, CONTRACTS, LONG, NOW, SHORT, Desk, seen
from tools.paper_exchange.engine.commands import (
    ChangeMargin,
    SetAutoAdd,
    SetLeverage,
    SetPrice,
)
from tools.paper_exchange.engine.margin import equity, initial_margin, margin_ratio
from tools.paper_exchange.engine.refusals import Refused

ISOLATED: dict[str, Any] = {"open_type": 1}


def _margin(desk: Desk, amount: str, position_id: int | None = None) -> None:
    held = desk.held().id if position_id is None else position_id
    desk.do(ChangeMargin(at_ms=NOW, account_id=1, position_id=held, amount=Decimal(amount)))


def _leverage(desk: Desk, leverage: int, **fields: Any) -> None:
    desk.do(
        SetLeverage(
            at_ms=NOW, account_id=1, symbol=BTC, position_type=1, leverage=leverage, **fields
        )
    )


def _fair(desk: Desk, fair: str, last: str = "50000") -> None:
    desk.do(SetPrice(at_ms=NOW, symbol=BTC, last=Decimal(last), fair=Decimal(fair)))


def test_initial_margin_as_in_the_venues_sample():
    desk = Desk()
    desk.price("109777.5")
    desk.place(1, 5, leverage=2, open_type=1)
    assert initial_margin(desk.held(), CONTRACTS[BTC]) == Decimal("27.444375")


@pytest.mark.parametrize(
    ("open_type", "fair", "free", "worth"),
    [
        (2, "49000", "9396", "9896"),
        # A profit is worth something, but cannot be tied up.
        (2, "51000", "9496", "10096"),
        # An isolated position loses its own margin and no other money.
        (1, "49000", "9496", "9896"),
    ],
)
def test_a_loss_of_cross_positions_is_not_available(open_type, fair, free, worth):
    desk = Desk()
    desk.place(1, 1_000, open_type=open_type)
    _fair(desk, fair)
    assert desk.free == Decimal(free)
    assert equity(desk, desk.account, currency="USDT") == Decimal(worth)


def test_cross_positions_that_cancel_out_lose_nothing():
    desk = Desk()
    desk.place(1, 1_000)
    desk.place(3, 1_000)
    _fair(desk, "40000")
    assert desk.free == 10_000 - 2 * 504


def test_a_cross_account_in_loss_opens_no_more_than_it_can_carry():
    desk = Desk(balance="1000")
    desk.place(1, 1_000)
    desk.price("46000")
    # 1000 - 4 - 500 - 400 = 96 are left; 300 contracts need 138, 200 need 92.736.
    assert desk.refused(1, 300) == 2005
    assert desk.place(1, 200).state == 3
    assert desk.free == Decimal(96) - Decimal("92.736")


@pytest.mark.parametrize(("balance", "opens"), [("11.03", False), ("11.04", True)])
def test_a_cross_order_must_carry_what_it_loses_by_the_fair_price(balance, opens):
    desk = Desk(balance=balance)
    # 10 contracts: 5 of margin, 0.04 of fee, and 6 lost at once.
    _fair(desk, "44000")
    if not opens:
        assert desk.refused(1, 10) == 2005
        return
    desk.place(1, 10)
    assert desk.free == 0


@pytest.mark.parametrize(("fair", "code"), [("49600", None), ("49550", 2049)])
def test_an_isolated_order_must_survive_the_fair_price(fair, code):
    desk = Desk()
    _fair(desk, fair)
    # 1 of 100 is margin, 0.14 must be left of it; the fair price takes 0.8 or 0.9.
    order: dict[str, Any] = {"leverage": 100, "open_type": 1}
    if code is None:
        assert desk.place(1, 10, **order).state == 3
    else:
        assert desk.refused(1, 10, **order) == code


@pytest.mark.parametrize(("price", "flips"), [("46000", True), ("44000", False)])
def test_a_flip_is_paid_from_what_the_closing_leaves(price, flips):
    desk = Desk(mode=2, balance="100")
    desk.place(1, 100)
    desk.price(price)
    # 99.6 before; the closing leaves 59.232 for 46.368, or 39.248 for 44.352.
    if not flips:
        assert desk.refused(3, 200) == 2005
        return
    desk.place(3, 200)
    assert desk.held(SHORT).hold_vol == 100
    assert desk.free == Decimal("59.232") - Decimal("46.368")


def test_what_rests_is_paid_before_the_other_side_is_closed():
    desk = Desk(mode=2, balance="50.4")
    desk.place(1, 100)
    assert desk.free == 0
    # 50 of these 150 would open, and no margin is free before the fill.
    with pytest.raises(Refused, match="2005"):
        desk.limit(3, 150, "51000")
    assert desk.limit(3, 100, "51000").frozen == 0


def test_a_resting_order_whose_money_was_lost_dies_when_it_is_reached():
    desk = Desk(balance="10.2")
    desk.place(1, 10, **ISOLATED)
    order = desk.limit(1, 10, "40000", **ISOLATED)
    _fair(desk, "50000", last="41000")
    # 9 are lost by this, and 1.1272 is left of what was frozen, 4.032.
    desk.place(4, 10)
    desk.price("40000")
    assert seen(order, "state error deal_vol") == [4, 2, 0]


def test_a_resting_order_that_would_open_too_much_by_now_dies_when_it_is_reached():
    desk = Desk(mode=2, balance="100000")
    desk.place(1, 30_000, leverage=500)
    # Each opens 20,000 beside what it closes; together 50,000 more than is held may be short.
    first = desk.limit(3, 50_000, "51000", leverage=500)
    second = desk.limit(3, 50_000, "51100", leverage=500)
    desk.price("51000")
    assert seen(first, "state deal_vol") == [3, 50_000]
    desk.price("51100")
    assert seen(second, "state error deal_vol") == [4, 7, 0]


def test_margin_is_added_and_taken_back():
    desk = Desk(balance="1000")
    desk.place(1, 1_000, **ISOLATED)
    _margin(desk, "100")
    assert (desk.free, desk.held().extra_margin) == (396, 100)
    for amount, code in (("396.01", 2005), ("-100.01", 2018)):
        with pytest.raises(Refused, match=str(code)):
            _margin(desk, amount)
    _margin(desk, "-40")
    assert (desk.free, desk.held().extra_margin) == (436, 60)
    # What a loss needs stays: 60 of it is there, 45 is lost.
    _fair(desk, "49550")
    with pytest.raises(Refused) as caught:
        _margin(desk, "-15.01")
    assert (caught.value.code, caught.value.values) == (2018, {"vol": 15})
    _margin(desk, "-15")
    assert desk.held().extra_margin == 45


def test_added_margin_goes_with_the_part_that_is_closed():
    desk = Desk()
    desk.place(1, 1_000, **ISOLATED)
    _margin(desk, "100")
    desk.place(4, 250)
    assert desk.held().extra_margin == 75
    # Not even a rest beyond the digits that are kept stays with what is closed.
    desk.held().extra_margin += Decimal("1e-20")
    desk.place(4, 750)
    assert desk.account.closed_positions[0].extra_margin == 0


def test_margin_of_cross_positions_and_of_none_cannot_be_changed():
    desk = Desk()
    desk.place(1, 10)
    with pytest.raises(Refused, match="600"):
        _margin(desk, "1")
    with pytest.raises(Refused, match="2009"):
        _margin(desk, "1", position_id=1)
    with pytest.raises(Refused, match="600"):
        desk.do(SetAutoAdd(at_ms=NOW, account_id=1, position_id=desk.held().id, enabled=True))


def test_a_higher_leverage_must_leave_enough_margin():
    desk = Desk()
    desk.place(1, 1_000, **ISOLATED)
    _fair(desk, "49100")
    # 90 are lost and 7 must be left: 100 at 50x are enough, 50 at 100x are not.
    with pytest.raises(Refused, match="2044"):
        _leverage(desk, 100)
    _leverage(desk, 50)
    assert initial_margin(desk.held(), CONTRACTS[BTC]) == 100


def test_a_lower_leverage_must_be_affordable():
    desk = Desk(balance="1000")
    desk.place(1, 1_000)
    _fair(desk, "48000")
    # 296 are free beside the loss of 200; 8x takes 125 more, 6x 333.
    with pytest.raises(Refused, match="2044"):
        _leverage(desk, 6)
    _leverage(desk, 8)
    assert desk.free == 171


def test_cross_leverage_of_a_contract_that_is_isolated_only():
    desk = Desk()
    desk.contracts = {BTC: replace(CONTRACTS[BTC], position_open_type=1)}
    with pytest.raises(Refused, match="2026"):
        _leverage(desk, 10, open_type=2)
    _leverage(desk, 10, open_type=1)


def test_margin_ratio_of_isolated_and_cross():
    desk = Desk(balance="1000")
    desk.place(1, 1_000, **ISOLATED)
    _fair(desk, "46000")
    # 5000 x 0.0014 must stand behind it, and 500 - 400 do.
    ratio = margin_ratio(desk, desk.account, position=desk.held(LONG))
    assert ratio == Decimal("0.07")
    desk = Desk(balance="1000")
    desk.place(1, 1_000)
    _fair(desk, "46000")
    # 4600 x 0.0014 = 6.44 by 996 - 400.
    ratio = margin_ratio(desk, desk.account, position=desk.held(LONG))
    assert ratio == Decimal("6.44") / 596


@pytest.mark.parametrize("last", ["45010", "45000", "40000"])
def test_a_margin_ratio_ends_at_one(last):
    desk = Desk()
    desk.place(1, 1_000, **ISOLATED)
    # Looked at before anything is taken over.
    desk.state.prices[BTC].fair = Decimal(last)
    assert margin_ratio(desk, desk.account, position=desk.held()) == 1
