"""`alertwire dead`: what a service gave up on, and putting it into the log again."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from tools.cli.calling import call
from tools.cli.place import Place, with_place
from tools.cli.showing import (
    clean,
    examples,
    json_option,
    print_fields,
    print_json,
    table,
    terminal,
)


@click.group()
def dead() -> None:
    """Messages that a service gave up on, each kept whole with the reason."""


@dead.command(
    "list", epilog=examples("alertwire dead list", "alertwire dead list --limit 5 --json")
)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, metavar="N")
@click.option("--before", type=click.IntRange(1), metavar="SEQ", help="Only older ones.")
@json_option
@with_place
def list_letters(*, limit: int, before: int | None, as_json: bool, place: Place) -> None:
    """List them, newest first."""
    since = f"&before={before}" if before is not None else ""
    answer = call(place.console(), "GET", f"/dead?limit={limit}{since}")
    if as_json:
        print_json(answer)
        return
    if not answer["dead"]:
        click.echo("nothing was given up on")
        return
    _print(answer["dead"])
    if answer["next"] is not None:
        click.echo(f"there are older ones: alertwire dead list --before {answer['next']}")


@dead.command(epilog=examples("alertwire dead show 17"))
@click.argument("seq", type=click.IntRange(1))
@json_option
@with_place
def show(*, seq: int, as_json: bool, place: Place) -> None:
    """Show one whole, with the message as it stands in the log."""
    letter = call(place.console(), "GET", f"/dead/{seq}")
    if as_json:
        print_json(letter)
        return
    readable = letter["message"] is not None
    hidden = {"outlook", *(("text", "data_base64") if readable else ("message",))}
    print_fields({name: value for name, value in letter.items() if name not in hidden})
    if letter["replayed"] is None:
        click.echo(f"\nreplayed, {letter['outlook']}: alertwire dead replay {seq}")


@dead.command(epilog=examples("alertwire dead replay 17", "alertwire dead replay 17 --yes"))
@click.argument("seq", type=click.IntRange(1))
@click.option("--yes", is_flag=True, help="Do not ask first.")
@json_option
@with_place
def replay(*, seq: int, yes: bool, as_json: bool, place: Place) -> None:
    """Put the message of a dead letter into the log again, for the same service.

    Nothing that was done about it is done twice: the service looks in the log first. It comes
    behind what has arrived since. An entry is stale by then as a rule, and is denied so; an exit
    closes what is held now. A message that could not be read ends as a letter again, unless the
    software was mended since. A letter is replayed once; where that fails again it makes another.
    """
    if not yes and _at_a_terminal():
        letter = call(place.console(), "GET", f"/dead/{seq}")
        if letter["replayed"] is None:
            question = f"{_told(letter)}\nReplayed, {letter['outlook']}. Do it?"
            click.confirm(question, abort=True, err=True)
    answer = call(place.console(), "POST", f"/dead/{seq}/replay")
    if as_json:
        print_json(answer)
        return
    letter = answer["dead"]
    again = letter["replayed"]
    if answer["new"]:
        click.echo(f"{_told(letter)}\nreplayed as message {again['seq']}")
    else:
        click.echo(f"it was replayed at {again['at']} already, as message {again['seq']}")
    if letter["alert_id"]:
        click.echo(f"see what becomes of it: alertwire trace {letter['alert_id']}")


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _what(letter: Mapping[str, Any]) -> str:
    keys = (letter["account"] or letter["route"], letter["symbol"])
    return " ".join([letter["stage"], *filter(None, keys)])


def _told(letter: Mapping[str, Any]) -> str:
    return clean(f"{letter['service']} gave up on {letter['stage']}: {letter['reason']}")


def _print(letters: list[dict[str, Any]]) -> None:
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    rows = table("seq", "at", "service", "what", "alert", "replayed", "reason")
    for letter in letters:
        replayed = letter["replayed"]
        rows.add_row(
            str(letter["seq"]),
            str(letter["at"])[:19],
            letter["service"],
            Text(clean(_what(letter))),
            Text(clean(letter["alert_id"] or "-")),
            str(replayed["seq"]) if replayed else "-",
            Text(clean(letter["reason"])),
        )
    terminal().print(rows)
