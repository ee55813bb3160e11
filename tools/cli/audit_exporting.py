"""Writes a month of the trail to a file."""

from datetime import date
from pathlib import Path

import click

from tools.cli.audit_files import FORMAT, Header, write_export
from tools.cli.audit_trail import Trail
from tools.cli.audit_verifying import Pace, counted


async def export_month(
    trail: Trail, *, month: date, output: Path, pace: Pace, stream: str | None = None
) -> Header:
    """All of its rows, or those of one stream; returns what the file says of itself."""
    partition = await trail.partition(month)
    if not partition.there:
        raise click.ClickException(f"the trail has no month {month:%Y-%m}")
    extents = await trail.extents(partition.name)
    header = Header(
        format=FORMAT,
        month=f"{month:%Y-%m}",
        streams=tuple(one for one in extents if stream in {None, one.stream}),
    )
    rows = counted(trail.month(partition.name, stream=stream), pace=pace)
    try:
        written = await write_export(output, header=header, rows=rows)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from None
    assert written == sum(one.rows for one in header.streams), "one moment has one number of rows"  # noqa: S101
    return header
