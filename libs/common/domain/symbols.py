"""Ticker to contract: pure. `BTCUSDT.P`, `MEXC:BTCUSDT.P`, `BTCUSDTPERP` and `BTC_USDT` are all
BTC_USDT, if the exchange lists it; `1000PEPEUSDT.P` is PEPE_USDT, a thousand to one.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import SymbolOverride, Symbols
from libs.common.contracts.words import VenueSymbol
from libs.common.domain.quantity import plain

QUOTES = ("USDT", "USDC", "USD")
"""Longest first, so that USDT is not read as USD and a rest."""

_SUFFIX = re.compile(r"(?<=.)(\.P|[._-]?PERP|-SWAP)$")
# ccxt's spelling BTC/USDT:USDT ends in the currency that profit is paid in.
_SETTLED = re.compile(r"(?<=/)(\w+):\w+$")

# How venues name many of a cheap coin: 1000PEPE, 1MBABYDOGE, SHIB1000. A coin of its own whose
# name begins like that (1INCH) is no multiple, and one that is listed under its own name is that.
_MULTIPLES = tuple(10**zeros for zeros in range(3, 10))
_BEFORE = re.compile(r"^(10{3,9})([^0].*)$")
_MILLION = re.compile(r"^1M(.{3,})$")
_BEHIND = re.compile(r"^(.*[^0-9].*?)(10{3,9})$")
_SAME_COIN = {"XBT": "BTC", "BTC": "XBT"}

_NEAR = 0.6
"""As difflib counts likeness: one wrong letter of three."""


@dataclass(frozen=True, kw_only=True)
class Mapped:
    instrument: Instrument
    per_unit: Decimal
    """The exchange's base units in one unit of the chart's ticker."""
    step: str
    """How the ticker was read, for people."""


def map_ticker(
    ticker: str, *, catalogue: Mapping[VenueSymbol, Instrument], symbols: Symbols
) -> Mapped | Denial:
    """Find the contract that a ticker means: an override of the route wins over the rules. Whether
    the route allows it is another question (`not_allowed`), since an exit may pass all the same.
    """
    override = _override(ticker, symbols)
    if override is not None:
        symbol, per_unit, how = override.symbol, override.per_unit, "by the route's override"
    else:
        symbol, per_unit, how = symbol_of(ticker), Decimal(1), "by its name"
        if symbol not in catalogue:
            symbol, per_unit = _multiplied(symbol, catalogue=catalogue) or (symbol, per_unit)
            how = "by its coin"
    instrument = catalogue.get(symbol)
    if instrument is None:
        return _unknown(ticker, symbol=symbol, known=tuple(catalogue))
    if per_unit != 1:
        how += f": 1 of the chart's unit is {plain(per_unit)} {instrument.base}"
    return Mapped(
        instrument=instrument, per_unit=per_unit, step=f"ticker {ticker} is {symbol} {how}"
    )


def symbol_of(ticker: str) -> VenueSymbol:
    """The exchange's spelling of a ticker, whether or not such a contract exists."""
    name = _SUFFIX.sub("", _without_venue(ticker))
    if "_" in name:
        return VenueSymbol(name)
    name = name.replace("/", "").replace("-", "")
    for quote in QUOTES:
        if name.endswith(quote) and len(name) > len(quote):
            return VenueSymbol(f"{name[: -len(quote)]}_{quote}")
    return VenueSymbol(name)


def not_allowed(symbol: VenueSymbol, *, symbols: Symbols) -> Denial | None:
    """What the route's allow list says to opening a contract."""
    if not symbols.allow or symbol in {symbol_of(entry) for entry in symbols.allow}:
        return None
    return Denial(
        reason=Reason.SYMBOL_NOT_ALLOWED,
        message=f"{symbol} is not in the route's allow list ({', '.join(symbols.allow)})",
        context={"symbol": symbol, "allow": ", ".join(symbols.allow)},
    )


def nearest(symbol: VenueSymbol, *, known: tuple[VenueSymbol, ...]) -> tuple[VenueSymbol, ...]:
    """Up to three listed symbols that a user may have meant, the likeliest first."""
    base = symbol.partition("_")[0]
    listed: dict[str, list[VenueSymbol]] = {}
    for other in known:
        listed.setdefault(other.partition("_")[0], []).append(other)
    longer = sorted((other for other in listed if base in other), key=len)
    bases = [
        base,
        *(other for other in longer if len(base) >= 3 and other.startswith(base)),
        *difflib.get_close_matches(base, listed, n=3, cutoff=_NEAR),
        *(other for other in longer if len(base) >= 3),
    ]
    found = [other for each in bases for other in listed.get(each, ())]
    return tuple(dict.fromkeys(found))[:3]


def folded(ticker: str) -> str:
    """A ticker as the keys of overrides are compared."""
    return ticker.strip().upper()


def _override(ticker: str, symbols: Symbols) -> SymbolOverride | None:
    known = {folded(key): override for key, override in symbols.overrides.items()}
    # `BYBIT:SHIB1000USDT.P` may have an override of its own, apart from other venues' charts.
    return known.get(folded(ticker)) or known.get(_without_venue(ticker))


def _without_venue(ticker: str) -> str:
    return _SETTLED.sub(r"\1", folded(ticker)).rpartition(":")[2]


def _multiplied(
    symbol: VenueSymbol, *, catalogue: Mapping[VenueSymbol, Instrument]
) -> tuple[VenueSymbol, Decimal] | None:
    """The listed contract of the same coin in another multiple, and its units per chart unit."""
    base, _, quote = symbol.partition("_")
    found = {
        other: Decimal(of_chart) / of_venue
        for of_chart, coin in _readings(base)
        for of_venue, name in _spellings(coin)
        if (other := VenueSymbol(f"{name}_{quote}")) in catalogue
    }
    # Were there several, they would be one coin all the same; the nearest multiple is the least
    # surprising.
    return min(found.items(), key=lambda each: (max(each[1], 1 / each[1]), each[0]), default=None)


def _readings(base: str) -> Iterator[tuple[int, str]]:
    """A base's name as so many of a coin."""
    plainly = [(1, base)]
    if before := _BEFORE.match(base):
        plainly.append((int(before[1]), before[2]))
    if million := _MILLION.match(base):
        plainly.append((10**6, million[1]))
    if behind := _BEHIND.match(base):
        plainly.append((int(behind[2]), behind[1]))
    for multiple, coin in plainly:
        yield multiple, coin
        if coin in _SAME_COIN:
            yield multiple, _SAME_COIN[coin]


def _spellings(coin: str) -> Iterator[tuple[int, str]]:
    yield 1, coin
    yield 10**6, f"1M{coin}"
    for multiple in _MULTIPLES:
        yield multiple, f"{multiple}{coin}"
        yield multiple, f"{coin}{multiple}"


def _unknown(ticker: str, *, symbol: VenueSymbol, known: tuple[VenueSymbol, ...]) -> Denial:
    near = nearest(symbol, known=known)
    hint = f"; near: {', '.join(near)}" if near else ""
    return Denial(
        reason=Reason.SYMBOL_UNKNOWN,
        message=f"ticker {ticker} reads as {symbol}, which the exchange does not list{hint}",
        context={"ticker": ticker, "symbol": symbol, "nearest": ", ".join(near)},
    )
