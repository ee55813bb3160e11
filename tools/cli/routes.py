"""`alertwire routes`: the addresses that alerts are posted to."""

from typing import IO, Any

import click

from tools.cli.calling import call
from tools.cli.documents import read_document
from tools.cli.place import Place, with_place
from tools.cli.route_options import cleared, route_options, settings_of
from tools.cli.route_testing import test_route
from tools.cli.showing import (
    clean,
    examples,
    flattened,
    json_option,
    print_fields,
    print_json,
    style_of,
    table,
    terminal,
)


@click.group()
def routes() -> None:
    """List, show, create, edit, delete, rotate, pause, resume and test routes."""


routes.add_command(test_route)


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
        rows.add_row(
            Text(route["id"]),
            Text(route["state"], style=style_of(route["state"])),
            Text(", ".join(accounts)),
            Text(_sizing(route["sizing"])),
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
        "alertwire routes create --id eq --account main --sizing percent_equity --sizing-value 5",
        "alertwire routes create --file route.json",
    ),
)
@click.option("--id", "route_id", metavar="NAME", help="Lower case letters, digits, - and _.")
@route_options
@click.option("--file", type=click.File(), help="JSON of the route; `-` for stdin. Options win.")
@json_option
@with_place
def create_route(
    *,
    route_id: str | None,
    file: IO[str] | None,
    as_json: bool,
    place: Place,
    **given: Any,
) -> None:
    """Create a route and print its webhook, which is shown this once.

    A body secret is never an option, since others can read a command line: put it in --file.
    """
    document = settings_of(read_document(file), given | {"id": route_id})
    for name, option in (("id", "--id"), ("accounts", "--account")):
        if not document.get(name):
            raise click.UsageError(f"{option} is missing")
    _print_webhook(call(place.console(), "POST", "/routes", body=document), place, as_json=as_json)


@routes.command(
    "edit",
    epilog=examples(
        "alertwire routes edit btc --leverage 3 --no-pyramiding",
        "alertwire routes edit btc --window 'mon-fri 08:00-20:00' --max-order-notional 500",
        "alertwire routes edit btc --clear guards.windows --clear symbols.overrides.MYPEPE",
    ),
)
@click.argument("route")
@route_options
@click.option(
    "--clear",
    "clear",
    multiple=True,
    metavar="SETTING",
    help="Back to its default, named as `routes show` does; may be repeated.",
)
@click.option("--file", type=click.File(), help="JSON merge patch; `-` for stdin. Options win.")
@json_option
@with_place
def edit_route(
    *,
    route: str,
    clear: tuple[str, ...],
    file: IO[str] | None,
    as_json: bool,
    place: Place,
    **given: Any,
) -> None:
    """Change settings of ROUTE and print what changed; what is not named stays as it is.

    The defaults below are those of a new route. What may be repeated replaces the whole list, but
    --override adds to the others. The change holds for alerts that arrive from then on.
    """
    patch = cleared(settings_of(read_document(file), given), clear)
    if not patch:
        raise click.UsageError("say what to change: an option, --clear or --file")
    console = place.console()
    before = dict(flattened(call(console, "GET", f"/routes/{route}")))
    changed = call(console, "PATCH", f"/routes/{route}", body=patch)
    if as_json:
        print_json(changed)
        return
    after = dict(flattened(changed))
    told = [
        f"{name}  {before.get(name, '-')} -> {after.get(name, '-')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name, "-") != after.get(name, "-")
    ]
    for line in told or [f"route {route} has these settings already"]:
        click.echo(clean(line))


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


def _sizing(sizing: dict[str, Any]) -> str:
    value = "" if sizing.get("value") is None else f" {sizing['value']}"
    return f"{sizing['mode']}{value} x{sizing['multiplier']}"


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
