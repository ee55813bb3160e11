"""Which leverage a contract should have at the exchange before anything is traded there, and what
has to be changed for it: pure. An order carries its own leverage all the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.route import RouteSettings
from libs.common.contracts.words import (
    AccountId,
    MarginMode,
    PositionSide,
    RouteId,
    RouteState,
    VenueSymbol,
)
from libs.common.domain.symbols import symbol_of

Lane = tuple[AccountId, VenueSymbol]


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    leverage: int
    margin_mode: MarginMode

    def __str__(self) -> str:
        return f"{self.margin_mode.value} {self.leverage}x"


@dataclass(frozen=True, kw_only=True, slots=True)
class SideLeverage:
    """What one side of a contract is set to."""

    side: PositionSide
    leverage: int
    margin_mode: MarginMode | None
    """None where the exchange does not tell it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    terms: Terms | None
    """None: it is left as it is, since only its alerts know."""
    disputed: str = ""
    """One sentence where not all that trade it want the same."""


Traded = Mapping[Lane, Mapping[RouteId, bool]]
"""Who is known to trade what, and whether its last alert there named terms of its own."""


def wishes(routes: Iterable[RouteSettings], *, traded: Traded) -> dict[Lane, Wish]:
    """What live routes want of the contracts that they name, or are known to trade.

    Where they differ the lowest leverage counts, and of equal ones isolated margin: the setting
    that risks least where it meets an order of another.
    """
    voices: defaultdict[Lane, dict[RouteId, RouteSettings]] = defaultdict(dict)
    live = {RouteId(route.id): route for route in routes if route.state is RouteState.LIVE}
    for route_id, route in live.items():
        for symbol in _named(route):
            for trading in route.accounts:
                voices[AccountId(trading.account), symbol][route_id] = route
    for lane, by_route in traded.items():
        for route_id in by_route:
            known = live.get(route_id)
            if known is not None and _may_trade(known, lane):
                voices[lane][route_id] = known
    return {
        lane: _settled(by_id, own=traded.get(lane, {})) for lane, by_id in sorted(voices.items())
    }


def contracts_of(
    route: RouteSettings, *, account: AccountId, traded: Iterable[VenueSymbol]
) -> frozenset[VenueSymbol]:
    """What a route of the account names, and of what it has traded there what it still may."""
    may = {symbol for symbol in traded if _may_trade(route, (account, symbol))}
    return frozenset(_named(route) | may)


def terms_of(route: RouteSettings) -> Terms:
    return Terms(leverage=route.leverage, margin_mode=route.margin_mode)


def obstacle(terms: Terms, *, instrument: Instrument | None) -> str | None:
    """Why the exchange need not be asked at all."""
    if instrument is None:
        return "the exchange lists no such contract"
    if not instrument.tradable:
        return "the contract is not open to orders by API"
    if terms.leverage > instrument.leverage_maximum:
        return f"leverage {terms.leverage} is over the contract's {instrument.leverage_maximum}"
    return None


def changes_due(terms: Terms, *, told: Iterable[SideLeverage]) -> tuple[SideLeverage, ...]:
    """What to set, one for each side that the exchange tells with other terms. It may tell a side
    once, or once for each margin mode; a side that it does not tell is left alone.
    """
    sides: defaultdict[PositionSide, list[SideLeverage]] = defaultdict(list)
    for one in told:
        sides[one.side].append(one)
    return tuple(
        SideLeverage(side=side, leverage=terms.leverage, margin_mode=terms.margin_mode)
        for side, rows in sorted(sides.items())
        if not _fits(terms, rows)
    )


def _fits(terms: Terms, rows: list[SideLeverage]) -> bool:
    ours = [row for row in rows if row.margin_mode in {terms.margin_mode, None}]
    return bool(ours) and all(row.leverage == terms.leverage for row in ours)


def _named(route: RouteSettings) -> set[VenueSymbol]:
    allowed = _allowed(route)
    overridden = {override.symbol for override in route.symbols.overrides.values()}
    return allowed | (overridden & allowed if allowed else overridden)


def _may_trade(route: RouteSettings, lane: Lane) -> bool:
    account, symbol = lane
    allowed = _allowed(route)
    trades = any(trading.account == account for trading in route.accounts)
    return trades and (not allowed or symbol in allowed)


def _allowed(route: RouteSettings) -> set[VenueSymbol]:
    return {symbol_of(entry) for entry in route.symbols.allow}


def _settled(by_id: Mapping[RouteId, RouteSettings], *, own: Mapping[RouteId, bool]) -> Wish:
    themselves = sorted(route for route in by_id if own.get(route))
    if themselves:
        said = f"alerts of {', '.join(themselves)} name terms of their own: left to the orders"
        return Wish(terms=None, disputed=said)
    wanted = {route: terms_of(settings) for route, settings in sorted(by_id.items())}
    terms = min(wanted.values(), key=_caution)
    if len(set(wanted.values())) == 1:
        return Wish(terms=terms)
    said = ", ".join(f"{route} wants {its}" for route, its in wanted.items())
    return Wish(terms=terms, disputed=f"{said}: the lowest counts, {terms}")


def _caution(terms: Terms) -> tuple[int, bool]:
    return terms.leverage, terms.margin_mode is MarginMode.CROSS
