"""`alertwire health`: who is there, how far everybody is behind, and what is wrong."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from tools.cli.calling import call
from tools.cli.place import Place, with_place
from tools.cli.showing import clean, counted, examples, json_option, print_json, table, terminal

_STYLES = {"wrong": "bold red", "warning": "yellow", "ok": "green"}
_ROLES = {"owner": "owner of {}", "stands_by": "stands by at {}", "waits": "waits for {}"}
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400

Document = Mapping[str, Any]


@click.command(epilog=examples("alertwire health", "alertwire health --json"))
@json_option
@with_place
def health(*, as_json: bool, place: Place) -> None:
    """Tell whether everything runs: processes, the log and who reads it, the trail, the accounts.

    Exit status: 0 nothing is wrong (warnings are shown), 1 something is, 2 wrong use.
    """
    found = call(place.console(), "GET", "/health")
    if as_json:
        print_json(found)
    else:
        _print(found)
    if found["state"] == "wrong":
        sys.exit(1)


def _print(found: Document) -> None:
    screen = terminal()
    screen.print(_services(found["services"]))
    screen.print()
    screen.print(_readers(found))
    screen.print()
    for line in (_log(found["log"]), _trail(found["trail"])):
        click.echo(line)
    if found["accounts"]["accounts"]:
        screen.print()
        screen.print(_accounts(found["accounts"]["accounts"]))
    screen.print()
    _print_troubles(found["troubles"])


def _print_troubles(troubles: Sequence[Document]) -> None:
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    if not troubles:
        click.echo("all is well")
        return
    rows = table("", "where", "what")
    for each in troubles:
        where = f"{each['part']}: {each['what']}"
        rows.add_row(
            Text(each["state"], style=_STYLES[each["state"]]),
            Text(clean(where)),
            Text(clean(f"{each['text']} ({each['runbook'].rpartition('#')[2]})")),
        )
    terminal().print(rows)


def _services(services: Document) -> Any:
    from rich.text import Text  # noqa: PLC0415

    rows = table("service", "process", "state", "for", "release")
    for each in services["processes"]:
        state = "ready" if each["ready"] else f"not ready: {', '.join(each['missing'])}"
        role = _ROLES.get(each["role"])
        if role is not None:
            state = f"{state}, {role.format(each['work'])}"
        rows.add_row(
            each["service"],
            Text(clean(each["instance"])),
            Text(clean(state), style="" if each["ready"] else "yellow"),
            span(each["up_s"]),
            Text(clean(each["version"])),
        )
    for service in services["silent"] or ():
        rows.add_row(service, "-", Text("silent", style="bold red"), "-", "-")
    return rows


def _readers(found: Document) -> Any:
    rows = table("reads", "stream", "waiting", "in hand", "oldest")
    for each in found["consumers"]["consumers"]:
        oldest = "-" if each["oldest_s"] is None else span(each["oldest_s"])
        waiting, in_hand = f"{each['waiting']:,}", f"{each['unacknowledged']:,}"
        rows.add_row(each["name"], each["stream"], waiting, in_hand, oldest)
    return rows


def _accounts(accounts: Sequence[Document]) -> Any:
    from rich.text import Text  # noqa: PLC0415

    rows = table("account", "last checkup", "key")
    for each in accounts:
        if each["state"] is None:
            rows.add_row(Text(clean(each["account"])), "not checked yet", "-")
            continue
        lines = f": {', '.join(each['lines'])}" if each["lines"] else ""
        stopped = ", stopped" if each["stopped"] else ""
        told = f"{each['state']}{lines}{stopped}, {span(each['age_s'])} ago"
        days = each["key_days_left"]
        rows.add_row(
            Text(clean(each["account"])),
            Text(told, style=_STYLES.get(each["state"], "")),
            "does not run out" if days is None else f"{counted(days, 'day')} left",
        )
    return rows


def _log(log: Document) -> str:
    if log["problem"] is not None:
        return clean(f"the log does not answer: {log['problem']}")
    kept = "for ever" if log["retention_s"] is None else f"for {span(log['retention_s'])}"
    size = f"{log['bytes'] / 2**20:,.1f} MiB"
    return f"the log holds {counted(log['messages'], 'message')}, {size}, and keeps each {kept}"


def _trail(trail: Document) -> str:
    if not trail["reachable"]:
        return clean(f"the trail cannot be read: {trail['problem']}")
    behind = trail["behind_messages"]
    if behind is None:
        return "the trail can be read; how far it is behind cannot be told"
    if behind == 0:
        return "the trail has everything that the log has"
    age = "" if trail["behind_s"] is None else f", {span(trail['behind_s'])}"
    return f"the trail is {counted(behind, 'message')} behind the log{age}"


def span(seconds: float) -> str:
    """A length of time in its largest unit."""
    for size, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
