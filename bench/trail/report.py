"""The figures as tables, beside the goals, and as a document: pure."""

from collections.abc import Iterator
from dataclasses import asdict

from bench.table import Cell, render
from bench.trail.running import Outcome, Turn

GOALS_MS = {"journey": 20.0, "a day's statistics": 2_000.0}
PAGE_GOAL_MS = 100.0
FLAT_SHARE = 0.7
"""What the rate of the last turn may come to of the first one's: machines are noisy."""


def table(outcome: Outcome) -> str:
    names = [timed.name for timed in outcome.turns[0].timed]
    rows: list[list[Cell]] = []
    for turn in outcome.turns:
        p99 = [each.took_ms.p99 if each.took_ms else None for each in turn.timed]
        rows.append([f"{turn.rows:,}", turn.stored_rate, *p99])
    return render(["rows", "stored/s", *(f"{name}, p99 ms" for name in names)], rows)


def plans(outcome: Outcome) -> str:
    lines: list[str] = []
    for each in outcome.explained:
        lines.append(f"{each.question}: {each.took_ms:.2f} ms in the database")
        lines += [f"  {step}" for step in each.steps]
    return "\n".join(lines)


def complaints(outcome: Outcome) -> list[str]:
    return [*_slow(outcome.turns[-1]), *_read_whole(outcome), *_falling(outcome)]


def document(
    outcome: Outcome, *, settings: dict[str, object], machine: dict[str, object]
) -> dict[str, object]:
    return {"machine": machine, "settings": settings, **asdict(outcome)}


def _slow(turn: Turn) -> Iterator[str]:
    for timed in turn.timed:
        goal = GOALS_MS.get(timed.name, PAGE_GOAL_MS)
        if timed.took_ms is not None and timed.took_ms.p99 > goal:
            yield f"{timed.name}: p99 {timed.took_ms.p99:.1f} ms is over {goal:g} ms"


def _read_whole(outcome: Outcome) -> Iterator[str]:
    for each in outcome.explained:
        if each.end_to_end:
            yield f"{each.question} reads {', '.join(each.end_to_end)} from end to end"


def _falling(outcome: Outcome) -> Iterator[str]:
    first, last = outcome.turns[0].stored_rate, outcome.turns[-1].stored_rate
    if last < first * FLAT_SHARE:
        yield f"rows are stored at {last:,.0f}/s in the end, at first at {first:,.0f}/s"
