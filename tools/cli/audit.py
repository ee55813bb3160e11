"""`alertwire audit`: whether the trail is what it was, and months of it taken out into files."""

import asyncio
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from libs.common.contracts.anchor import encode_anchor
from tools.cli.audit_anchors import (
    all_published,
    by_stream,
    published_anchors,
    require_stored,
    saved_anchors,
)
from tools.cli.audit_exporting import export_month
from tools.cli.audit_retiring import Retiring
from tools.cli.audit_telling import tell
from tools.cli.audit_trail import Trail, owning
from tools.cli.audit_verifying import Anchors, Pace, verify_file, verify_trail
from tools.cli.place import Place, with_place
from tools.cli.showing import examples, json_option

_MONTH = re.compile(r"(2\d{3})-(0[1-9]|1[0-2])")


class _Month(click.ParamType[date]):
    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        found = None if isinstance(value, date) else _MONTH.fullmatch(str(value))
        if found is not None:
            return date(int(found[1]), int(found[2]), 1)
        if isinstance(value, date):
            return value
        return self.fail(f"{value!r} is no month: write 2026-10", param, ctx)


_FILE = click.Path(dir_okay=False, path_type=Path)


def _anchor_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--anchors",
            "saved",
            type=_FILE,
            metavar="FILE",
            help="Anchors as `alertwire audit anchors` saved them, instead of those in NATS.",
        ),
        click.option("--no-anchors", is_flag=True, help="Do without: a whole chain may be forged."),
    ):
        command = option(command)
    return command


@click.group()
def audit() -> None:
    """The trail: whether anybody has changed it, and its months as files."""


@audit.command(
    epilog=examples(
        "alertwire audit verify",
        "alertwire audit verify --stream PIPELINE --from 100000 --json",
        "alertwire audit verify --file audit-2026-10.jsonl.gz --anchors anchors.jsonl",
    )
)
@click.option("--stream", metavar="S", help="This stream's chain alone.")
@click.option(
    "--from", "first", type=click.IntRange(1), metavar="SEQ", help="Begin at this message."
)
@click.option("--file", "file", type=_FILE, metavar="FILE", help="Of an exported month instead.")
@_anchor_options
@json_option
@with_place
def verify(  # noqa: PLR0913 - its options
    *,
    stream: str | None,
    first: int | None,
    file: Path | None,
    saved: Path | None,
    no_anchors: bool,
    as_json: bool,
    place: Place,
) -> None:
    """Walk the chains, and name the first row that does not fit.

    Each row's columns and document are made from its body anew, its hash from the row before it,
    and every anchor is held against the row that it names. Exit status 1 where something does not
    fit. A file needs neither Postgres nor NATS; without --anchors only its own chain is looked at.
    """
    if saved is not None and no_anchors:
        raise click.UsageError("--anchors and --no-anchors exclude each other")
    if file is not None and first is not None:
        raise click.UsageError("--file is verified whole: leave out --from")
    pace = Pace(lambda line: click.echo(line, err=True))
    if file is not None:
        held: Anchors = by_stream(saved_anchors(saved)) if saved is not None else {}
        walked = verify_file(file, anchors=held, pace=pace, stream=stream)
        looked = saved is not None
    else:
        looked = not no_anchors
        held = _anchors(place, saved=saved) if looked else {}
        walked = asyncio.run(
            _verify(place, anchors=held, pace=pace, stream=stream, first=first or 1)
        )
    if stream is not None and not walked:
        raise click.ClickException(f"there is no stream {stream} here")
    tell(walked, pace=pace, anchored=looked, as_json=as_json)


# Read before the rows, so that whatever is anchored has its row.
def _anchors(place: Place, *, saved: Path | None) -> Anchors:
    found = saved_anchors(saved) if saved is not None else all_published(place.nats())
    return by_stream(found)


async def _verify(place: Place, **wanted: Any) -> Any:
    url = place.postgres_url()
    async with owning(url) as connection, Trail.at_one_moment(connection) as trail:
        return await verify_trail(trail, **wanted)


@audit.command(epilog=examples("alertwire audit anchors > anchors.jsonl"))
@with_place
def anchors(*, place: Place) -> None:
    """Print the anchors, one JSON document a line; save them where nobody else may write."""
    asyncio.run(_print_anchors(place))


async def _print_anchors(place: Place) -> None:
    async for anchor in published_anchors(place.nats()):
        click.echo(encode_anchor(anchor))


@audit.command(epilog=examples("alertwire audit export --month 2026-10 -o audit-2026-10.jsonl.gz"))
@click.option("--month", type=_Month(), required=True, metavar="YYYY-MM", help="Its rows (UTC).")
@click.option("--stream", metavar="S", help="Of this stream alone.")
@click.option(
    "-o", "--output", type=_FILE, required=True, metavar="FILE", help="Gzipped if it ends in .gz."
)
@with_place
def export(*, month: date, stream: str | None, output: Path, place: Place) -> None:
    """Write a month's rows, every column and hash, to a file that verifies by itself."""
    pace = Pace(lambda line: click.echo(line, err=True))
    asyncio.run(_export(place, month=month, stream=stream, output=output, pace=pace))
    click.echo(f"{output}: {pace.rows:,} rows in {pace.seconds:.1f} s, {pace.rows_per_s:,} rows/s")


async def _export(
    place: Place, *, month: date, stream: str | None, output: Path, pace: Pace
) -> None:
    url = place.postgres_url()
    async with owning(url) as connection, Trail.at_one_moment(connection) as trail:
        await export_month(trail, month=month, stream=stream, output=output, pace=pace)


@audit.command(
    epilog=examples(
        "alertwire audit retire 2026-10 --to /archive",
        "alertwire audit retire 2026-10 --to /archive --drop",
    )
)
@click.argument("month", type=_Month(), metavar="MONTH")
@click.option(
    "--to",
    "folder",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for the exported file.",
)
@click.option("--drop", is_flag=True, help="Drop the rows in the end; else they stay detached.")
@_anchor_options
@with_place
def retire(
    *,
    month: date,
    folder: Path,
    drop: bool,
    saved: Path | None,
    no_anchors: bool,
    place: Place,
) -> None:
    """Take the oldest month out of the trail, into a file that verifies by itself.

    The month is verified and exported, the file read back and verified, the place where its chains
    end is recorded, and the month detached, beside which the trail goes on. Broken off at any
    point, the same command goes on from there.
    """
    if saved is not None and no_anchors:
        raise click.UsageError("--anchors and --no-anchors exclude each other")
    held: Anchors = {}
    if not no_anchors:
        held = _anchors(place, saved=saved)
    if saved is None and not no_anchors:
        require_stored(place.nats(), month=month)
    pace = Pace(lambda line: click.echo(line, err=True))
    asyncio.run(_retire(place, month=month, folder=folder, anchors=held, pace=pace, drop=drop))


async def _retire(place: Place, *, drop: bool, **wanted: Any) -> None:
    async with owning(place.postgres_url()) as connection:
        await Retiring(connection=connection, tell=click.echo, **wanted).retire(drop=drop)
