"""What `alertwire audit verify` found, for people and for scripts."""

from collections.abc import Sequence
from typing import Any

import click

from tools.cli.audit_verifying import Pace
from tools.cli.audit_walking import Walked
from tools.cli.showing import clean, counted, print_json


def tell(walked: Sequence[Walked], *, pace: Pace, anchored: bool, as_json: bool) -> None:
    """Print it; exits with status 1 where something does not fit."""
    fits = all(one.trouble is None for one in walked)
    if as_json:
        print_json(
            {
                "fits": fits,
                "anchored": anchored,
                "rows": pace.rows,
                "seconds": round(pace.seconds, 3),
                "rows_per_s": pace.rows_per_s,
                "streams": [document(one) for one in walked],
            }
        )
    else:
        for one in walked:
            for line in lines(one):
                click.echo(clean(line))
        if not anchored:
            click.echo("no anchors were looked at: a chain that was rewritten whole fits, too")
        verdict = "everything fits" if fits else "NOT everything fits"
        rate = f"{counted(pace.rows, 'row')} in {pace.seconds:.1f} s, {pace.rows_per_s:,} rows/s"
        click.echo(f"{verdict}: {rate}")
    if not fits:
        raise SystemExit(1)


def lines(one: Walked) -> list[str]:
    where = f"{one.start.seq + 1} to {one.end.seq}" if one.rows else "no rows"
    anchors = counted(one.anchors, "anchor") if one.anchors else "no anchors"
    anchors += " fits" if one.anchors == 1 else " fit" if one.anchors else ""
    if one.anchors_before:
        anchors += f", {one.anchors_before} lie before"
    told = [f"{one.stream}  {where}: {counted(one.rows, 'row')}, {anchors}"]
    if one.missing:
        ranges = [f"{first}" if first == last else f"{first}-{last}" for first, last in one.gaps]
        told.append(
            f"{one.stream}  {one.missing:,} messages never arrived (the chain fits):"
            f" {', '.join(ranges[:3])}{' ...' if len(ranges) > 3 else ''}"
        )
    if one.degraded:
        told.append(f"{one.stream}  {one.degraded:,} rows are without what Postgres refused")
    if one.trouble is not None:
        told.append(f"{one.stream}  {one.trouble.seq}: {one.trouble.kind}: {one.trouble.why}")
    return told


def document(one: Walked) -> dict[str, Any]:
    trouble = one.trouble
    return {
        "stream": one.stream,
        "rows": one.rows,
        "after_seq": one.start.seq,
        "last_seq": one.end.seq,
        "hash": one.end.hash.hex(),
        "anchors": one.anchors,
        "anchors_before": one.anchors_before,
        "never_arrived": one.missing,
        "gaps": [list(gap) for gap in one.gaps],
        "degraded": one.degraded,
        "trouble": None
        if trouble is None
        else {"kind": trouble.kind.value, "seq": trouble.seq, "why": trouble.why},
    }
