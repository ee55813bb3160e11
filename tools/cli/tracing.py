"""`alertwire trace`: what became of one alert, as a waterfall in the terminal."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from libs.common.domain.telling.summaries import (
    asked_of,
    change_words,
    details,
    runs,
    summary,
    times,
)
from libs.common.domain.telling.upshot import Line, upshot
from libs.common.domain.telling.waterfall import Step, axis_end_ms, call_words, durations, steps_of
from tools.cli.bars import bar
from tools.cli.calling import NotFound, call
from tools.cli.diagnosis import print_diagnosis
from tools.cli.place import Console, Place, with_place
from tools.cli.showing import (
    came_at,
    clean,
    examples,
    json_option,
    print_json,
    style_of,
    table,
    terminal,
)

if TYPE_CHECKING:
    from rich.text import Text

_POLL_S = 0.1
_BAR_CHARS = 24
_WIDE_CHARS = 110
_USUAL = {"alert": "ingest", "intent": "router", "order": "executor", "execution": "executor"}
"""Where there is no room to say who, only who else it was is said."""
_SHADES = {"ingest": "cyan", "router": "blue", "executor": "green", "exchange": "magenta"}
_GOING_ON = frozenset({"pending", "unknown"})


@click.command(
    epilog=examples(
        "alertwire trace 0197b2c0-7f3a-7c11-9d2e-5b8f0e6a1c44",
        "alertwire trace 0197b2c0-7f3a-7c11-9d2e-5b8f0e6a1c44 --json --wait 10",
    )
)
@click.argument("alert_id")
@json_option
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    metavar="S",
    help="Seconds to wait for the trail to know the alert and for its end.",
)
@with_place
def trace(*, alert_id: str, as_json: bool, wait_s: float, place: Place) -> None:
    """Show the journey of ALERT_ID: every step with its time, numbers and the exchange's words.

    First comes what was done, what waits and what was not done, unless everything was; then every
    event, with the sentences by which router and executor came to it; then orders and changes as
    they stand now. `partial` means that a part was done and a part was not.

    Exit status 1 where the trail does not know the alert.
    """
    document = _fetch(place.console(), alert_id, until=time.monotonic() + wait_s)
    if as_json:
        print_json(document)
    else:
        _print(document)


def _fetch(console: Console, alert_id: str, *, until: float) -> dict[str, Any]:
    while True:
        try:
            document: dict[str, Any] = call(console, "GET", f"/alerts/{alert_id}")
        except NotFound:
            if time.monotonic() >= until:
                raise
        else:
            if document["status"] not in _GOING_ON or time.monotonic() >= until:
                return document
        time.sleep(_POLL_S)


def _print(document: Mapping[str, Any]) -> None:
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    out = terminal()
    status = document["status"]
    out.print(
        Text.assemble(
            f"{document['alert_id']}  ",
            (status, style_of(status)),
            f"  route {document['route']}",
        )
    )
    out.print(Text(came_at(document["events"][0]["at"])))
    if document["reason"]:
        out.print(Text(clean(str(document["reason"])), style=style_of(status)))
    lines = upshot(document)
    if lines:
        out.print()
        _print_upshot(lines)
    out.print()
    _print_events(document["events"])
    if document["orders"]:
        out.print()
        _print_orders(document["orders"])
    # An older console answers without them.
    if document.get("changes"):
        out.print()
        _print_changes(document["changes"])
    # Only a halt has them, and an older console tells none.
    if document.get("alerts"):
        out.print()
        _print_alerts(document["alerts"])
    print_diagnosis(document["diagnosis"])


def _print_upshot(lines: Sequence[Line]) -> None:
    from rich.text import Text  # noqa: PLC0415

    rows = table("end", "what")
    rows.columns[0].no_wrap = True
    for end, told in lines:
        rows.add_row(Text(end.value, style=style_of(end.value)), Text(clean(told)))
    terminal().print(rows)


def _print_events(events: Sequence[Mapping[str, Any]]) -> None:
    from rich.text import Text  # noqa: PLC0415

    out = terminal()
    wide = out.width >= _WIDE_CHARS
    bar_chars = _BAR_CHARS + max(out.width - _WIDE_CHARS, 0) // 4
    rows = table("ms", "+ms", *(("when", "stage", "by") if wide else ("stage",)), "what")
    rows.columns[0].justify = rows.columns[1].justify = "right"
    for column in rows.columns[:-1]:
        column.no_wrap = True
    asked = asked_of(
        event["data"]
        for event in events
        if event["stage"] == "order.planned" and isinstance(event["data"], dict)
    )
    steps = steps_of(events)
    axis_ms = axis_end_ms(steps)
    for step in steps:
        stage, by, what = _told(step, asked=asked)
        style = style_of(stage.rpartition(".")[2]) if step.event else "dim"
        if not wide and by != _USUAL.get(stage.split(".", maxsplit=1)[0], "exchange"):
            what.append(f"\nby {clean(by)}", style="dim")
        columns = (
            (Text(bar(step, axis_ms=axis_ms, chars=bar_chars), style=_SHADES.get(by, "")),)
            if wide
            else ()
        )
        rows.add_row(
            Text(f"{(step.end_ms if step.event else step.begin_ms):.1f}"),
            Text(f"{step.took_ms:.1f}", style="dim"),
            *columns,
            Text(stage, style=style),
            *((Text(by, style=_SHADES.get(by, "")),) if wide else ()),
            what,
        )
    out.print(rows)
    told = durations(steps)
    if told:
        out.print(Text(told))


def _told(step: Step, *, asked: Mapping[str, str]) -> "tuple[str, str, Text]":
    """Stage, by whom, and what."""
    from rich.text import Text  # noqa: PLC0415

    if step.event is None:
        return "round trip", "exchange", Text(clean(call_words(step)), style="dim")
    event = step.event
    return event["stage"], event["service"], _what(event["stage"], event["data"], asked=asked)


def _what(stage: str, data: object, *, asked: Mapping[str, str]) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    what = Text(clean(summary(stage, data, asked=asked)))
    for told in details(stage, data):
        what.append(f"\n{clean(told)}", style="dim")
    return what


def _print_orders(orders: Sequence[Mapping[str, Any]]) -> None:
    from rich.text import Text  # noqa: PLC0415

    rows = table("leg", "account", "state", "filled", "order")
    for (leg, account, state, filled, number), count in runs(map(_order_row, orders)):
        rows.add_row(
            Text(times(leg, count)),
            Text(account),
            Text(state, style=style_of(state)),
            Text(filled),
            Text(clean(number)),
        )
    terminal().print(rows)


def _print_changes(changes: Sequence[Mapping[str, Any]]) -> None:
    from rich.text import Text  # noqa: PLC0415

    rows = table("change", "account", "state", "words")
    for change in changes:
        state = change["state"]
        rows.add_row(
            Text(clean(change_words(change))),
            Text(change.get("account", "")),
            Text(state, style=style_of(state)),
            Text(clean(str(change.get("words") or "-"))),
        )
    terminal().print(rows)


def _print_alerts(alerts: Sequence[Mapping[str, Any]]) -> None:
    from rich.text import Text  # noqa: PLC0415

    rows = table("alert", "account", "what", "status")
    rows.columns[0].no_wrap = True
    for alert in alerts:
        status = alert["status"]
        what = " ".join(str(alert.get(name) or "") for name in ("action", "symbol"))
        told = f"{status}: {alert['reason']}" if alert.get("reason") else status
        rows.add_row(
            Text(clean(alert["alert_id"])),
            Text(clean(str(alert.get("account") or ""))),
            Text(clean(what)),
            Text(clean(told), style=style_of(status)),
        )
    terminal().print(rows)


def _order_row(order: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    price = f" at {order['average_price']}" if order.get("average_price") else ""
    return (
        " ".join(order[name] for name in ("effect", "position_side", "contracts", "symbol")),
        order.get("account", ""),
        order["state"],
        f"{order.get('filled_contracts') or '-'}{price}",
        str(order.get("exchange_order_id") or "-"),
    )
