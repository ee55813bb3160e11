"""Changing and chasing resting orders: what they free, what they tie up, and what a refusal leaves
as it was. BTC_USDT is at 50000; 10 contracts at 49000 freeze 4.9392 USDT at 10x.
"""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.paper_desk import BTC, LONG, NOW, Desk, seen
from tools.paper_exchange.engine.commands import (
    CancelOrder,
    ChangeOrder,
    ChaseOrder,
    SetContract,
    SetDepth,
    SetRestrictions,
)
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.restrictions import ContractChanges, Refusing, Restrictions
from tools.paper_exchange.engine.state import Order, State


def change(desk: Desk, order: Order, price: str, vol: Any = 10) -> Order:
    command = ChangeOrder(
        at_ms=NOW + 5, account_id=1, order_id=order.id, price=Decimal(price), vol=Decimal(vol)
    )
    desk.do(command)
    return list((desk.account.open_orders or desk.account.finished_orders).values())[-1]


def refused(desk: Desk, order: Order, price: str, vol: Any = 10) -> int:
    before = msgspec.json.encode(desk.state)
    with pytest.raises(Refused) as caught:
        change(desk, order, price, vol)
    assert msgspec.json.encode(desk.state) == before, "a refused change left traces"
    return caught.value.code


def depth(desk: Desk, *, bids: list[list[int]], asks: list[list[int]]) -> None:
    sides = [[[Decimal(n) for n in level] for level in side] for side in (bids, asks)]
    desk.do(SetDepth(at_ms=NOW, symbol=BTC, bids=sides[0], asks=sides[1]))


def test_a_change_frees_what_was_frozen_and_freezes_anew():
    desk = Desk()
    old = desk.limit(1, 10, "49000", external_oid="one")
    new = change(desk, old, "48000", 20)
    assert new.id > old.id
    assert seen(old, "state error") == [4, 0]
    assert seen(new, "state price vol external_oid created_ms") == [2, 48000, 20, "one", NOW + 5]
    # 96 USDT: margin 9.6 and the fee of 0.0768.
    assert desk.account.wallet("USDT").frozen == new.frozen == Decimal("9.6768")
    assert desk.account.order_by_client_id(BTC, "one") is new
    assert list(desk.state.resting[BTC]) == [new.id]


def test_a_change_may_use_what_the_old_order_had_frozen():
    desk = Desk(balance="4.9392")
    order = desk.limit(1, 10, "49000")
    assert desk.free == 0
    assert refused(desk, order, "49000.1") == 2005
    assert change(desk, order, "48000").state == 2


def test_a_change_of_a_closing_order_may_use_the_volume_that_it_had_promised():
    desk = Desk()
    desk.place(1, 10)
    order = desk.limit(4, 10, "51000")
    assert refused(desk, order, "52000", 11) == 2008
    other = change(desk, order, "52000", 4)
    assert desk.held().frozen_vol == 4
    desk.limit(4, 3, "53000")
    assert refused(desk, other, "52000", 8) == 7005
    assert change(desk, other, "52000", 7).vol == 7
    assert desk.held().frozen_vol == 10


def test_a_change_that_the_market_meets_is_filled_at_once():
    desk = Desk()
    old = desk.limit(1, 10, "49000")
    new = change(desk, old, "50000")
    assert seen(new, "state deal_vol frozen") == [3, 10, 0]
    assert seen(old, "deals deal_vol state") == [(), 0, 4]
    assert seen(new.deals[0], "taker price") == [True, 50000]
    assert desk.account.wallet("USDT").frozen == 0
    assert desk.held(LONG).hold_vol == 10


@pytest.mark.parametrize(
    ("price", "vol", "code"),
    [
        ("0", 10, 2007),
        ("49000.05", 10, 2015),
        ("55000.1", 10, 2003),
        ("49000", 0, 2011),
        ("49000", "1.5", 2015),
        ("49000", 2_500_001, 2028),
    ],
)
def test_a_change_is_checked_like_a_new_order(price, vol, code):
    desk = Desk()
    assert refused(desk, desk.limit(1, 10, "49000"), price, vol) == code


def test_a_change_is_subject_to_what_the_contract_and_the_account_allow():
    desk = Desk()
    order = desk.limit(1, 10, "49000")
    desk.do(SetContract(at_ms=NOW, symbol=BTC, changes=ContractChanges(state=4)))
    assert refused(desk, order, "48000") == 8922
    desk.do(SetContract(at_ms=NOW, symbol=BTC, changes=ContractChanges()))
    for which in Refusing:
        refusing = Restrictions(refuse={which: 6001})
        desk.do(SetRestrictions(at_ms=NOW, account_id=1, restrictions=refusing))
        assert refused(desk, order, "48000") == 6001
    # Whoever may not trade may still cancel.
    desk.do(CancelOrder(at_ms=NOW, account_id=1, order_id=order.id))
    assert order.state == 4


def test_a_partly_filled_order_stays_as_it_is():
    desk = Desk()
    depth(desk, bids=[], asks=[[50000, 4]])
    order = desk.limit(1, 10, "50000")
    assert seen(order, "deal_vol state") == [4, 2]
    assert refused(desk, order, "49000") == 2052


@pytest.mark.parametrize(("side", "price", "best"), [(1, "49000", 49500), (3, "51000", 50500)])
def test_a_chase_goes_to_the_best_of_its_own_side(side, price, best):
    desk = Desk()
    depth(desk, bids=[[49500, 5]], asks=[[50500, 5]])
    order = desk.limit(side, 10, price)
    desk.do(ChaseOrder(at_ms=NOW, account_id=1, order_id=order.id))
    (new,) = desk.account.open_orders.values()
    assert seen(new, "price vol state") == [best, 10, 2]
    # It is the best by now: there is nothing to chase.
    desk.do(ChaseOrder(at_ms=NOW, account_id=1, order_id=new.id))
    assert list(desk.account.open_orders.values()) == [new]


@pytest.mark.parametrize(("price", "code"), [("47500", None), ("47499.9", 2070)])
def test_a_chase_goes_five_percent_at_most(price, code):
    desk = Desk()
    depth(desk, bids=[[50000, 5]], asks=[[50500, 5]])
    command = ChaseOrder(at_ms=NOW, account_id=1, order_id=desk.limit(1, 10, price).id)
    if code is None:
        desk.do(command)
        assert [order.price for order in desk.account.open_orders.values()] == [50000]
        return
    with pytest.raises(Refused, match=str(code)):
        desk.do(command)


@pytest.mark.parametrize(
    ("side", "kind", "price", "state"),
    [
        (1, 1, "50000.1", 3),
        (1, 2, "50000.5", 3),
        (1, 3, "49999.9", 2),
        (1, 4, "49999.5", 2),
        (3, 1, "49999.9", 3),
        (3, 3, "50000.1", 2),
    ],
)
def test_without_a_depth_prices_come_from_the_ladder_that_is_shown(side, kind, price, state):
    order = Desk().limit(side, 10, "49000", bbo_type=kind)
    assert seen(order, "price state") == [Decimal(price), state]


def test_without_a_depth_a_chased_order_still_rests():
    desk = Desk()
    order = desk.limit(1, 10, "49500")
    desk.do(ChaseOrder(at_ms=NOW, account_id=1, order_id=order.id))
    (new,) = desk.account.open_orders.values()
    assert new.price == Decimal("49999.9")


def test_a_chase_where_nobody_else_stands_changes_nothing():
    desk = Desk()
    depth(desk, bids=[], asks=[[50500, 5]])
    order = desk.limit(1, 10, "46000")
    desk.do(ChaseOrder(at_ms=NOW, account_id=1, order_id=order.id))
    assert list(desk.account.open_orders.values()) == [order]


def test_changes_of_contracts_and_accounts_survive_being_stored():
    desk = Desk()
    changes = ContractChanges(state=4, max_num_orders=(1, 2), min_order_value=Decimal("5.5"))
    desk.do(SetContract(at_ms=NOW, symbol=BTC, changes=changes))
    caps = Restrictions(refuse={Refusing.OPEN: 6002}, margin_cap=Decimal("1000.5"))
    desk.do(SetRestrictions(at_ms=NOW, account_id=1, restrictions=caps))
    again = msgspec.json.decode(msgspec.json.encode(desk.state), type=State)
    assert again.contract_changes == {BTC: changes}
    assert again.accounts[1].restrictions == caps
    desk.do(SetContract(at_ms=NOW, symbol=BTC, changes=ContractChanges()))
    assert desk.state.contract_changes == {}


def test_a_change_keeps_the_stop_loss_on_its_side():
    desk = Desk()
    attached = {"stopLossPrice": Decimal(48500), "lossTrend": 1, "profitTrend": 1}
    old = desk.limit(1, 10, "49000", attached=attached)
    assert refused(desk, old, "48000") == 5003
    assert change(desk, old, "48600").attached == attached
