"""The guards on opening that need no position: pure. Each says with its numbers why nothing may be
opened, or that it passed. What only closes is never asked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import RouteSettings
from libs.common.contracts.words import RouteState
from libs.common.domain.quantity import plain, shortened
from libs.common.domain.symbols import not_allowed
from libs.common.domain.windows import DAYS, WindowError, parse_window

MINUTE = timedelta(seconds=60)
"""Over which `orders_per_minute` counts, back from the alert."""

_EXACT = Context(prec=120)
_Verdict = Denial | str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Guarded:
    refused: Denial | None
    """The first guard that does not let open."""
    step: str
    """What was checked, for people."""


def guard_opening(
    route: RouteSettings,
    *,
    instrument: Instrument,
    leverage: int,
    received_at: datetime,
    now: datetime,
    recent_openings: int,
) -> Guarded:
    """Whether the route may open on `instrument` now. `recent_openings` is how many intents that
    open it made for this account in the minute before the alert.
    """
    verdicts: tuple[_Verdict, ...] = (
        _live(route),
        _fresh(route, received_at=received_at, now=now),
        _allowed(route, instrument),
        _tradable(instrument),
        _in_windows(route, at=received_at),
        _leverage(instrument, leverage=leverage),
        _pace(route, recent=recent_openings),
    )
    passed: list[str] = []
    for verdict in verdicts:
        if isinstance(verdict, Denial):
            return Guarded(refused=verdict, step=f"guards: {verdict.message}")
        if verdict:
            passed.append(verdict)
    return Guarded(refused=None, step=f"guards passed: {', '.join(passed)}")


def order_notional(
    contracts: Decimal, *, price: Decimal, limit: Decimal, instrument: Instrument
) -> Denial | str:
    """Whether an order's value keeps to the route's `max_order_notional`."""
    with localcontext(_EXACT):
        notional = contracts * instrument.contract_size * price
    said = (
        f"{plain(contracts)} contracts x {plain(instrument.contract_size)} x {plain(price)} ="
        f" {shortened(notional)} {instrument.quote}"
    )
    if notional <= limit:
        return f"order notional {said} of {plain(limit)}"
    return Denial(
        reason=Reason.ORDER_NOTIONAL,
        message=f"the order would be {said}; the route's max_order_notional is {plain(limit)}",
        context={
            "notional": shortened(notional),
            "max_order_notional": plain(limit),
            "contracts": plain(contracts),
            "price": plain(price),
        },
    )


def _live(route: RouteSettings) -> _Verdict:
    if route.state is not RouteState.PAUSED:
        return None
    return Denial(
        reason=Reason.ROUTE_PAUSED,
        message=f"route {route.id} is paused: entries are denied, exits pass",
        context={"route": route.id},
    )


def _fresh(route: RouteSettings, *, received_at: datetime, now: datetime) -> _Verdict:
    age_s = f"{(now - received_at).total_seconds():.1f}"
    if now - received_at <= timedelta(seconds=route.max_age_s):
        return f"{age_s} s old of {route.max_age_s}"
    return Denial(
        reason=Reason.STALE,
        message=f"the entry is {age_s} s old; the route's max_age_s is {route.max_age_s}",
        context={"age_s": age_s, "max_age_s": str(route.max_age_s)},
    )


def _allowed(route: RouteSettings, instrument: Instrument) -> _Verdict:
    if not route.symbols.allow:
        return None
    denial = not_allowed(instrument.symbol, symbols=route.symbols)
    return denial or f"{instrument.symbol} is in the allow list"


def _tradable(instrument: Instrument) -> _Verdict:
    if instrument.tradable:
        return None
    return Denial(
        reason=Reason.SYMBOL_NOT_TRADABLE,
        message=f"the exchange does not let the API trade {instrument.symbol} now",
        context={"symbol": instrument.symbol},
    )


def _in_windows(route: RouteSettings, *, at: datetime) -> _Verdict:
    windows = route.guards.windows
    if not windows:
        return None
    utc = at.astimezone(UTC)
    moment = f"{DAYS[utc.weekday()]} {utc:%H:%M} UTC"
    context = {"at": moment, "windows": "; ".join(windows)}
    try:
        inside = [text for text in windows if parse_window(text).holds(at)]
    except WindowError as error:
        # The console refuses such a route; were one there all the same, nothing would be opened.
        return Denial(reason=Reason.OUTSIDE_WINDOWS, message=str(error), context=context)
    if inside:
        return f"{moment} is in {inside[0]}"
    return Denial(
        reason=Reason.OUTSIDE_WINDOWS,
        message=f"{moment} is outside the route's windows ({'; '.join(windows)})",
        context=context,
    )


def _leverage(instrument: Instrument, *, leverage: int) -> _Verdict:
    if leverage <= instrument.leverage_maximum:
        return None
    return Denial(
        reason=Reason.LEVERAGE_ABOVE_MAXIMUM,
        message=(
            f"leverage {leverage} is over the {instrument.leverage_maximum} that "
            f"{instrument.symbol} allows"
        ),
        context={"leverage": str(leverage), "leverage_maximum": str(instrument.leverage_maximum)},
    )


def _pace(route: RouteSettings, *, recent: int) -> _Verdict:
    limit = route.guards.orders_per_minute
    if limit is None:
        return None
    if recent < limit:
        return f"opening {recent + 1} of {limit} in a minute"
    return Denial(
        reason=Reason.ORDERS_PER_MINUTE,
        message=f"{recent} openings in the last 60 s; the route's orders_per_minute is {limit}",
        context={"openings": str(recent), "orders_per_minute": str(limit)},
    )
