"""`alertwire tail`: what happens, as it happens."""

import asyncio
import contextlib
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from libs.common.contracts.words import AlertStatus
from tools.cli.event_stream import Event, Query, follow
from tools.cli.place import Console, Place, with_place
from tools.cli.showing import examples, print_json_line
from tools.cli.tail_alerts import OPEN, Alerts
from tools.cli.tail_lines import Lines

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,6})([smhd])")
_Show = Callable[[Event], bool]
"""False where there was nothing to show."""


class _Since(click.ParamType[datetime]):
    """So long ago, or a moment; without a zone it is UTC."""

    name = "since"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        text = str(value)
        if found := _DURATION.fullmatch(text):
            ago = timedelta(**{_UNITS[found[2]]: int(found[1])})
            return datetime.now(UTC) - ago
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is not like 30s, 10m, 2h, 1d or 2026-11-29T10:00", param, ctx)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


@click.command(
    epilog=examples(
        "alertwire tail",
        "alertwire tail --route demo --since 10m",
        "alertwire tail --stage execution,intent.denied --symbol BTC_USDT",
        "alertwire tail --alerts --status denied --status rejected",
        "alertwire tail --alert 0197b2c0-7f3a-7c11-9d2e-5b8f0e6a1c44 --last 100 --json",
    )
)
@click.option("--route", "routes", multiple=True, metavar="R", help="Only of this route.")
@click.option("--account", "accounts", multiple=True, metavar="A", help="Only of this account.")
@click.option(
    "--symbol",
    "symbols",
    multiple=True,
    metavar="S",
    help="Only of this contract; an alert goes by its ticker.",
)
@click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="STAGE",
    help="Only this: execution.filled, or a first word: execution.",
)
@click.option("--alert", "alerts", multiple=True, metavar="ID", help="Only of this alert.")
@click.option("--since", type=_Since(), metavar="T", help="Begin so long ago: 30s, 10m, 2h, 1d.")
@click.option(
    "--last", type=click.IntRange(1, 10_000), metavar="N", help="Begin with the last N events."
)
@click.option("--count", type=click.IntRange(1), metavar="N", help="End after N events.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(0), metavar="S", help="End after S seconds."
)
@click.option(
    "--alerts", "by_alert", is_flag=True, help="One line for each alert, when it has ended."
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in AlertStatus if status not in OPEN]),
    metavar="STATUS",
    help="With --alerts: only those that ended so.",
)
@click.option("--ids", is_flag=True, help="Show alert ids whole on every line.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@with_place
def tail(  # noqa: PLR0913 - one per option
    *,
    since: datetime | None,
    last: int | None,
    count: int | None,
    timeout_s: float | None,
    by_alert: bool,
    statuses: tuple[str, ...],
    ids: bool,
    as_json: bool,
    place: Place,
    **filters: tuple[str, ...],
) -> None:
    """Follow live what happens: one line for every message of the log, as it is stored.

    Filters of one kind add up, those of different kinds must all hold; each may be repeated, or
    hold several values with commas between. Times are UTC. Where the stream breaks it is opened
    again behind the last event, with a notice on standard error.

    With --alerts there is one line for each alert whose beginning is seen, when it has ended, with
    its status and reason; and again where something later changes that.

    Ctrl-C ends it with exit status 0; 1 where --timeout was over before --count was reached.
    """
    if since is not None and last is not None:
        raise click.UsageError("--since and --last both say where to begin: give one of them")
    if by_alert and any(filters[name] for name in ("accounts", "symbols", "stages")):
        raise click.UsageError("with --alerts only --route and --alert choose: it needs all else")
    if statuses and not by_alert:
        raise click.UsageError("--status goes with --alerts")
    query = [(_PARAMETERS[name], value) for name, values in filters.items() for value in values]
    if since is not None:
        query.append(("since", since.isoformat()))
    if last is not None:
        query.append(("last", str(last)))
    if by_alert:
        show = Alerts(statuses=frozenset(statuses), as_json=as_json).show
    else:
        show = _print_json if as_json else Lines(whole_ids=ids).show
    try:
        done = asyncio.run(
            _follow(place.console(), query, show=show, count=count, timeout_s=timeout_s)
        )
    except KeyboardInterrupt:
        done = True
    sys.exit(0 if done else 1)


_PARAMETERS = {
    "routes": "route",
    "accounts": "account",
    "symbols": "symbol",
    "stages": "stage",
    "alerts": "alert_id",
}


async def _follow(
    console: Console, query: Query, *, show: _Show, count: int | None, timeout_s: float | None
) -> bool:
    """False where the time was over before so many events had come."""
    seen = 0
    try:
        async with (
            asyncio.timeout(timeout_s),
            contextlib.aclosing(follow(console, query, notice=_notice)) as events,
        ):
            async for event in events:
                seen += show(event)
                if seen == count:
                    break
    except TimeoutError:
        return count is None
    return True


def _print_json(event: Event) -> bool:
    print_json_line(event)
    return True


def _notice(text: str) -> None:
    click.echo(f"note: {text}", err=True)
