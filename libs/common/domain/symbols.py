"""Ticker to contract: pure. `BTCUSDT.P`, `MEXC:BTCUSDT.P`, `BTCUSDTPERP` and `BTC_USDT` are all
BTC_USDT, if the exchange lists it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Symbols
from libs.common.contracts.words import VenueSymbol

QUOTES = ("USDT", "USDC", "USD")
"""Longest first, so that USDT is not read as USD and a rest."""

_SUFFIX = re.compile(r"(\.P|PERP|\.PERP|-PERP)$")


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
    """Find the contract that a ticker means: an override of the route wins over the rule."""
    override = symbols.overrides.get(ticker) or symbols.overrides.get(ticker.upper())
    if override is not None:
        symbol, per_unit, how = override.symbol, override.per_unit, "by the route's override"
    else:
        symbol, per_unit, how = symbol_of(ticker), Decimal(1), "by its name"
    instrument = catalogue.get(symbol)
    context = {"ticker": ticker, "symbol": symbol}
    if instrument is None:
        near = nearest(symbol, known=tuple(catalogue))
        hint = f"; near: {', '.join(near)}" if near else ""
        return Denial(
            reason=Reason.SYMBOL_UNKNOWN,
            message=f"ticker {ticker} reads as {symbol}, which the exchange does not list{hint}",
            context={**context, "nearest": ", ".join(near)},
        )
    if symbols.allow and symbol not in symbols.allow:
        return Denial(
            reason=Reason.SYMBOL_NOT_ALLOWED,
            message=f"{symbol} is not in the route's allow list ({', '.join(symbols.allow)})",
            context=context,
        )
    return Mapped(
        instrument=instrument, per_unit=per_unit, step=f"ticker {ticker} is {symbol} {how}"
    )


def symbol_of(ticker: str) -> VenueSymbol:
    """The exchange's spelling of a ticker, whether or not such a contract exists."""
    name = ticker.strip().upper().rpartition(":")[2]
    name = _SUFFIX.sub("", name)
    if "_" in name:
        return VenueSymbol(name)
    name = name.replace("/", "").replace("-", "")
    for quote in QUOTES:
        if name.endswith(quote) and len(name) > len(quote):
            return VenueSymbol(f"{name[: -len(quote)]}_{quote}")
    return VenueSymbol(name)


def nearest(symbol: VenueSymbol, *, known: tuple[VenueSymbol, ...]) -> tuple[VenueSymbol, ...]:
    """Up to three listed symbols that a user may have meant: those that share the base's name."""
    base = re.sub(r"^[0-9]+", "", symbol.partition("_")[0])
    if len(base) < 2:
        return ()
    found = [other for other in known if base in other.partition("_")[0]]
    found += [
        other
        for other in known
        if other not in found and other.partition("_")[0].startswith(base[:3])
    ]
    return tuple(sorted(found[:3]))
