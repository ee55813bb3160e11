"""A route's settings as options of `routes create` and `routes edit`, and the document of the
console's API that they make: pure but for click's words.
"""

from collections.abc import Callable, Iterable
from typing import Any

import click
import msgspec

from libs.common.contracts.route import Guards, RouteSettings, Sizing, Symbols
from libs.common.contracts.words import DistanceUnit, MarginMode, SizingMode, TradeMode
from tools.cli.documents import laid_over

Command = Callable[..., Any]
Document = dict[str, Any]

_GROUPS: dict[str, dict[str, str]] = {
    "sizing": {"mode": "sizing", "value": "sizing_value", "multiplier": "multiplier"},
    "symbols": {"allow": "allow", "overrides": "overrides"},
    "guards": {
        "max_order_notional": "max_order_notional",
        "max_position_notional": "max_position_notional",
        "orders_per_minute": "orders_per_minute",
        "windows": "windows",
    },
}
"""Which option holds what of a nested object."""

_KEPT = frozenset({"id", "accounts", "state"})
CLEARABLE = frozenset(
    {name for name in RouteSettings.__struct_fields__ if name not in _KEPT | {*_GROUPS}}
    | {f"sizing.{name}" for name in Sizing.__struct_fields__}
    | {f"symbols.{name}" for name in Symbols.__struct_fields__}
    | {f"guards.{name}" for name in Guards.__struct_fields__}
)


def _words(kind: type[DistanceUnit | MarginMode | SizingMode | TradeMode]) -> click.Choice[str]:
    return click.Choice([word.value for word in kind])


def route_options(command: Command) -> Command:
    """Adds an option per setting; the command hands them on to `settings_of`."""
    for option in reversed(
        (
            click.option(
                *("--account", "accounts"),
                multiple=True,
                metavar="NAME[:MULTIPLIER]",
                help="Account to trade; may be repeated.",
            ),
            click.option("--trade-mode", type=_words(TradeMode), help="[default: netting]"),
            click.option("--inverse/--no-inverse", default=None, help="Exchange buy and sell."),
            click.option(
                "--pyramiding/--no-pyramiding", default=None, help="Add to a side that is held."
            ),
            click.option("--sizing", type=_words(SizingMode), help="[default: base]"),
            click.option(
                "--sizing-value", metavar="N", help="Size, where the mode takes it from the route."
            ),
            click.option("--multiplier", metavar="N", help="Factor on every size.  [default: 1]"),
            click.option("--margin-mode", type=_words(MarginMode), help="[default: cross]"),
            click.option("--leverage", type=click.IntRange(1, 500), help="[default: 10]"),
            click.option(
                "--sltp-unit",
                type=_words(DistanceUnit),
                help="Unit of stop_loss and take_profit.  [default: price]",
            ),
            click.option(
                *("--max-age", "max_age_s"),
                type=int,
                metavar="S",
                help="Older entries are denied.  [default: 30]",
            ),
            click.option(
                *("--duplicate-window", "duplicate_window_s"),
                type=int,
                metavar="S",
                help="An identical body within it is a resend.  [default: 30]",
            ),
            click.option(
                "--allow",
                multiple=True,
                metavar="SYMBOL",
                help="Contract that may be traded: BTC_USDT; none named: all; may be repeated.",
            ),
            click.option(
                *("--override", "overrides"),
                multiple=True,
                metavar="TICKER=SYMBOL[:PER_UNIT]",
                help="The contract of a ticker: MYPEPE=PEPE_USDT:1000; may be repeated.",
            ),
            click.option("--max-order-notional", metavar="N", help="In the quote currency."),
            click.option("--max-position-notional", metavar="N", help="In the quote currency."),
            click.option("--orders-per-minute", type=click.IntRange(1), metavar="N"),
            click.option(
                *("--window", "windows"),
                multiple=True,
                metavar="WINDOW",
                help="Entries only in it, UTC: 'mon-fri 08:00-20:00'; may be repeated.",
            ),
            click.option(
                *("--allow-address", "allow_addresses"),
                multiple=True,
                metavar="NETWORK",
                help="Who may post: an address or network; may be repeated.",
            ),
        )
    ):
        command = option(command)
    return command


def settings_of(document: Document, given: Document) -> Document:
    """The document with the options laid over it; lists are replaced, overrides added to."""
    given = dict(given)
    given["accounts"] = [_account(text) for text in given.get("accounts", ())]
    given["overrides"] = dict(_override(text) for text in given.get("overrides", ())) or None
    for group, names in _GROUPS.items():
        options = {name: given.pop(option, None) for name, option in names.items()}
        before = document.get(group) or {}
        if group == "symbols" and options["overrides"]:
            options["overrides"] = {**before.get("overrides", {}), **options["overrides"]}
        given[group] = laid_over(before, options) or None
    return laid_over(document, given)


def cleared(patch: Document, names: Iterable[str]) -> Document:
    """The merge patch with nulls, by which settings go back to their defaults."""
    out: Document = msgspec.json.decode(msgspec.json.encode(patch))
    for name in names:
        *groups, last = _path(name)
        inner = out
        for group in groups:
            inner = inner.setdefault(group, {})
        if last in inner:
            raise click.UsageError(f"{name} is set and cleared at once")
        inner[last] = None
    return out


def _path(name: str) -> list[str]:
    group, _, rest = name.partition(".")
    kind, _, ticker = rest.partition(".")
    if (group, kind) == ("symbols", "overrides") and ticker:
        # A ticker may have a dot itself: BTCUSDT.P
        return [group, kind, ticker]
    if name not in CLEARABLE:
        raise click.UsageError(
            f"--clear knows no {name}; it knows {', '.join(sorted(CLEARABLE))} and"
            " symbols.overrides.TICKER"
        )
    return name.split(".")


def _account(text: str) -> dict[str, str]:
    name, _, multiplier = text.partition(":")
    return {"account": name, "multiplier": multiplier or "1"}


def _override(text: str) -> tuple[str, dict[str, str]]:
    ticker, equals, rest = text.partition("=")
    symbol, _, per_unit = rest.partition(":")
    if not ticker or not equals or not symbol:
        raise click.UsageError(f"--override needs TICKER=SYMBOL[:PER_UNIT], not {text!r}")
    return ticker, {"symbol": symbol} | ({"per_unit": per_unit} if per_unit else {})
