"""`alertwire halt`, `resume` and `halts`: open nothing any more, until it is resumed."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from tools.cli.callers import own_name
from tools.cli.calling import call
from tools.cli.place import Place, with_place
from tools.cli.showing import clean, examples, json_option, print_json, table, terminal


def _with_scope(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--route", metavar="R", help="Only what this route sends.")(command)
    return click.option("--account", metavar="A", help="Only this account.")(command)


@click.command(
    epilog=examples(
        "alertwire halt --reason 'exchange behaves oddly'",
        "alertwire halt --route demo --flatten",
        "alertwire halt --flatten --yes",
    )
)
@_with_scope
@click.option("--flatten", is_flag=True, help="Close what is held, too.")
@click.option("--reason", default="", metavar="TEXT", help="Stands in every denial.")
@click.option(
    "--by",
    default=own_name,
    show_default="your user name",
    metavar="NAME",
    help="Who halts it.",
)
@click.option("--yes", is_flag=True, help="Do not ask before everything is closed.")
@json_option
@with_place
def halt(  # noqa: PLR0913 - one argument per option
    *,
    account: str | None,
    route: str | None,
    flatten: bool,
    reason: str,
    by: str,
    yes: bool,
    as_json: bool,
    place: Place,
) -> None:
    """Open nothing any more: everywhere, or on one account or by one route.

    Within a second entries are denied as `halted`, also those that are queued; exits, cancels and
    protective prices pass. It holds until `alertwire resume` with the same option. --flatten
    cancels what waits and closes what is held, once.
    """
    scope = _scope(account=account, route=route)
    if flatten and scope["id"] is None and not yes and is_terminal():
        click.confirm("Close all that every account holds?", abort=True, err=True)
    body = {**scope, "flatten": flatten, "reason": reason, "by": by}
    answer = call(place.console(), "POST", "/halt", body=body)
    if as_json:
        print_json(answer)
        return
    control = answer["halt"]
    since = "" if answer["new"] else f" since {control['at']}"
    click.echo(f"{_what(control)} is halted{since}: entries are denied, exits pass")
    if flatten:
        accounts = clean(", ".join(control["accounts"])) or "no account"
        click.echo(f"closing what {accounts} holds: alertwire trace {control['halt_id']}")


@click.command(epilog=examples("alertwire resume", "alertwire resume --account main"))
@_with_scope
@json_option
@with_place
def resume(*, account: str | None, route: str | None, as_json: bool, place: Place) -> None:
    """Take one halt back: that of everything, or of the account or route that is named.

    Exit status 1 where that is not halted.
    """
    scope = _scope(account=account, route=route)
    answer = call(place.console(), "POST", "/resume", body=scope)
    if as_json:
        print_json(answer)
        return
    click.echo(f"{_what(answer['resumed'])} is resumed")
    for control in answer["halts"]:
        click.echo(f"still halted: {_what(control)}")


@click.command()
@json_option
@with_place
def halts(*, as_json: bool, place: Place) -> None:
    """List what is halted."""
    answer = call(place.console(), "GET", "/halt")
    if as_json:
        print_json(answer)
    elif answer["halts"]:
        _print(answer["halts"])
    else:
        click.echo("nothing is halted")


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _scope(*, account: str | None, route: str | None) -> dict[str, str | None]:
    if account is not None and route is not None:
        raise click.UsageError("give --account or --route, not both")
    if account is not None:
        return {"scope": "account", "id": account}
    if route is not None:
        return {"scope": "route", "id": route}
    return {"scope": "all", "id": None}


def _what(control: Mapping[str, Any]) -> str:
    if control["id"] is None:
        return "everything"
    return clean(f"{control['scope']} {control['id']}")


def _print(controls: Sequence[Mapping[str, Any]]) -> None:
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    rows = table("halted", "since", "flatten", "by", "reason")
    for control in controls:
        flattened = control["halt_id"] if control["flatten"] else "-"
        told = (flattened, control["by"] or "-", control["reason"] or "-")
        rows.add_row(_what(control), str(control["at"]), *(Text(clean(text)) for text in told))
    terminal().print(rows)
