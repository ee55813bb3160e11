"""Whatever two accounts do, and whatever the market, the liquidations and the funding do to them:
the books balance, nobody holds what was not dealt, and the same commands give the same state.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paper_desk import BTC, CONTRACTS, NOW
from tools.paper_exchange.engine import commands
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.margin import (
    EXACT,
    available,
    cross_standing,
    cut,
    equity,
    held_in,
    held_margin,
    liquidation_price,
    unrealised,
)
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account, Order, Position, State
from tools.paper_exchange.engine.words import Category, OpenType, PositionType

ETH = "ETH_USDT"
USDT = "USDT"
ZERO = Decimal(0)
START = {BTC: Decimal(50000), ETH: Decimal(2500)}
# Margins are quotients that are cut after 18 digits, each for itself.
CUT = Decimal("1e-15")

# How often what is tried, in this many steps.
OFTEN = {
    "order": 50, "price": 20, "depth": 4, "cancel": 4, "margin": 6, "auto": 3, "leverage": 4,
    "funding": 5, "close all": 1, "reverse": 3,
}  # fmt: skip


def _step(seed: int) -> tuple[Any, ...]:
    # Strategies alone would try dull orders most of the time.
    chance = Random(seed)
    kind = chance.choices(list(OFTEN), weights=list(OFTEN.values()))[0]
    account, symbol = chance.choice([1, 2]), chance.choice([BTC, ETH])
    match kind:
        case "order":
            side = chance.choice([1, 1, 1, 2, 3, 3, 3, 4])
            vol = chance.choice([5, 50, 500, 3000]) * chance.randint(1, 9) // 9 + 1
            # The price is so many thousandths from the last.
            terms = (
                chance.choice([1, 1, 2, 3, 4, 5, 6]),
                chance.randint(-40, 40),
                chance.choice([7] * 9 + [40]),
            )
            return (kind, account, symbol, side, vol, *terms, chance.random() < 0.1)
        case "price":
            return (kind, symbol, chance.randint(-150, 150), chance.randint(-5, 5))
        case "depth":
            return (kind, symbol, [chance.randint(1, 2000) for _ in range(chance.randint(0, 3))])
        case "margin":
            return (kind, account, chance.randint(-50, 50))
        case "auto":
            return (kind, account, chance.random() < 0.7)
        case "leverage":
            return (kind, account, symbol, chance.choice([1, 2]), chance.choice([7, 5, 40, 120]))
        case "funding":
            return (kind, symbol, chance.randint(-400, 400))
        case "reverse":
            return (kind, account, chance.choice([None, 1, 5]))
    return (kind, account)


STEPS = st.lists(st.integers(0, 10**9).map(_step), min_size=30, max_size=80)


@dataclass
class Town:
    """Two accounts at one exchange, and what was done there."""

    open_types: dict[str, int]
    modes: tuple[int, int]
    balance: Decimal
    state: State = field(default_factory=lambda: State(prices={}))
    contracts: Any = field(default_factory=lambda: CONTRACTS)
    done: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        for symbol, price in START.items():
            self.do(commands.SetPrice(at_ms=NOW, symbol=symbol, last=price))
        for mode in self.modes:
            self.do(
                commands.AddAccount(
                    at_ms=NOW,
                    access_key=f"paper_{len(self.done)}",
                    secret_key="secret",
                    permissions=[],
                    ip_whitelist=[],
                    expires_ms=None,
                    balance=self.balance,
                    position_mode=mode,
                )
            )

    def do(self, command: commands.Command) -> None:
        apply(self.state, CONTRACTS, command)
        self.done.append(command)

    def near(self, symbol: str, thousandths: int) -> Decimal:
        tick = CONTRACTS[symbol].price_unit
        last = self.state.prices[symbol].last
        return max((last * (1000 + thousandths) / 1000 / tick).to_integral_value(), 1) * tick

    def first(self, account_id: int) -> int:
        positions = self.state.accounts[account_id].positions.values()
        return next((position.id for position in positions), 0)

    def command(self, step: tuple[Any, ...]) -> commands.Command | None:  # noqa: C901 - a case each
        who = {"at_ms": NOW + len(self.done), "account_id": step[1]}
        when = {"at_ms": NOW + len(self.done)}
        match step:
            case ("order", account, symbol, side, vol, kind, offset, leverage, reduce_only):
                return commands.PlaceOrder(
                    **who,
                    symbol=symbol,
                    side=side,
                    type=kind,
                    vol=Decimal(vol),
                    price=self.near(symbol, offset),
                    open_type=self.open_types[symbol],
                    leverage=leverage,
                    position_mode=self.modes[account - 1],
                    reduce_only=reduce_only,
                )
            case ("price", symbol, move, gap):
                last = self.near(symbol, move)
                fair = last * (1000 + gap) / 1000
                return commands.SetPrice(**when, symbol=symbol, last=last, fair=fair)
            case ("depth", symbol, vols):
                bids = [[self.near(symbol, -1 - n), Decimal(v)] for n, v in enumerate(vols)]
                asks = [[self.near(symbol, 1 + n), Decimal(v)] for n, v in enumerate(vols)]
                sides = {"bids": bids, "asks": asks} if vols else {}
                return commands.SetDepth(**when, symbol=symbol, **sides)
            case ("cancel", account):
                orders = self.state.accounts[account].open_orders
                return commands.CancelOrder(**who, order_id=next(iter(orders), 0))
            case ("margin", account, amount):
                place = self.first(account)
                return commands.ChangeMargin(**who, position_id=place, amount=Decimal(amount))
            case ("auto", account, enabled):
                return commands.SetAutoAdd(**who, position_id=self.first(account), enabled=enabled)
            case ("leverage", account, symbol, kind, leverage):
                return commands.SetLeverage(
                    **who, symbol=symbol, position_type=kind, leverage=leverage
                )
            case ("funding", symbol, rate):
                rate = Decimal(rate) / 10_000
                return commands.SettleFunding(**when, symbol=symbol, rate=rate)
            case ("close all", account):
                return commands.CloseAll(**who)
            case ("reverse", account, vol):
                held = self.state.accounts[account].position_by_id(self.first(account))
                if held is None:
                    return None
                place = {"symbol": held.symbol, "position_id": held.id}
                part = None if vol is None else Decimal(vol)
                return commands.ReversePosition(**who, **place, vol=part)
        raise AssertionError(step)


def _orders(account: Account) -> Iterator[Order]:
    yield from account.open_orders.values()
    yield from account.finished_orders.values()


def _check(town: Town) -> None:
    for account in town.state.accounts.values():
        _check_money(town, account)
        _check_volumes(account)
    resting = [place for by_id in town.state.resting.values() for place in by_id.items()]
    opened = [(o, a.id) for a in town.state.accounts.values() for o in a.open_orders]
    assert sorted(resting) == sorted(opened)


def _check_money(town: Town, account: Account) -> None:
    wallet = account.wallet(USDT)
    kept = wallet.deposit + wallet.profit - wallet.fees + wallet.funding + wallet.insured
    assert wallet.cash == kept
    won = sum(
        (
            unrealised(position, contract, town.state.prices[position.symbol].fair)
            for position, contract in held_in(town, account, currency=USDT)
        ),
        ZERO,
    )
    assert equity(town, account, currency=USDT) == kept + won
    assert wallet.frozen == sum((o.frozen for o in account.open_orders.values()), ZERO) >= 0
    deals = [deal for order in _orders(account) for deal in order.deals]
    assert wallet.profit == sum((deal.profit for deal in deals), ZERO)
    assert wallet.fees == sum((deal.fee for deal in deals), ZERO)
    assert wallet.funding == sum((record.amount for record in account.funding_records), ZERO)
    if all(p.open_type is OpenType.ISOLATED for p in account.positions.values()):
        assert wallet.cash >= 0
    for position, contract in held_in(town, account, currency=USDT):
        assert held_margin(position, contract) >= 0


def _check_volumes(account: Account) -> None:
    for position in account.positions.values():
        assert 0 <= position.frozen_vol <= position.hold_vol
        assert position.hold_vol == position.open_vol - position.close_vol > 0
        closing = [
            order.remaining
            for order in account.open_orders.values()
            if order.closes_only
            and (order.symbol, order.target) == (position.symbol, position.type)
        ]
        assert position.frozen_vol == sum(closing, ZERO)
    for symbol in START:
        dealt = sum(
            (
                order.deal_vol * (1 if order.side.is_buy else -1)
                for order in _orders(account)
                if order.symbol == symbol
            ),
            ZERO,
        )
        held = [account.position(symbol, kind) for kind in PositionType]
        assert dealt == sum((p.hold_vol * p.type.sign for p in held if p is not None), ZERO)


def _check_soundness(town: Town, symbol: str) -> None:
    # After a price there is nothing left of what it has ruined.
    fair = town.state.prices[symbol].fair
    for account in town.state.accounts.values():
        held = [account.position(symbol, kind) for kind in PositionType]
        for position in held:
            if position is None:
                continue
            if position.open_type is OpenType.CROSS:
                assert not cross_standing(town, account, currency=USDT).is_ruined
            else:
                end = liquidation_price(position, CONTRACTS[symbol])
                assert (fair - end) * position.type.sign > 0


def _check_takeovers(town: Town, known: set[int], extra: dict[int, Decimal]) -> None:
    # An isolated position that is taken over costs its margin at most, and no fee.
    for account in town.state.accounts.values():
        for order in account.finished_orders.values():
            isolated = order.open_type is OpenType.ISOLATED
            if order.id in known or order.category is not Category.LIQUIDATION or not isolated:
                continue
            closed = _closed(account, order.position_id)
            if closed.auto_add:
                continue
            size = CONTRACTS[order.symbol].contract_size
            worth = order.price * order.vol * size - order.profit * closed.type.sign
            margin = cut(worth / order.leverage) + extra.get(closed.id, ZERO)
            assert order.taker_fee == 0
            assert -order.profit <= margin + CUT


def _closed(account: Account, position_id: int) -> Position:
    return next(p for p in reversed(account.closed_positions) if p.id == position_id)


def _take(town: Town, step: tuple[Any, ...]) -> None:
    command = town.command(step)
    if command is None:
        return
    known = {order.id for a in town.state.accounts.values() for order in _orders(a)}
    extra = {
        position.id: position.extra_margin
        for account in town.state.accounts.values()
        for position in account.positions.values()
    }
    before = {
        account.id: available(town, account, currency=USDT)
        for account in town.state.accounts.values()
    }
    snapshot = msgspec.json.encode(town.state)
    try:
        town.do(command)
    except Refused:
        assert msgspec.json.encode(town.state) == snapshot
        return
    _check(town)
    _check_takeovers(town, known, extra)
    if step[0] in {"price", "funding"}:
        _check_soundness(town, step[1])
    ties_up = step[0] in {"margin", "leverage"} or (step[0] == "order" and step[3] in {1, 3})
    if ties_up and not (step[0] == "order" and step[8]) and before[step[1]] >= 0:
        account = town.state.accounts[step[1]]
        closed = {order.id for order in _orders(account)} - known
        only_reduced = step[0] == "order" and all(
            order.used_margin == order.frozen == 0 for order in map(account.order, closed) if order
        )
        assert only_reduced or available(town, account, currency=USDT) >= -CUT


@settings(max_examples=120, deadline=None)
@given(
    steps=STEPS,
    modes=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    open_types=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    balance=st.sampled_from(["40", "400", "10000"]),
    halfway=st.integers(0, 80),
)
def test_the_books_balance(steps, modes, open_types, balance, halfway):
    town = Town(
        open_types=dict(zip(START, open_types, strict=True)), modes=modes, balance=Decimal(balance)
    )
    with localcontext(EXACT):
        for step in steps:
            _take(town, step)
        _check(town)
    again = State(prices={})
    for number, command in enumerate(town.done):
        if number == halfway:
            again = msgspec.json.decode(msgspec.json.encode(again), type=State)
        apply(again, CONTRACTS, command)
    assert msgspec.json.encode(again) == msgspec.json.encode(town.state)
