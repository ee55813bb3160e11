"""What a route's settings say about trading, checked before it is stored: pure. What could never
trade, or never as it was meant, is refused by its field.
"""

import re
from decimal import Decimal

from libs.common.contracts.route import RouteSettings, Sizing, Symbols
from libs.common.contracts.words import SizingMode, TradeMode
from libs.common.domain.quantity import plain
from libs.common.domain.symbols import folded, symbol_of
from libs.common.domain.windows import WindowError, parse_window
from services.console.problems import Problem

_SIZED_BY_ALERT = frozenset({SizingMode.BASE, SizingMode.CONTRACTS})
_SYMBOL = re.compile(r"[^\s:/_]+_[A-Z0-9]+")
_MULTIPLIER_FINEST = Decimal("0.000001")
_MULTIPLIER_LARGEST = Decimal(1_000_000)


def check_trading(settings: RouteSettings) -> None:
    """Raises a `Problem` naming the first field that is wrong."""
    _check_sizing(settings.sizing, trade_mode=settings.trade_mode)
    _check_multiplier(settings.sizing.multiplier, field="sizing.multiplier")
    for account in settings.accounts:
        _check_multiplier(account.multiplier, field="accounts.multiplier")
    _check_symbols(settings.symbols)
    for window in settings.guards.windows:
        try:
            parse_window(window)
        except WindowError as error:
            raise Problem(422, f"{error}.", field="guards.windows", value=window) from None


def _check_sizing(sizing: Sizing, *, trade_mode: TradeMode) -> None:
    mode, value = sizing.mode, sizing.value
    if value is not None and mode in _SIZED_BY_ALERT:
        raise Problem(
            422,
            f"`sizing.mode` {mode} takes its size from the alert; leave the value out, or choose "
            "another mode: `fixed` trades the same size whatever the alert says.",
            field="sizing.value",
            value=plain(value),
        )
    if value is not None and mode is SizingMode.RISK_PERCENT and value > 100:
        raise Problem(
            422,
            "More than 100 % of the equity cannot be at risk.",
            field="sizing.value",
            value=plain(value),
        )
    if mode is SizingMode.PERCENT_POSITION and trade_mode is TradeMode.TARGET:
        raise Problem(
            422,
            "`trade_mode` target moves to a whole position, so its size cannot be a part of what "
            "is held; choose another `sizing.mode`.",
            field="sizing.mode",
            value=mode.value,
        )


def _check_multiplier(multiplier: Decimal, *, field: str) -> None:
    if not _MULTIPLIER_FINEST <= multiplier <= _MULTIPLIER_LARGEST:
        raise Problem(
            422,
            f"A multiplier lies between {plain(_MULTIPLIER_FINEST)} and "
            f"{plain(_MULTIPLIER_LARGEST)}.",
            field=field,
            value=plain(multiplier),
        )


def _check_symbols(symbols: Symbols) -> None:
    seen: dict[str, str] = {}
    for ticker, override in symbols.overrides.items():
        field = f"symbols.overrides.{ticker}"
        if not folded(ticker):
            raise Problem(422, "An override's name is the chart's ticker.", field=field)
        if folded(ticker) in seen:
            raise Problem(
                422,
                f"`{ticker}` and `{seen[folded(ticker)]}` are one ticker: case does not count.",
                field=field,
            )
        seen[folded(ticker)] = ticker
        if not _SYMBOL.fullmatch(override.symbol):
            raise Problem(
                422,
                "An override names the exchange's symbol, like BTC_USDT.",
                field=f"{field}.symbol",
                value=override.symbol,
            )
    for entry in symbols.allow:
        if not _SYMBOL.fullmatch(symbol_of(entry)):
            raise Problem(
                422,
                "The allow list names the exchange's symbols, like BTC_USDT.",
                field="symbols.allow",
                value=entry,
            )
