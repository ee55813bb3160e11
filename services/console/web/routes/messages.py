"""What to paste into TradingView for a route: pure. One message per kind of alert, as the route's
mode, sizes and secret ask for it; docs/alert-format.md says what each field means.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from libs.common.contracts.route import RouteSettings, Sizing
from libs.common.contracts.words import SizingMode, TradeMode
from libs.common.domain.symbols import folded

SECRET_PLACE = "PUT-THE-BODY-SECRET-HERE"  # noqa: S105 - what stands there instead of one
_TICKER = "{{ticker}}"
_PRICE = "{{close}}"
_SIZED_BY_ALERT = frozenset({SizingMode.BASE, SizingMode.CONTRACTS})
_EXAMPLE_SIZES = {
    SizingMode.BASE: "0.001",
    SizingMode.CONTRACTS: "10",
    SizingMode.QUOTE: "100",
    SizingMode.PERCENT_EQUITY: "5",
    SizingMode.PERCENT_POSITION: "50",
    SizingMode.RISK_PERCENT: "1",
    SizingMode.FIXED: "0.001",
}
_UNITS = {
    SizingMode.BASE: "the coin itself: 0.001 is 0.001 BTC",
    SizingMode.CONTRACTS: "contracts of the exchange",
    SizingMode.QUOTE: "USDT",
    SizingMode.PERCENT_EQUITY: "percent of the account's equity",
    SizingMode.PERCENT_POSITION: "percent of what is held",
    SizingMode.RISK_PERCENT: "percent of the equity that the stop may cost",
    SizingMode.FIXED: "the coin itself: 0.001 is 0.001 BTC",
}


class Kind(StrEnum):
    STRATEGY = "strategy"
    TARGET = "target"
    BUY = "indicator-buy"
    SELL = "indicator-sell"
    MANUAL = "manual"
    CLOSE = "close"


@dataclass(frozen=True, kw_only=True)
class Message:
    kind: Kind
    title: str
    note: str
    text: str
    is_first: bool = False
    """The one to take unless there is a reason not to."""


def messages(settings: RouteSettings, *, secret: str | None = None) -> list[Message]:
    """The best one first. `secret`: the body secret, or what stands in its place."""
    drafts = list(_drafts(settings))
    return [
        Message(
            kind=draft.kind,
            title=draft.title,
            note=draft.note,
            text=_text(draft.fields, secret=secret),
            is_first=draft is drafts[0],
        )
        for draft in drafts
    ]


@dataclass(frozen=True, kw_only=True)
class _Draft:
    kind: Kind
    title: str
    note: str
    fields: dict[str, str]


def _drafts(settings: RouteSettings) -> Iterator[_Draft]:
    mode = settings.trade_mode
    # A part of what is held is no position to move to, and a hedge's two sides are not one.
    has_target = settings.sizing.mode is not SizingMode.PERCENT_POSITION
    if has_target and mode is not TradeMode.HEDGE:
        yield _target(settings)
    if mode in {TradeMode.NETTING, TradeMode.HEDGE}:
        yield _strategy(settings)
    if mode is TradeMode.TARGET:
        yield from _fixed_targets(settings)
    else:
        yield from _indicator(settings)
    yield _manual(settings)
    yield _Draft(
        kind=Kind.CLOSE,
        title="Close",
        note="Closes what is held on the chart's contract, whatever the sizes.",
        fields={"ticker": _TICKER, "order_action": "flat"},
    )


def _target(settings: RouteSettings) -> _Draft:
    size = _size(settings.sizing, "{{strategy.market_position_size}}", name="market_position_size")
    fields = {
        "ticker": _TICKER,
        "market_position": "{{strategy.market_position}}",
        **size,
        "prev_market_position": "{{strategy.prev_market_position}}",
        "price": _PRICE,
        **_stop(settings),
    }
    if settings.trade_mode is not TradeMode.TARGET:
        fields["trade_type"] = "target"
    return _Draft(
        kind=Kind.TARGET,
        title="Strategy: follow its position",
        note=(
            "Moves the account to the position that the strategy holds. A missed or doubled alert"
            " mends itself with the next one." + _size_note(settings.sizing, size)
        ),
        fields=fields,
    )


def _strategy(settings: RouteSettings) -> _Draft:
    size = _size(settings.sizing, "{{strategy.order.contracts}}", name="order_contracts")
    if settings.trade_mode is TradeMode.HEDGE:
        # A buy that ends a short would open a long beside it: each order has to say what it is.
        action = "{{strategy.order.comment}}"
        note = (
            "Give each order of the strategy a comment that says what it does: buy, sell, closelong"
            " or closeshort."
        )
    else:
        action = "{{strategy.order.action}}"
        note = "Repeats each order of the strategy. Every alert has to arrive, and each once."
    return _Draft(
        kind=Kind.STRATEGY,
        title="Strategy: repeat its orders",
        note=note + _size_note(settings.sizing, size),
        fields={
            "ticker": _TICKER,
            "order_action": action,
            **size,
            "price": _PRICE,
            **_stop(settings),
        },
    )


def _indicator(settings: RouteSettings) -> Iterator[_Draft]:
    size = _size(settings.sizing, None, name="order_contracts")
    for kind, action in ((Kind.BUY, "buy"), (Kind.SELL, "sell")):
        yield _Draft(
            kind=kind,
            title=f"Indicator: {action}",
            note=f"For the alert whose signal means {action}." + _size_note(settings.sizing, size),
            fields={
                "ticker": _TICKER,
                "order_action": action,
                **size,
                "price": _PRICE,
                **_stop(settings),
            },
        )


def _fixed_targets(settings: RouteSettings) -> Iterator[_Draft]:
    size = _size(settings.sizing, None, name="market_position_size")
    for kind, side in ((Kind.BUY, "long"), (Kind.SELL, "short")):
        yield _Draft(
            kind=kind,
            title=f"Indicator: be {side}",
            note=f"For the alert whose signal means {side}." + _size_note(settings.sizing, size),
            fields={
                "ticker": _TICKER,
                "market_position": side,
                **size,
                "price": _PRICE,
                **_stop(settings),
            },
        )


def _manual(settings: RouteSettings) -> _Draft:
    name = "market_position_size" if settings.trade_mode is TradeMode.TARGET else "order_contracts"
    size = _size(settings.sizing, None, name=name)
    what = (
        {"market_position": "long"}
        if settings.trade_mode is TradeMode.TARGET
        else {"order_action": "buy"}
    )
    return _Draft(
        kind=Kind.MANUAL,
        title="By hand, and for the first test",
        note="Everything is fixed: for an alert on a price line, or to see that it all works."
        + _size_note(settings.sizing, size),
        fields={
            "ticker": example_ticker(settings),
            **what,
            **size,
            **_stop(settings),
        },
    )


def example_ticker(settings: RouteSettings) -> str:
    """Fixed for a first test: one that the route may trade."""
    overrides, allow = settings.symbols.overrides, settings.symbols.allow
    if allow:
        symbol = allow[0]
        renamed = (ticker for ticker, each in overrides.items() if each.symbol == symbol)
        return next(renamed, symbol)
    return next((folded(ticker) for ticker in overrides), "BTCUSDT.P")


def example_size(sizing: Sizing) -> str:
    """Nothing where the route has its size."""
    return next(iter(_size(sizing, None, name="").values()), "")


def _size(sizing: Sizing, placeholder: str | None, *, name: str) -> dict[str, str]:
    """What the message says about the size; nothing where the route has one."""
    if sizing.value is not None and sizing.mode not in _SIZED_BY_ALERT:
        return {}
    # A strategy counts coins. Where the route counts something else, its number would be misread.
    counts_coins = sizing.mode in {SizingMode.BASE, SizingMode.FIXED}
    if placeholder is not None and counts_coins:
        return {name: placeholder}
    return {name: _EXAMPLE_SIZES[sizing.mode]}


def _size_note(sizing: Sizing, size: dict[str, str]) -> str:
    if not size:
        return " The route has its size."
    number = next(iter(size.values()))
    if number.startswith("{{"):
        return ""
    return f" Put your size instead of {number}; it counts {_UNITS[sizing.mode]}."


def _stop(settings: RouteSettings) -> dict[str, str]:
    # Without a stop there is nothing that a risk could be counted by.
    if settings.sizing.mode is SizingMode.RISK_PERCENT:
        return {"stop_loss": "2", "sltp_type": "percent"}
    return {}


def _text(fields: dict[str, str], *, secret: str | None) -> str:
    told = fields if secret is None else {**fields, "secret": secret}
    return json.dumps(told, indent=2, ensure_ascii=False)
