"""What about a route's settings will probably not do what was meant: pure. Nothing here refuses
anything; what can never work is refused by services/console/trading.py.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from libs.common.addresses import TRADINGVIEW_ADDRESSES
from libs.common.contracts.checkup import AccountChecked, CheckState
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.route import Account, RouteAccount, RouteSettings
from libs.common.contracts.words import PositionMode, SizingMode, TradeMode, VenueSymbol
from libs.common.domain.quantity import plain, shortened, to_contracts
from libs.common.domain.symbols import nearest, symbol_of
from libs.common.domain.windows import WindowError, parse_window

TYPICAL = (VenueSymbol("BTC_USDT"), VenueSymbol("ETH_USDT"))
"""What sizes are tried on where a route names no contract itself."""
_RESENT_FOR_S = 15
"""TradingView sends again for about so long what it could not deliver."""
_OLD_S = 300
_WEEK_MINUTES = 7 * 24 * 60
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One warning, beside the field that it is about."""

    field: str
    text: str
    is_hint: bool = False
    """Nothing is wrong; it could be better."""


@dataclass(frozen=True, kw_only=True)
class KnownAccount:
    """What is known of one of the route's accounts."""

    account: Account
    instruments: Mapping[VenueSymbol, Instrument] = field(default_factory=dict)
    """Empty: not read yet."""
    checkup: AccountChecked | None = None
    is_new: bool = False
    """About to be created, so nobody could check it."""


@dataclass(frozen=True, kw_only=True)
class Known:
    accounts: Mapping[str, KnownAccount] = field(default_factory=dict)
    has_body_secret: bool = False
    others: tuple[RouteSettings, ...] = ()
    """The other routes."""
    prices: Mapping[VenueSymbol, Decimal] = field(default_factory=dict)
    """Of some contracts, as far as anybody knows."""


def warnings(settings: RouteSettings, known: Known) -> list[Doubt]:
    """In the order of the form; each once, however many accounts it holds for."""
    found = [
        *_keys(settings, known),
        *_neighbours(settings, known),
        *_position_mode(settings, known),
    ]
    for part in settings.accounts:
        account = known.accounts.get(part.account)
        if account is not None and account.instruments:
            found += _leverage(settings, account)
            found += _symbols(settings, account)
            found += _sizes(settings, account, part=part, prices=known.prices)
    found += [
        *_values(settings),
        *_times(settings),
        *_windows(settings.guards.windows),
        *_doors(settings, known),
    ]
    return list(dict.fromkeys(found))


def _keys(settings: RouteSettings, known: Known) -> Iterator[Doubt]:
    for part in settings.accounts:
        account = known.accounts.get(part.account)
        if account is None or account.is_new:
            continue
        if account.checkup is None:
            text = f"Account `{part.account}` was not checked yet: its page says what is missing."
            yield Doubt(field="accounts", text=text)
            continue
        if account.checkup.stopped:
            text = f"On account `{part.account}` nothing is opened: the exchange refuses its calls."
            yield Doubt(field="accounts", text=text)
        for finding in account.checkup.findings:
            # What is about a route's contract was found by its stored settings, not by these.
            if finding.state in {CheckState.WRONG, CheckState.WARNING} and finding.route is None:
                mend = f" To mend it: {finding.mend}." if finding.mend else ""
                text = f"Account `{part.account}`: {finding.evidence}.{mend}"
                yield Doubt(field="accounts", text=text)


def _neighbours(settings: RouteSettings, known: Known) -> Iterator[Doubt]:
    ours = {part.account for part in settings.accounts}
    for other in known.others:
        shared = sorted(ours & {part.account for part in other.accounts})
        allow, theirs = (
            {symbol_of(each) for each in one.symbols.allow} for one in (settings, other)
        )
        if shared and not (allow and theirs and not allow & theirs):
            text = (
                f"Route `{other.id}` trades account `{shared[0]}`, too: on the same contract each"
                " of them moves what the other holds."
            )
            yield Doubt(field="accounts", text=text, is_hint=True)


def _position_mode(settings: RouteSettings, known: Known) -> Iterator[Doubt]:
    if settings.trade_mode is not TradeMode.HEDGE:
        return
    for part in settings.accounts:
        account = known.accounts.get(part.account)
        if account is not None and account.account.position_mode is PositionMode.ONE_WAY:
            text = (
                f"Hedge holds long and short at once, and account `{part.account}` is in one-way"
                " mode: the second side would be denied. Set hedge mode at the exchange and in the"
                " account, or choose another trade type."
            )
            yield Doubt(field="trade_mode", text=text)


def _leverage(settings: RouteSettings, known: KnownAccount) -> Iterator[Doubt]:
    named = [known.instruments[each] for each in _named(settings) if each in known.instruments]
    low = [each for each in named or known.instruments.values() if each.leverage_maximum > 0]
    low = [each for each in low if each.leverage_maximum < settings.leverage]
    if not low:
        return
    examples = ", ".join(f"{each.symbol} {each.leverage_maximum}x" for each in low[:_SHOWN])
    if named:
        text = f"The exchange allows less there: at most {examples}."
    else:
        text = (
            f"{len(low)} of the exchange's {len(known.instruments)} contracts allow less, like"
            f" {examples}."
        )
    yield Doubt(field="leverage", text=text, is_hint=not named)


def _symbols(settings: RouteSettings, known: KnownAccount) -> Iterator[Doubt]:
    allowed = [(symbol_of(each), "symbols.allow") for each in settings.symbols.allow]
    overriding = [
        (each.symbol, "symbols.overrides") for each in settings.symbols.overrides.values()
    ]
    for symbol, place in allowed + overriding:
        instrument = known.instruments.get(symbol)
        if instrument is None:
            near = nearest(symbol, known=tuple(known.instruments))
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            yield Doubt(field=place, text=f"The exchange does not list {symbol}.{hint}")
        elif not instrument.tradable:
            text = f"{symbol} is listed, but the exchange does not let it be traded by its API now."
            yield Doubt(field=place, text=text)
    allow = {symbol for symbol, _ in allowed}
    for ticker, override in settings.symbols.overrides.items():
        if allow and override.symbol not in allow:
            text = f"{ticker} is read as {override.symbol}, which is not among the allowed symbols."
            yield Doubt(field="symbols.overrides", text=text)


def _sizes(
    settings: RouteSettings,
    known: KnownAccount,
    *,
    part: RouteAccount,
    prices: Mapping[VenueSymbol, Decimal],
) -> Iterator[Doubt]:
    sizing = settings.sizing
    multiplier = sizing.multiplier * part.multiplier
    per_unit = {each.symbol: each.per_unit for each in settings.symbols.overrides.values()}
    for symbol in _named(settings) or TYPICAL:
        instrument = known.instruments.get(symbol)
        if instrument is None:
            continue
        if sizing.mode is SizingMode.FIXED and sizing.value is not None:
            sized = to_contracts(
                sizing.value,
                mode=sizing.mode,
                per_unit=per_unit.get(symbol, Decimal(1)),
                multiplier=multiplier,
                instrument=instrument,
            )
            if isinstance(sized, Denial):
                yield Doubt(field="sizing.value", text=f"It would be denied: {sized.message}.")
        elif sizing.mode in {SizingMode.BASE, SizingMode.CONTRACTS} and multiplier < 1:
            yield _smallest_alert(instrument, mode=sizing.mode, multiplier=multiplier)
        price = prices.get(symbol)
        if price is not None:
            yield from _worth(settings, instrument, price=price, multiplier=multiplier)


def _smallest_alert(instrument: Instrument, *, mode: SizingMode, multiplier: Decimal) -> Doubt:
    in_base = mode is SizingMode.BASE
    smallest = instrument.minimum_contracts * (instrument.contract_size if in_base else 1)
    unit = instrument.base if in_base else "contracts"
    return Doubt(
        field="sizing.multiplier",
        text=(
            f"Times {plain(multiplier)}, an alert must ask for at least"
            f" {shortened(smallest / multiplier)} {unit} of {instrument.symbol}: less comes below"
            f" the contract's minimum of {plain(smallest)} {unit}, and is denied."
        ),
        is_hint=True,
    )


def _worth(
    settings: RouteSettings, instrument: Instrument, *, price: Decimal, multiplier: Decimal
) -> Iterator[Doubt]:
    smallest = instrument.minimum_contracts * instrument.contract_size * price
    told = (
        f"the smallest order of {instrument.symbol} is worth about {shortened(smallest)}"
        f" {instrument.quote}"
    )
    limit = settings.guards.max_order_notional
    if limit is not None and limit < smallest:
        yield Doubt(field="guards.max_order_notional", text=f"Every order would be denied: {told}.")
    sizing = settings.sizing
    if sizing.mode is SizingMode.QUOTE and sizing.value is not None:
        worth = sizing.value * multiplier
        if worth < smallest:
            text = f"{shortened(worth)} {instrument.quote} is too little: {told}."
            yield Doubt(field="sizing.value", text=text)


def _values(settings: RouteSettings) -> Iterator[Doubt]:
    """What numbers of the route say about each other."""
    sizing, guards = settings.sizing, settings.guards
    largest = sizing.multiplier * max(part.multiplier for part in settings.accounts)
    order, position = guards.max_order_notional, guards.max_position_notional
    if sizing.value is not None and sizing.mode is SizingMode.QUOTE:
        worth = sizing.value * largest
        for limit, name in ((order, "max_order_notional"), (position, "max_position_notional")):
            if limit is not None and limit < worth:
                text = f"Every order would be denied: each is worth {plain(worth)}."
                yield Doubt(field=f"guards.{name}", text=text)
    if sizing.value is not None and sizing.mode is SizingMode.PERCENT_EQUITY:
        share = sizing.value * largest / 100
        if share > settings.leverage:
            text = (
                f"{shortened(share)} times the equity needs more than {settings.leverage}x"
                " leverage: the margin would not do."
            )
            yield Doubt(field="sizing.value", text=text)
    if order is not None and position is not None and order > position:
        text = "An order of that value would be denied by the limit of the whole position."
        yield Doubt(field="guards.max_order_notional", text=text)


def _times(settings: RouteSettings) -> Iterator[Doubt]:
    if settings.max_age_s < _RESENT_FOR_S:
        text = (
            f"TradingView sends again for about {_RESENT_FOR_S} s what could not be delivered; such"
            " an entry would come too late."
        )
        yield Doubt(field="max_age_s", text=text, is_hint=True)
    elif settings.max_age_s > _OLD_S:
        text = f"After an outage, entries {settings.max_age_s // 60} minutes old would be traded."
        yield Doubt(field="max_age_s", text=text)
    if settings.duplicate_window_s < _RESENT_FOR_S:
        text = (
            f"TradingView may send an alert again within {_RESENT_FOR_S} s; it would be traded"
            " twice."
        )
        yield Doubt(field="duplicate_window_s", text=text)


def _windows(windows: tuple[str, ...]) -> Iterator[Doubt]:
    open_minutes: set[int] = set()
    for text in windows:
        try:
            window = parse_window(text)
        except WindowError:
            return  # Refused elsewhere.
        for day in window.days:
            begin = day * 24 * 60 + window.start
            open_minutes |= {at % _WEEK_MINUTES for at in range(begin, begin + window.minutes)}
    if not windows:
        return
    if len(open_minutes) == _WEEK_MINUTES:
        text = "These windows are always open: they hold nothing back."
        yield Doubt(field="guards.windows", text=text, is_hint=True)
    elif len(open_minutes) < 60:
        text = f"The route may open for {len(open_minutes)} minutes in a whole week."
        yield Doubt(field="guards.windows", text=text)


def _doors(settings: RouteSettings, known: Known) -> Iterator[Doubt]:
    if not settings.allow_addresses:
        if not known.has_body_secret:
            text = (
                "Whoever has the URL can trade. A body secret, or TradingView's addresses below,"
                " is a second lock."
            )
            yield Doubt(field="body_secret", text=text, is_hint=True)
        return
    try:
        networks = [ipaddress.ip_network(each) for each in settings.allow_addresses]
    except ValueError:
        return  # Refused elsewhere.
    shut_out = [
        address
        for address in TRADINGVIEW_ADDRESSES
        if not any(ipaddress.ip_address(address) in network for network in networks)
    ]
    if shut_out:
        text = f"TradingView also sends from {', '.join(shut_out)}: those alerts would be refused."
        yield Doubt(field="allow_addresses", text=text)


def _named(settings: RouteSettings) -> list[VenueSymbol]:
    """The contracts that the route names itself."""
    allowed = [symbol_of(each) for each in settings.symbols.allow]
    return list(
        dict.fromkeys([*allowed, *(each.symbol for each in settings.symbols.overrides.values())])
    )
