"""The alert's message as options of a command: what `send` posts, and `explain` explains."""

import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import click
import msgspec

from tools.cli.numbers import Number

_encoder = msgspec.json.Encoder(decimal_format="number")
Command = Callable[..., Any]


class _Size(click.ParamType[Decimal | str]):
    """A number, or a part in percent, which is a string in the message."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal | str:
        text = str(value)
        number = Number().convert(text.removesuffix("%"), param, ctx)
        return text if text.endswith("%") else number


WHOLE = "--json"
_N = Number()
_S = _Size()
# Words are passed on as they are: what ingest says to a wrong one is worth seeing.
_OPTIONS: tuple[tuple[str, str, click.ParamType[Any] | None, str], ...] = (
    ("--ticker", "ticker", None, "As TradingView writes it: BTCUSDT.P"),
    (
        *("--action", "order_action", None),
        "buy, sell, flat, closelong, closeshort, closeall, reverse, modify, breakeven or cancel.",
    ),
    ("--contracts", "order_contracts", _S, "In the unit of the route's sizing; or a part: 50%"),
    ("--order-type", "order_type", None, "market, limit, post_only, ioc, fok or stop."),
    ("--market-position", "market_position", None, "Position to move to: long, short or flat."),
    ("--market-position-size", "market_position_size", _S, "Its size, without a sign."),
    ("--position-size", "position_size", _S, "Both in one; below 0 is short."),
    ("--prev-market-position", "prev_market_position", None, "What was held before; a check."),
    ("--sl", "stop_loss", _N, "Stop as a distance, in the unit of --sltp-type."),
    ("--tp", "take_profit", _N, "Target as a distance, in the same unit."),
    ("--sl-price", "sl_price", _N, "Stop as a price; wins over --sl."),
    ("--tp-price", "tp_price", _N, "Target as a price; wins over --tp."),
    ("--sltp-type", "sltp_type", None, "price, ticks or percent; else the route's --sltp-unit."),
    ("--trailing", "trailing_pips", _N, "Distance of a trailing stop, always in ticks."),
    ("--trigger", "trigger", None, "Price that triggers stops: last, mark or index."),
    ("--trade-type", "trade_type", None, "A trade mode, or inverse; else the route's."),
    ("--close-side", "close_side", None, "long or short: which is meant where both are held."),
    ("--leverage", "leverage", click.INT, "Of what is opened; else the route's."),
    ("--margin-mode", "margin_mode", None, "cross or isolated, of what is opened."),
    ("--order-id", "order_id", None, "Label by which modify and cancel find the order."),
    ("--comment", "comment", None, "Another such label."),
    ("--alert-id", "alert_id", None, "Names the alert: another one with it is a resend."),
)
_FIELDS = ("platform_name", *(field for _, field, _, _ in _OPTIONS[:3]), "price")


def message_options(command: Command) -> Command:
    """Adds the options; the command hands what it is given on to `message_of`."""
    whole = click.option(
        WHOLE, "body", metavar="BODY", help="The alert's message whole; `-`: from stdin."
    )
    return whole(field_options(command))


def field_options(command: Command) -> Command:
    """The same without the message as a whole."""
    field = click.option(
        "--field", "fields", multiple=True, metavar="NAME=VALUE", help="Any other field."
    )
    command = field(command)
    for option, name, kind, help_text in reversed(_OPTIONS):
        metavar = None if kind is None else "N"
        command = click.option(option, name, type=kind, metavar=metavar, help=help_text)(command)
    return command


def message_of(
    body: str | None, *, fields: tuple[str, ...], known: dict[str, Any], whole: str = WHOLE
) -> str:
    """The message's text. `known`: by the format's names of fields; None is: not given. `whole`:
    what the option of the whole message is called.
    """
    given = {name: value for name, value in known.items() if value is not None}
    if body is not None:
        if given or fields:
            raise click.UsageError(f"{whole} is the whole message; leave the other fields out")
        return sys.stdin.read() if body == "-" else body
    if not given and not fields:
        raise click.UsageError(f"say what to send: {whole} BODY, or --ticker and --action")
    message: dict[str, Any] = {"platform_name": "mexc"} | given
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--field needs NAME=VALUE, not {field!r}")
        message[name] = value
    # People look for these first, in whatever order the options were given.
    first = {name: message[name] for name in _FIELDS if name in message}
    return _encoder.encode(first | message).decode()
