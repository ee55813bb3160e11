"""A route's settings as options of `routes create` and `routes edit`, and the document of the
console's API that they make: pure but for click's words.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import click
import msgspec

from libs.common.contracts.route import (
    DUPLICATE_WINDOW_MAX_S,
    Guards,
    RouteSettings,
    Sizing,
    Symbols,
)
from libs.common.contracts.words import DistanceUnit, MarginMode, SizingMode, TradeMode
from libs.common.domain.quantity import plain
from tools.cli.documents import laid_over
from tools.cli.numbers import Positive, positive

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
_POSITIVE = Positive()


def _words(kind: type[DistanceUnit | MarginMode | SizingMode | TradeMode]) -> click.Choice[str]:
    return click.Choice([word.value for word in kind])


_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option(
        *("--account", "accounts"),
        multiple=True,
        metavar="NAME[:MULTIPLIER]",
        help="Account to trade; may be repeated.",
    ),
    click.option(
        "--trade-mode",
        type=_words(TradeMode),
        help="How a signal meets what is held.  [default: netting]",
    ),
    click.option("--inverse/--no-inverse", default=None, help="Exchange buy and sell."),
    click.option("--pyramiding/--no-pyramiding", default=None, help="Add to a side that is held."),
    click.option("--sizing", type=_words(SizingMode), help="What a size counts.  [default: base]"),
    click.option(
        "--sizing-value",
        type=_POSITIVE,
        metavar="N",
        help="Size, where the mode takes it from the route.",
    ),
    click.option(
        "--multiplier",
        type=_POSITIVE,
        metavar="N",
        help="Factor on every size.  [default: 1]",
    ),
    click.option(
        "--margin-mode", type=_words(MarginMode), help="Of what is opened.  [default: cross]"
    ),
    click.option(
        "--leverage", type=click.IntRange(1, 500), help="Of what is opened.  [default: 10]"
    ),
    click.option(
        "--sltp-unit",
        type=_words(DistanceUnit),
        help="Unit of stop_loss and take_profit.  [default: price]",
    ),
    click.option(
        *("--max-age", "max_age_s"),
        type=click.IntRange(1),
        metavar="S",
        help="Older entries are denied.  [default: 30]",
    ),
    click.option(
        *("--duplicate-window", "duplicate_window_s"),
        type=click.IntRange(0, DUPLICATE_WINDOW_MAX_S),
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
        help="The contract of a ticker, and how many of its base units one of the"
        " ticker's is: MYPEPE=PEPE_USDT:1000; may be repeated.",
    ),
    click.option(
        "--max-order-notional",
        type=_POSITIVE,
        metavar="N",
        help="No order opens more than this, in the quote currency.",
    ),
    click.option(
        "--max-position-notional",
        type=_POSITIVE,
        metavar="N",
        help="No position grows beyond this, in the quote currency.",
    ),
    click.option(
        "--orders-per-minute",
        type=click.IntRange(1),
        metavar="N",
        help="How often a minute each account may open.",
    ),
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


def route_options(command: Command) -> Command:
    """Adds an option per setting; the command hands them on to `settings_of`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_of(document: Document, given: Document) -> Document:
    """The document with the options laid over it; lists are replaced, overrides added to."""
    given = {name: _text_of(value) for name, value in given.items()}
    given["accounts"] = [_account(text) for text in given.get("accounts", ())]
    given["overrides"] = dict(_override(text) for text in given.get("overrides", ())) or None
    for group, names in _GROUPS.items():
        options = {name: given.pop(option, None) for name, option in names.items()}
        options = laid_over({}, options)
        if not options:
            continue
        before = _group(document, group)
        if "overrides" in options:
            options["overrides"] = _group(before, "overrides") | options["overrides"]
        given[group] = before | options
    return laid_over(document, given)


def cleared(patch: Document, names: Iterable[str]) -> Document:
    """The merge patch with nulls, by which settings go back to their defaults."""
    out: Document = msgspec.json.decode(msgspec.json.encode(patch))
    for name in names:
        *groups, last = _path(name)
        inner = out
        for group in groups:
            inner[group] = _group(inner, group)
            inner = inner[group]
        if inner.get(last) is not None:
            raise click.UsageError(f"{name} is set and cleared at once")
        inner[last] = None
    return out


def _group(document: Document, name: str) -> Document:
    # A file may hold anything.
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise click.UsageError(
            f"{name} must be an object in the file, where an option names one of its settings"
        )
    return found


def _text_of(value: Any) -> Any:
    # The API reads decimals from strings, and shows them so.
    return plain(value) if isinstance(value, Decimal) else value


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
    name, colon, multiplier = text.partition(":")
    if not name:
        raise click.UsageError(f"--account needs NAME[:MULTIPLIER], not {text!r}")
    return {"account": name, "multiplier": _factor(multiplier, of=text) if colon else "1"}


def _override(text: str) -> tuple[str, dict[str, str]]:
    ticker, equals, rest = text.partition("=")
    symbol, colon, per_unit = rest.partition(":")
    if not ticker or not equals or not symbol:
        raise click.UsageError(f"--override needs TICKER=SYMBOL[:PER_UNIT], not {text!r}")
    # Said even where it is 1: a merge patch would leave another one standing.
    return ticker, {"symbol": symbol, "per_unit": _factor(per_unit, of=text) if colon else "1"}


def _factor(text: str, *, of: str) -> str:
    try:
        return plain(positive(text))
    except ValueError as error:
        raise click.UsageError(f"{of!r}: {error}") from None
