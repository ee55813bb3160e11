"""`alertwire routes`: the addresses that alerts are posted to."""

from typing import IO, Any

import click

from libs.common.contracts.words import MarginMode, SizingMode, TradeMode
from tools.cli.calling import call
from tools.cli.documents import laid_over, read_document
from tools.cli.place import Place, with_place
from tools.cli.showing import (
    clean,
    examples,
    json_option,
    print_fields,
    print_json,
    style_of,
    table,
    terminal,
)


def _words(kind: type[MarginMode | SizingMode | TradeMode]) -> click.Choice[str]:
    return click.Choice([word.value for word in kind])


@click.group()
def routes() -> None:
    """List, show, create, delete, rotate, pause and resume routes."""


@routes.command("list")
@json_option
@with_place
def list_routes(*, as_json: bool, place: Place) -> None:
    """List all routes."""
    document = call(place.console(), "GET", "/routes")
    if as_json:
        print_json(document)
        return
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    rows = table("route", "state", "accounts", "sizing", "mode", "margin")
    for route in document["routes"]:
        accounts = [f"{each['account']} x{each['multiplier']}" for each in route["accounts"]]
        sizing = route["sizing"]
        rows.add_row(
            Text(route["id"]),
            Text(route["state"], style=style_of(route["state"])),
            Text(", ".join(accounts)),
            Text(f"{sizing['mode']} x{sizing['multiplier']}"),
            Text(route["trade_mode"]),
            Text(f"{route['margin_mode']} {route['leverage']}x"),
        )
    terminal().print(rows)


@routes.command("show")
@click.argument("route")
@json_option
@with_place
def show_route(*, route: str, as_json: bool, place: Place) -> None:
    """Show one route with all its settings."""
    _print(call(place.console(), "GET", f"/routes/{route}"), as_json=as_json)


@routes.command(
    "create",
    epilog=examples(
        "alertwire routes create --id btc --account main --leverage 5",
        "alertwire routes create --id two --account main --account second:0.5",
        "alertwire routes create --file route.json",
    ),
)
@click.option("--id", "route_id", metavar="NAME", help="Lower case letters, digits, - and _.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="NAME[:MULTIPLIER]",
    help="Account to trade; may be repeated.",
)
@click.option("--leverage", type=click.IntRange(1, 500), help="[default: 10]")
@click.option("--margin-mode", type=_words(MarginMode), help="[default: cross]")
@click.option("--trade-mode", type=_words(TradeMode), help="[default: netting]")
@click.option("--sizing", type=_words(SizingMode), help="Unit of the size.  [default: base]")
@click.option("--sizing-value", metavar="N", help="Size, where the mode takes it from the route.")
@click.option("--multiplier", metavar="N", help="Factor on every size.  [default: 1]")
@click.option("--max-age", "max_age_s", type=int, help="Seconds; older entries are denied.")
@click.option("--file", type=click.File(), help="JSON of the route; `-` for stdin. Options win.")
@json_option
@with_place
def create_route(  # noqa: PLR0913 - one per option
    *,
    route_id: str | None,
    accounts: tuple[str, ...],
    sizing: str | None,
    sizing_value: str | None,
    multiplier: str | None,
    file: IO[str] | None,
    as_json: bool,
    place: Place,
    **given: Any,
) -> None:
    """Create a route and print its webhook, which is shown this once.

    A body secret is never an option, since others can read a command line: put it in --file.
    """
    document = read_document(file)
    given |= {"id": route_id, "accounts": [_account(text) for text in accounts]}
    document = laid_over(document, given)
    size = {"mode": sizing, "value": sizing_value, "multiplier": multiplier}
    size = laid_over(document.get("sizing", {}), size)
    if size:
        document["sizing"] = size
    for name, option in (("id", "--id"), ("accounts", "--account")):
        if not document.get(name):
            raise click.UsageError(f"{option} is missing")
    _print_webhook(call(place.console(), "POST", "/routes", body=document), place, as_json=as_json)


@routes.command("rotate")
@click.argument("route")
@click.option(
    "--overlap",
    "overlap_s",
    type=click.IntRange(0),
    default=3600,
    show_default=True,
    metavar="S",
    help="Seconds that the old webhook stays valid.",
)
@json_option
@with_place
def rotate_route(*, route: str, overlap_s: int, as_json: bool, place: Place) -> None:
    """Make a new webhook; the old one works until the overlap has passed."""
    body = {"overlap_s": overlap_s}
    answer = call(place.console(), "POST", f"/routes/{route}/rotate", body=body)
    _print_webhook(answer, place, as_json=as_json)


@routes.command("pause")
@click.argument("route")
@json_option
@with_place
def pause_route(*, route: str, as_json: bool, place: Place) -> None:
    """Refuse entries from now on; exits still pass."""
    _print_state(call(place.console(), "POST", f"/routes/{route}/pause"), as_json=as_json)


@routes.command("resume")
@click.argument("route")
@json_option
@with_place
def resume_route(*, route: str, as_json: bool, place: Place) -> None:
    """Take entries again."""
    _print_state(call(place.console(), "POST", f"/routes/{route}/resume"), as_json=as_json)


@routes.command("delete")
@click.argument("route")
@json_option
@with_place
def delete_route(*, route: str, as_json: bool, place: Place) -> None:
    """Delete a route; its webhook answers 404 from then on."""
    call(place.console(), "DELETE", f"/routes/{route}")
    place.remember_webhook(route, None)
    if as_json:
        print_json({"deleted": route})
    else:
        click.echo(f"route {route} deleted")


def _account(text: str) -> dict[str, str]:
    name, _, multiplier = text.partition(":")
    return {"account": name, "multiplier": multiplier or "1"}


def _print(route: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(route)
    else:
        print_fields(route)


def _print_state(route: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(route)
    else:
        click.echo(f"route {route['id']} is {route['state']}")


def _print_webhook(answer: dict[str, Any], place: Place, *, as_json: bool) -> None:
    name = answer["route"]["id"]
    if as_json:
        print_json(answer)
    else:
        click.echo(clean(f"route {name}, webhook (shown this once):"))
        click.echo(answer["webhook"])
    place.remember_webhook(name, answer["webhook"])
