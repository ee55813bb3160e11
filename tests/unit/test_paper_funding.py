"""Funding by hand: 10 contracts of BTC_USDT at 50000 are worth 50 USDT, so 0.0001 is 0.005."""

from decimal import Decimal

import pytest

from tests.paper_desk import BTC, LONG, NOW, SHORT, Desk, seen
from tools.paper_exchange.engine.commands import SetPrice, SettleFunding
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import FUNDING_RECORDS_KEPT


def _settle(desk: Desk, rate: str, *, symbol: str = BTC, at_ms: int = NOW) -> None:
    desk.do(SettleFunding(at_ms=at_ms, symbol=symbol, rate=Decimal(rate)))


@pytest.mark.parametrize(
    ("side", "rate", "amount"),
    [(1, "0.0001", "-0.005"), (3, "0.0001", "0.005"), (1, "-0.0002", "0.01")],
)
def test_longs_pay_shorts_where_the_rate_is_above_zero(side, rate, amount):
    desk = Desk()
    desk.place(side, 10)
    _settle(desk, rate, at_ms=NOW + 1)
    held = desk.held(LONG if side == 1 else SHORT)
    wallet = desk.account.wallet("USDT")
    assert wallet.funding == held.funding == Decimal(amount)
    assert desk.cash == Decimal("9999.96") + Decimal(amount)
    (record,) = desk.account.funding_records
    assert seen(record, "position_id symbol type value rate amount at_ms") == [
        held.id, BTC, held.type, 50, Decimal(rate), Decimal(amount), NOW + 1,
    ]  # fmt: skip


def test_the_fair_price_counts():
    desk = Desk()
    desk.place(1, 10)
    desk.do(SetPrice(at_ms=NOW, symbol=BTC, last=Decimal(50000), fair=Decimal(60000)))
    _settle(desk, "0.0001")
    assert desk.held().funding == Decimal("-0.006")


def test_a_hedge_pays_and_receives():
    desk = Desk()
    desk.place(1, 10)
    desk.place(3, 10)
    before = desk.cash
    _settle(desk, "0.001")
    assert desk.cash == before
    assert [record.amount for record in desk.account.funding_records] == [
        Decimal("-0.05"),
        Decimal("0.05"),
    ]


def test_who_holds_nothing_pays_nothing():
    desk = Desk()
    desk.price("2500", symbol="ETH_USDT")
    desk.place(1, 10)
    _settle(desk, "0.001", symbol="ETH_USDT")
    assert desk.account.funding_records == []
    with pytest.raises(Refused, match="1001"):
        _settle(desk, "0.001", symbol="NO_USDT")


def test_records_are_numbered_and_the_oldest_go():
    desk = Desk()
    desk.place(1, 10)
    for _ in range(FUNDING_RECORDS_KEPT + 2):
        _settle(desk, "0.000001")
    ids = [record.id for record in desk.account.funding_records]
    assert len(ids) == FUNDING_RECORDS_KEPT
    assert ids == list(range(ids[-1] - FUNDING_RECORDS_KEPT + 1, ids[-1] + 1))


def test_who_cannot_pay_loses_resting_orders_the_youngest_first():
    desk = Desk(balance="10.09")
    desk.place(1, 10)
    # 5 are tied up by the position, 4.04 and 0.404 by orders, and 0.606 are free.
    old = desk.limit(1, 10, "40000")
    young = desk.limit(1, 1, "40000")
    _settle(desk, "0.02")
    assert seen(young, "state error") == [4, 16]
    assert old.state == 2
    assert desk.free == Decimal("10.09") - Decimal("0.04") - 1 - 5 - Decimal("4.032")


def test_an_isolated_position_pays_with_its_margin_when_nothing_else_is_left():
    desk = Desk(balance="5.04")
    desk.place(1, 10, open_type=1)
    _settle(desk, "0.02")
    assert desk.held().extra_margin == -1
    assert (desk.cash, desk.free) == (4, 0)
    # 4 of margin: bankrupt at 46000.
    desk.do(SetPrice(at_ms=NOW, symbol=BTC, last=Decimal(50000), fair=Decimal(46070)))
    assert desk.account.positions == {}
    assert desk.cash == 0


def test_a_settlement_may_liquidate():
    desk = Desk(balance="110")
    desk.place(1, 1_000, leverage=50)
    desk.do(SetPrice(at_ms=NOW, symbol=BTC, last=Decimal(50000), fair=Decimal(49010)))
    assert desk.held().hold_vol == 1_000
    _settle(desk, "0.0001")
    assert desk.account.positions == {}


def test_what_isolated_margin_cannot_pay_the_insurance_fund_does():
    desk = Desk(balance="5.04")
    desk.place(1, 10, open_type=1)
    _settle(desk, "0.2")
    wallet = desk.account.wallet("USDT")
    assert desk.account.positions == {}
    assert (wallet.cash, wallet.insured, wallet.funding) == (0, 5, -10)


def test_a_position_without_margin_lives_as_long_as_it_is_ahead():
    desk = Desk(balance="5.04")
    desk.place(1, 10, open_type=1)
    desk.price("60000")
    _settle(desk, "0.2")
    wallet = desk.account.wallet("USDT")
    assert desk.held().hold_vol == 10
    # 12 were to be paid, and 5 were there.
    assert (wallet.cash, wallet.insured, desk.free) == (0, 7, 0)
