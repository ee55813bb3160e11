"""Whatever triggers do: volumes make sense, stops only close, nothing is left behind, and the same
commands give the same books, also when those were written down and read again in between.
"""

from decimal import Decimal, localcontext
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paper_desk import BTC, CONTRACTS
from tests.paper_triggers import TriggerDesk, attached, leg_of
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.commands import CancelOrder, Command, PlaceOrder, SetPrice
from tools.paper_exchange.engine.margin import EXACT
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import State
from tools.paper_exchange.engine.triggers.commands import CancelPlans, CancelStops, ExpireTriggers
from tools.paper_exchange.engine.triggers.words import TriggerState

HOUR = 3_600_000

prices = st.integers(min_value=98, max_value=102).map(lambda step: str(step * 500))
sides = st.integers(1, 4)
vols = st.integers(1, 30).map(str)
maybe = st.one_of(st.none(), prices)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("order"), sides, vols, st.sampled_from([1, 5]), prices, maybe, maybe),
        st.tuples(st.just("plan"), sides, vols, prices, st.integers(1, 2), maybe, maybe),
        st.tuples(st.just("stop"), maybe, maybe, vols, st.booleans(), st.booleans()),
        st.tuples(st.just("track"), sides, vols, st.sampled_from(["0.01", "0.001"]), maybe),
        st.tuples(st.just("price"), prices, prices),
        st.tuples(st.just("price"), prices, prices),
        st.tuples(st.just("cancel")),
        st.tuples(st.just("later")),
    ),
    max_size=40,
)


class Book(TriggerDesk):
    """A desk that remembers what it was told and whether stops have opened anything."""

    def __init__(self, **account: Any) -> None:
        self.told: list[Command] = []
        super().__init__(**account)
        self.fresh = msgspec.json.encode(self.state)
        self.told.clear()

    def made(self, command: Command) -> int:
        made = apply(self.state, CONTRACTS, command).made
        self.told.append(command)
        return made

    def command(self, step: tuple[Any, ...]) -> Command:
        match step:
            case ("order", side, vol, kind, price, profit, loss):
                return PlaceOrder(
                    at_ms=self.at_ms,
                    account_id=1,
                    symbol=BTC,
                    side=side,
                    type=kind,
                    vol=Decimal(vol),
                    price=Decimal(price),
                    open_type=2,
                    leverage=10,
                    position_mode=self.mode,
                    attached=attached(profit, loss) if profit or loss else {},
                )
            case ("plan", side, vol, price, condition, profit, loss):
                return self.plan_command(
                    at_ms=self.at_ms,
                    side=side,
                    vol=vol,
                    trigger_price=price,
                    condition=condition,
                    attached=attached(profit, loss) if profit or loss else {},
                )
            case ("stop", profit, loss, vol, whole, reverse):
                return self.stop_command(
                    at_ms=self.at_ms,
                    profit=leg_of(profit, vol=vol, trend=2),
                    loss=leg_of(loss, vol=vol, reverse=reverse),
                    vol=vol,
                    is_whole=whole,
                )
            case ("track", side, vol, back, active):
                return self.track_command(
                    at_ms=self.at_ms, side=side, vol=vol, back_value=back, active_price=active or 0
                )
            case ("price", last, fair):
                return SetPrice(
                    at_ms=self.at_ms, symbol=BTC, last=Decimal(last), fair=Decimal(fair)
                )
            case ("cancel",):
                return self._cancel()
        self.at_ms += 9 * HOUR
        return ExpireTriggers(at_ms=self.at_ms)

    def _cancel(self) -> Command:
        triggers = self.account.triggers
        if triggers.stops.open:
            ids = list(triggers.stops.open)[:1]
            return CancelStops(at_ms=self.at_ms, account_id=1, stop_ids=ids)
        if triggers.plans.open:
            ids = list(triggers.plans.open)[:1]
            return CancelPlans(at_ms=self.at_ms, account_id=1, plan_ids=ids)
        order_id = next(iter(self.account.open_orders), 0)
        return CancelOrder(at_ms=self.at_ms, account_id=1, order_id=order_id)


def _check(book: Book) -> None:
    account = book.account
    wallet = account.wallet("USDT")
    orders = account.open_orders.values()
    assert wallet.frozen == sum((order.frozen for order in orders), Decimal(0)) >= 0
    for position in account.positions.values():
        assert 0 <= position.frozen_vol <= position.hold_vol
        assert position.hold_vol == position.open_vol - position.close_vol > 0
        closing = [each for each in orders if each.closes_only and each.target is position.type]
        assert position.frozen_vol == sum(each.remaining for each in closing)
    if book.mode == 2:
        assert len(account.positions) <= 1
    _check_triggers(book)


def _check_triggers(book: Book) -> None:
    account = book.account
    triggers = account.triggers
    waiting = book.state.waiting.get(BTC)
    if waiting is not None:
        for kind in ("plans", "stops", "tracks"):
            index, shelf = getattr(waiting, kind), getattr(triggers, kind)
            assert index == dict.fromkeys(shelf.open, 1)
            assert not set(shelf.open) & set(shelf.finished)
    held = {position.id for position in account.positions.values()}
    for stop in triggers.stops.open.values():
        assert stop.position_id in held
        assert (stop.state, stop.placed_id) == (TriggerState.WAITING, 0)
    for stop in triggers.stops.finished.values():
        order = account.order(stop.placed_id)
        if order is not None:
            assert order.closes_only
            assert order.vol <= stop.closed_vol


def _reversals(book: Book) -> set[str]:
    stops = book.account.triggers.stops.finished
    return {f"stoporder_{stop_id}_r" for stop_id in stops}


@settings(max_examples=200, deadline=None)
@given(steps=steps, mode=st.sampled_from([1, 2]), cut=st.integers(0, 40))
def test_triggers_keep_the_books_in_order(steps, mode, cut):
    book = Book(mode=mode, balance="10000")
    with localcontext(EXACT):
        for step in steps:
            command = book.command(step)
            before = msgspec.json.encode(book.state)
            try:
                book.made(command)
            except Refused:
                assert msgspec.json.encode(book.state) == before
                continue
            _check(book)
    reversed_by = _reversals(book)
    for order in book.account.finished_orders.values():
        if order.external_oid.startswith("stoporder_"):
            assert order.closes_only or order.external_oid in reversed_by
    assert _replayed(book, cut=cut) == msgspec.json.encode(book.state)


def _replayed(book: Book, *, cut: int) -> bytes:
    state = msgspec.json.decode(book.fresh, type=State)
    for place, command in enumerate(book.told):
        if place == cut:
            state = msgspec.json.decode(msgspec.json.encode(state), type=State)
        read = msgspec.json.decode(msgspec.json.encode(command), type=Command)
        apply(state, CONTRACTS, read)
    return msgspec.json.encode(state)


@settings(max_examples=100, deadline=None)
@given(
    moves=st.lists(st.tuples(prices, prices), min_size=1, max_size=10),
    side=st.sampled_from([1, 3]),
    mode=st.sampled_from([1, 2]),
    legs=st.lists(st.tuples(maybe, maybe, vols, st.booleans()), max_size=4),
)
def test_without_reversal_stops_only_ever_close(moves, side, mode, legs):
    desk = TriggerDesk(mode=mode)
    desk.place(side, 30)
    held = 30
    for profit, loss, vol, whole in legs:
        try:
            desk.stop(profit=profit, loss=loss, vol=vol, is_whole=whole)
        except Refused:
            continue
    for last, fair in moves:
        desk.prices(last, fair=fair)
        now = desk.holds()
        assert set(now) <= {1 if side == 1 else 2}
        left = sum(now.values())
        assert 0 <= left <= held
        held = left
