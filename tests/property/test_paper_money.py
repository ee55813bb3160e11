"""Whatever is traded, money is conserved and volumes make sense."""

from decimal import Decimal, localcontext
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paper_desk import BTC, CONTRACTS, NOW, Desk
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.commands import CancelOrder, ChangeOrder, ChaseOrder, Twist
from tools.paper_exchange.engine.margin import EXACT
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.words import PositionType

prices = st.integers(min_value=480_000, max_value=520_000).map(
    lambda ticks: str(Decimal(ticks) / 10)
)
orders = st.tuples(
    st.just("order"),
    st.integers(1, 4),
    st.integers(1, 60),
    st.integers(1, 6),
    prices,
    st.sampled_from([None, None, None, Twist.PARTIAL_FILL]),
    st.booleans(),
)
steps = st.lists(
    st.one_of(
        orders,
        st.tuples(st.just("price"), prices),
        st.tuples(st.just("cancel")),
        st.tuples(st.just("change"), prices, st.integers(1, 60)),
        st.tuples(st.just("chase")),
    ),
    max_size=40,
)


def _take(desk: Desk, step: tuple[Any, ...]) -> None:
    if step[0] == "price":
        desk.price(step[1])
    elif step[0] == "cancel":
        for order_id in list(desk.account.open_orders)[:1]:
            apply(desk.state, CONTRACTS, CancelOrder(at_ms=NOW, account_id=1, order_id=order_id))
    elif step[0] in {"change", "chase"}:
        for order_id in list(desk.account.open_orders)[:1]:
            _change(desk, order_id, *step[1:])
    else:
        _, side, vol, kind, price, twist, reduce_only = step
        desk.limit(side, vol, price, type=kind, twist=twist, reduce_only=reduce_only, leverage=7)


def _change(desk: Desk, order_id: int, price: str = "", vol: int = 0) -> None:
    if not price:
        desk.do(ChaseOrder(at_ms=NOW, account_id=1, order_id=order_id))
        return
    desk.do(
        ChangeOrder(
            at_ms=NOW,
            account_id=1,
            order_id=order_id,
            price=Decimal(price),
            vol=Decimal(vol),
        )
    )


def _check(desk: Desk) -> None:
    wallet = desk.account.wallet("USDT")
    assert wallet.cash == wallet.deposit + wallet.profit - wallet.fees
    open_orders = desk.account.open_orders.values()
    assert wallet.frozen == sum((order.frozen for order in open_orders), Decimal(0)) >= 0
    for position in desk.account.positions.values():
        assert 0 <= position.frozen_vol <= position.hold_vol
        assert position.hold_vol == position.open_vol - position.close_vol > 0
        closing = [o for o in open_orders if o.closes_only and o.target is position.type]
        assert position.frozen_vol == sum(o.remaining for o in closing)
    if desk.mode == 2:
        assert len(desk.account.positions) <= 1
    resting = desk.state.resting.get(BTC, {})
    assert set(resting) == set(desk.account.open_orders)


@settings(max_examples=150, deadline=None)
@given(steps=steps, mode=st.sampled_from([1, 2]), balance=st.sampled_from(["30", "10000"]))
def test_money_is_conserved(steps, mode, balance):
    desk = Desk(mode=mode, balance=balance)
    with localcontext(EXACT):
        for step in steps:
            try:
                _take(desk, step)
            except Refused:
                continue
            _check(desk)
        _flatten(desk)
        wallet = desk.account.wallet("USDT")
        finished = desk.account.finished_orders.values()
        deals = [deal for order in finished for deal in order.deals]
        assert wallet.cash == Decimal(balance) + sum(d.profit for d in deals) - sum(
            d.fee for d in deals
        )
        bought = _worth(desk, buys=True)
        sold = _worth(desk, buys=False)
        assert wallet.profit == (sold - bought) * CONTRACTS[BTC].contract_size


def _flatten(desk: Desk) -> None:
    for order_id in list(desk.account.open_orders):
        apply(desk.state, CONTRACTS, CancelOrder(at_ms=NOW, account_id=1, order_id=order_id))
    for position in list(desk.account.positions.values()):
        desk.place(4 if position.type is PositionType.LONG else 2, position.hold_vol)
    assert not desk.account.positions


def _worth(desk: Desk, *, buys: bool) -> Decimal:
    return sum(
        (
            order.deal_value
            for order in desk.account.finished_orders.values()
            if order.side.is_buy is buys
        ),
        Decimal(0),
    )
