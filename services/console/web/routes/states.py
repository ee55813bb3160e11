"""What a route is and does, in words for people: pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

from libs.common.contracts.control import Control, Scope
from libs.common.contracts.route import (
    Account,
    Route,
    RouteSettings,
    Sizing,
    SymbolOverride,
    TokenHash,
)
from libs.common.contracts.words import RouteState, SizingMode, TradeMode
from libs.common.domain.quantity import plain
from services.console.documents import Document

MODES = {
    TradeMode.NETTING: "Netting",
    TradeMode.OPPOSITE: "Opposite",
    TradeMode.REVERSE: "Reverse",
    TradeMode.HEDGE: "Hedge",
    TradeMode.TARGET: "Target",
}
_MODE_WORDS = {
    TradeMode.NETTING: "an opposite signal closes up to its size and opens what is left of it",
    TradeMode.OPPOSITE: "an opposite signal closes all and opens its own size",
    TradeMode.REVERSE: "an opposite signal closes all and opens nothing",
    TradeMode.HEDGE: "an opposite signal opens beside what is held",
    TradeMode.TARGET: "each alert says the position to move to",
}
_SIZES = {
    SizingMode.BASE: "the alert's number, in the coin itself",
    SizingMode.CONTRACTS: "the alert's number, in contracts",
    SizingMode.QUOTE: "{} USDT",
    SizingMode.PERCENT_EQUITY: "{} % of the equity",
    SizingMode.PERCENT_POSITION: "{} % of what is held",
    SizingMode.RISK_PERCENT: "{} % of the equity at risk down to the stop",
    SizingMode.FIXED: "{} of the coin, whatever the alert says",
}


@dataclass(frozen=True, kw_only=True)
class RouteLine:
    """A route in the list."""

    id: str
    state: str
    """`live`, `paused` or `halted`."""
    is_paused: bool
    halted_by: str
    accounts: list[str]
    missing: list[str]
    """Accounts that are not there any more."""
    mode: str
    size: str
    terms: str
    rotating_until: datetime | None


def line_of(
    route: Route, *, halts: Sequence[Control], accounts: Iterable[str], now: datetime
) -> RouteLine:
    settings, known = route.settings, set(accounts)
    halt = halt_of(settings, halts)
    return RouteLine(
        id=route.id,
        state="halted" if halt else settings.state.value,
        is_paused=settings.state is RouteState.PAUSED,
        halted_by=halt,
        accounts=[account_words(each.account, times=each.multiplier) for each in settings.accounts],
        missing=[each.account for each in settings.accounts if each.account not in known],
        mode=mode_words(settings),
        size=size_words(settings.sizing),
        terms=f"{settings.margin_mode.value} {settings.leverage}x",
        rotating_until=rotating_until(route.tokens, now=now),
    )


def halt_of(settings: RouteSettings, halts: Iterable[Control]) -> str:
    """What holds the route back from opening: everything, itself, or an account of its."""
    accounts = {each.account for each in settings.accounts}
    for halt in halts:
        is_ours = (
            halt.scope is Scope.ALL
            or (halt.scope is Scope.ROUTE and halt.id == settings.id)
            or (halt.scope is Scope.ACCOUNT and halt.id in accounts)
        )
        if is_ours:
            return f"{halt.what} is halted"
    return ""


def rotating_until(tokens: Sequence[TokenHash], *, now: datetime) -> datetime | None:
    """Until when an old URL works beside the newest."""
    ends = [each.expires_at for each in tokens[:-1] if each.expires_at and each.expires_at > now]
    return max(ends, default=None)


def account_words(account: str, *, times: Decimal) -> str:
    return account if times == 1 else f"{account} x {plain(times)}"


def mode_words(settings: RouteSettings) -> str:
    more = [
        text
        for is_so, text in (
            (settings.inverse, "inverse"),
            (not settings.pyramiding, "no adding"),
        )
        if is_so
    ]
    return ", ".join([MODES[settings.trade_mode].lower(), *more])


def size_words(sizing: Sizing) -> str:
    told = "the alert's" if sizing.value is None else plain(sizing.value)
    text = _SIZES[sizing.mode].format(told)
    return text if sizing.multiplier == 1 else f"{text}, x {plain(sizing.multiplier)}"


def settings_words(route: Route) -> Iterator[tuple[str, str]]:
    """A route's settings, each in a line; what is as by default and holds nothing back is left
    out.
    """
    settings = route.settings
    guards, symbols = settings.guards, settings.symbols
    yield "Trade type", f"{MODES[settings.trade_mode]}: {_MODE_WORDS[settings.trade_mode]}"
    if settings.inverse:
        yield "Inverse", "buy and sell are exchanged, exits are not"
    if not settings.pyramiding:
        yield "Adding", "no: what is held is not added to"
    yield "Size", size_words(settings.sizing)
    yield "Margin", f"{settings.margin_mode.value}, leverage {settings.leverage}x"
    yield "Symbols", ", ".join(symbols.allow) or "every contract of the exchange"
    if symbols.overrides:
        told = (_override_words(ticker, each) for ticker, each in symbols.overrides.items())
        yield "Read as", ", ".join(told)
    yield "Stop and target", f"distances count {_UNITS[settings.sltp_unit.value]}"
    yield "Too late", f"entries older than {settings.max_age_s} s are denied"
    yield "Resends", f"the same alert again within {settings.duplicate_window_s} s is a resend"
    if guards.max_order_notional is not None:
        yield "Order at most", f"{plain(guards.max_order_notional)} USDT"
    if guards.max_position_notional is not None:
        yield "Position at most", f"{plain(guards.max_position_notional)} USDT"
    if guards.orders_per_minute is not None:
        yield "Pace", f"at most {guards.orders_per_minute} entries a minute"
    if guards.windows:
        yield "Opens only", "; ".join(guards.windows) + " (UTC)"
    yield "Body secret", "asked for" if route.body_secret_sha256 else "none"
    yield "Senders", ", ".join(settings.allow_addresses) or "from every address"


def _override_words(ticker: str, override: SymbolOverride) -> str:
    times = "" if override.per_unit == 1 else f" x {plain(override.per_unit)}"
    return f"{ticker} is {override.symbol}{times}"


_UNITS = {"price": "in price", "ticks": "ticks of the price", "percent": "percent of the price"}


def changed_in_words(change: Document) -> Document:
    """A change as the trail tells it, with values that people can read."""
    fields = [
        {
            "field": each["field"],
            "old": "set" if each["hidden"] and each["old"] else value_words(each["old"]),
            "new": "set" if each["hidden"] and each["new"] else value_words(each["new"]),
        }
        for each in change["fields"]
    ]
    return {**change, "fields": fields}


def value_words(value: object) -> str:
    if value in (None, "", [], {}):
        return "none"
    match value:
        case bool():
            return "yes" if value else "no"
        case {"account": str(account), **rest}:
            times = str(rest.get("multiplier", "1"))
            return account if times == "1" else f"{account} x {times}"
        case list():
            return ", ".join(value_words(each) for each in value)
        case dict():
            return ", ".join(f"{name}: {value_words(each)}" for name, each in value.items())
    return str(value)


def place_words(account: Account) -> str:
    """Where its orders go."""
    host = urlsplit(account.base_url).hostname or account.base_url
    return "MEXC" if is_mexc(account) else host


def is_mexc(account: Account) -> bool:
    """The real exchange, by its address; everything else is somebody's stand-in."""
    host = urlsplit(account.base_url).hostname or ""
    return host == "mexc.com" or host.endswith(".mexc.com")


def reach_words(webhook: str) -> str:
    """Why TradingView could not post there, if so."""
    parts = urlsplit(webhook)
    host = parts.hostname or ""
    if host in {"localhost", "127.0.0.1", "::1", "0.0.0.0"}:
        return (
            "TradingView cannot reach this address: it is this machine's own. Set"
            " ALERTWIRE_WEBHOOK_BASE_URL to the public one."
        )
    if parts.port not in {None, 80, 443}:
        return f"TradingView posts to ports 80 and 443 alone, and this address has {parts.port}."
    return ""
