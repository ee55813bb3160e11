"""`alertwire changes`: what was changed by hand, by whom, and from what to what."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import click

from tools.cli.calling import call
from tools.cli.place import Place, with_place
from tools.cli.showing import (
    clean,
    examples,
    in_words,
    json_option,
    print_json,
    table,
    terminal,
)

_HALTS = {"created": "halted", "changed": "halted anew", "deleted": "resumed"}


@click.command(
    epilog=examples("alertwire changes", "alertwire changes --route demo --limit 5 --json")
)
@click.option("--route", metavar="R", help="Only this route, and its halts.")
@click.option("--account", metavar="A", help="Only this account, its key and its halts.")
@click.option(
    "--limit",
    type=click.IntRange(1, 500),
    default=20,
    show_default=True,
    metavar="N",
    help="How many at most.",
)
@click.option("--before", metavar="PLACE", help="Only older ones.")
@json_option
@with_place
def changes(
    *,
    route: str | None,
    account: str | None,
    limit: int,
    before: str | None,
    as_json: bool,
    place: Place,
) -> None:
    """List what was changed by hand, newest first: routes, accounts, their keys, and halts.

    Each with who changed it, as they called themselves (ALERTWIRE_BY, else the user name), and from
    where. What is secret is shown only as changed.
    """
    asked = {"limit": limit, "route": route, "account": account, "before": before}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    answer = call(place.console(), "GET", f"/changes?{query}")
    if as_json:
        print_json(answer)
        return
    if not answer["changes"]:
        click.echo("nothing was changed")
        return
    _print(answer["changes"])
    if answer["next"] is not None:
        click.echo(f"there are older ones: alertwire changes --before {answer['next']}")


def _print(found: Sequence[Mapping[str, Any]]) -> None:
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    rows = table("when", "who", "what")
    for change in found:
        when, who = f"{change['at'][:19]}Z", change["made_by"] or "-"
        rows.add_row(when, Text(clean(who)), Text(clean(_what(change)), style="bold"))
        for line in _lines(change["fields"], is_new=change["how"] == "created"):
            rows.add_row("", "", Text(clean(line)))
    terminal().print(rows)


def _what(change: Mapping[str, Any]) -> str:
    if change["kind"] != "control":
        return f"{change['kind']} {change['id']} {change['how']}"
    scope = "everything" if change["id"] is None else f"{change['scope']} {change['id']}"
    return f"{scope} {_HALTS[change['how']]}"


def _lines(fields: Sequence[Mapping[str, Any]], *, is_new: bool) -> Iterator[str]:
    for field in fields:
        if is_new:
            yield f"{field['field']} {in_words(field['new'])}"
        elif field["hidden"] and field["old"] == field["new"]:
            yield f"{field['field']} changed"
        else:
            yield f"{field['field']} {in_words(field['old'])} -> {in_words(field['new'])}"
