"""Puts the picture of an account together from what is known of it: pure. What is not known, and
what is too old to be taken for what is now, is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from libs.common.contracts.account_picture import (
    AccountPicture,
    Balance,
    Doubt,
    EgressSeen,
    Missing,
    PictureState,
    PositionSeen,
    StopSeen,
    WaitingOrder,
)
from libs.common.contracts.execution import Execution
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.route import Account
from libs.common.contracts.words import PositionMode, VenueSymbol
from libs.common.domain.profit import base_quantity, is_linear, unrealised_profit
from services.executor.book import Doubted, Positions
from services.executor.viewable import HeldPosition
from services.executor.viewing.asked import Asked, Marks, Piece

LASTS_S = 10.0
"""How long an answer of the exchange is shown as if it were now: a refresh is due before."""
_FIRST = "USDT"
_NEVER = float("-inf")


@dataclass(frozen=True, kw_only=True, slots=True)
class Budgeted:
    """The order budget right now."""

    left: int
    waiting: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """All that is known of an account. Times without a zone are monotonic seconds."""

    account: Account
    at: datetime
    now: float
    asked: Asked = field(default_factory=Asked)
    marks: Marks = field(default_factory=dict)
    doubted: Doubted | None = None
    shown: Positions = ()
    """By the live picture, trusted or not."""
    told_at: float = _NEVER
    confirmed_at: float = _NEVER
    position_mode: PositionMode | None = None
    instruments: Mapping[VenueSymbol, Instrument] = field(default_factory=dict)
    resting: Sequence[Execution] = ()
    """Of our orders that wait."""
    stops: tuple[StopSeen, ...] = ()
    egress: EgressSeen = EgressSeen()
    budget: Budgeted | None = None


def compose(known: Known) -> AccountPicture:
    missing: list[Missing] = []
    state, told_at = _judged(known)
    positions = _positions(known, state, missing)
    balances = _balances(known, missing)
    mode = _position_mode(known, missing)
    orders = _orders(known, missing)
    checkup, drift = known.asked.checkup, known.asked.drift
    missing += [
        Missing(what=what, why=piece.why)
        for what, piece in (("drift", drift), ("key_days", checkup))
        if piece.why
    ]
    if checkup.value is None and not checkup.why:
        missing.append(Missing(what="key_days", why="the account was not checked yet"))
    lists = known.asked.waiting.values()
    waiting = [piece.asked_at for piece in lists if piece.value is not None]
    budget, doubted = known.budget, known.doubted
    return AccountPicture(
        account=known.account.account_id,
        at=known.at,
        state=state,
        doubt=doubted.doubt if doubted is not None else None,
        why=doubted.why if doubted is not None else "",
        age_ms=_age_ms(known, told_at),
        confirmed_ms=_age_ms(known, max(known.confirmed_at, known.asked.positions.asked_at)),
        position_mode=mode,
        expected_position_mode=known.account.position_mode,
        positions=positions,
        balances=balances,
        balances_age_ms=_age_ms(known, known.asked.balances.asked_at),
        orders=orders,
        orders_age_ms=_age_ms(known, min(waiting, default=_NEVER)),
        drift=drift.value,
        stops=known.stops,
        order_calls_per_2s=known.account.order_calls_per_2s,
        order_calls_left=budget.left if budget is not None else None,
        order_calls_waiting=budget.waiting if budget is not None else None,
        key_days_left=checkup.value.key_days_left if checkup.value is not None else None,
        key_checked_at=checkup.value.at if checkup.value is not None else None,
        egress=known.egress,
        missing=tuple(missing),
    )


def unconnected(
    account: Account,
    *,
    at: datetime,
    stop: StopSeen,
    egress: EgressSeen,
) -> AccountPicture:
    """Of an account that cannot trade, since its key cannot be used."""
    return AccountPicture(
        account=account.account_id,
        at=at,
        state=PictureState.UNTRUSTED,
        doubt=Doubt.NOT_CONNECTED,
        why=stop.message,
        expected_position_mode=account.position_mode,
        stops=(stop,),
        order_calls_per_2s=account.order_calls_per_2s,
        egress=egress,
    )


def _judged(known: Known) -> tuple[PictureState, float]:
    """How far to trust what is held, and when that was told."""
    if known.doubted is None:
        return PictureState.LIVE, known.told_at
    positions = known.asked.positions
    is_later = positions.asked_at > known.doubted.since
    if is_later and positions.is_fresh(known.now, lasts_s=LASTS_S):
        return PictureState.ASKED, positions.asked_at
    return PictureState.UNTRUSTED, max(known.told_at, positions.asked_at)


def _positions(
    known: Known, state: PictureState, missing: list[Missing]
) -> tuple[PositionSeen, ...] | None:
    asked = known.asked.positions
    was_told = known.told_at > _NEVER
    told: Iterable[HeldPosition]
    if state is PictureState.LIVE:
        told = _as_held(known.shown, beside=asked)
    elif asked.value is not None and (
        state is PictureState.ASKED or asked.asked_at >= known.told_at
    ):
        told = asked.value
    elif was_told:
        told = _as_held(known.shown, beside=asked)
    else:
        missing.append(Missing(what="positions", why=asked.why))
        return None
    if state is PictureState.UNTRUSTED:
        missing.append(Missing(what="positions", why=asked.why or "they were asked too long ago"))
    return tuple(_seen(one, known, missing) for one in told)


def _as_held(
    shown: Positions, *, beside: Piece[tuple[HeldPosition, ...]]
) -> tuple[HeldPosition, ...]:
    """With what only an answer tells, where that was about the very same position."""
    told = {(one.symbol, one.holding.position_id): one for one in beside.value or ()}
    found = []
    for symbol, holding in shown:
        same = told.get((symbol, holding.position_id))
        if same is None or not _alike(same, holding.contracts, holding.average_price):
            same = HeldPosition(symbol=symbol, holding=holding)
        found.append(
            HeldPosition(
                symbol=symbol,
                holding=holding,
                liquidation_price=same.liquidation_price,
                realised_profit=same.realised_profit,
            )
        )
    return tuple(found)


def _alike(one: HeldPosition, contracts: Decimal, average_price: Decimal) -> bool:
    return (one.holding.contracts, one.holding.average_price) == (contracts, average_price)


def _seen(one: HeldPosition, known: Known, missing: list[Missing]) -> PositionSeen:
    holding, instrument = one.holding, known.instruments.get(one.symbol)
    mark, marked_at = _mark(one.symbol, known, missing)
    why = _uncounted(instrument)
    if why is not None:
        missing.append(Missing(what="contract_size", symbol=one.symbol, why=why))
    quantity = profit = currency = None
    if instrument is not None and why is None:
        quantity = base_quantity(holding.contracts, instrument=instrument)
        currency = instrument.quote
        if mark is not None:
            profit = unrealised_profit(
                holding.side,
                holding.contracts,
                average_price=holding.average_price,
                mark_price=mark,
                instrument=instrument,
            )
    return PositionSeen(
        symbol=one.symbol,
        side=holding.side,
        contracts=holding.contracts,
        free_contracts=holding.free_contracts,
        average_price=holding.average_price,
        margin_mode=holding.margin_mode,
        leverage=holding.leverage,
        position_id=holding.position_id,
        base_quantity=quantity,
        mark_price=mark,
        marked_at=marked_at,
        liquidation_price=one.liquidation_price,
        unrealised_profit=profit,
        realised_profit=one.realised_profit,
        profit_currency=currency,
    )


def _uncounted(instrument: Instrument | None) -> str | None:
    """Why contracts cannot be turned into sizes and sums; None where they can."""
    if instrument is None:
        return "the contract is not in the catalogue"
    if not is_linear(instrument):
        return "it is settled in its base coin, and what such a contract wins is not counted here"
    return None


def _mark(
    symbol: VenueSymbol, known: Known, missing: list[Missing]
) -> tuple[Decimal | None, datetime | None]:
    piece = known.marks.get(symbol) or Piece()
    if piece.value is not None and piece.is_fresh(known.now, lasts_s=LASTS_S):
        return piece.value, known.at - timedelta(seconds=known.now - piece.asked_at)
    why = piece.why or "it was asked for too long ago"
    told = Missing(what="mark_price", symbol=symbol, why=why)
    if told not in missing:
        # Long and short of one contract share it.
        missing.append(told)
    return None, None


def _balances(known: Known, missing: list[Missing]) -> tuple[Balance, ...] | None:
    piece = known.asked.balances
    if piece.value is None or not piece.is_fresh(known.now, lasts_s=LASTS_S):
        missing.append(Missing(what="balances", why=piece.why or "they were asked too long ago"))
    if piece.value is None:
        return None
    found = [
        Balance(currency=currency, equity=funds.equity, available=funds.available)
        for currency, funds in piece.value.items()
        if funds.equity or funds.available or currency == _FIRST
    ]
    return tuple(sorted(found, key=lambda one: (one.currency != _FIRST, one.currency)))


def _position_mode(known: Known, missing: list[Missing]) -> PositionMode | None:
    if known.position_mode is not None:
        return known.position_mode
    piece = known.asked.position_mode
    if piece.value is not None and piece.is_fresh(known.now, lasts_s=LASTS_S):
        return piece.value
    missing.append(Missing(what="position_mode", why=piece.why or "it was asked too long ago"))
    return None


def _orders(known: Known, missing: list[Missing]) -> tuple[WaitingOrder, ...] | None:
    pieces = known.asked.waiting
    for what, piece in pieces.items():
        if piece.value is None or not piece.is_fresh(known.now, lasts_s=LASTS_S):
            why = piece.why or "they were asked too long ago"
            missing.append(Missing(what=what, why=why))
    told = [piece.value for piece in pieces.values() if piece.value is not None]
    if not told:
        return None
    ours = {one.exchange_order_id: one for one in known.resting}
    ours |= {one.client_order_id: one for one in known.resting}
    found = [_labelled(one, ours) for orders in told for one in orders]
    return tuple(sorted(found, key=lambda one: (one.since is None, one.since, one.exchange_id)))


def _labelled(one: WaitingOrder, ours: Mapping[str | None, Execution]) -> WaitingOrder:
    """With whose it is, where our log says so."""
    resting = ours.get(one.exchange_id) or ours.get(one.client_order_id or one.exchange_id)
    if resting is None or resting.symbol != one.symbol:
        return one
    return replace(
        one,
        client_order_id=resting.client_order_id,
        alert_id=resting.alert_id,
        route=resting.route,
        order_id=resting.order_id,
    )


def _age_ms(known: Known, at: float) -> int | None:
    return None if at == _NEVER else max(0, round((known.now - at) * 1_000))
