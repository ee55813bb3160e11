"""The figures as a table, in words, and as a document: pure."""

from dataclasses import asdict

from bench.outage.running import Outcome
from bench.table import Cell, render

_HEADINGS = (
    *("phase", "sent", "accepted", "no order", "doubled"),
    *("answer p50", "p99", "order p50", "p99", "largest"),
)


def table(outcome: Outcome) -> str:
    """Times in milliseconds: of the answer, and from the alert to its order at the exchange."""
    rows: list[list[Cell]] = []
    for phase in outcome.phases:
        ack, order = phase.ack_ms, phase.order_ms
        rows.append(
            [
                *(phase.name, phase.sent, phase.accepted, phase.missing, phase.doubled),
                *((ack.p50, ack.p99) if ack else (None, None)),
                *((order.p50, order.p99, order.max) if order else (None, None, None)),
            ]
        )
    return render(_HEADINGS, rows)


def story(outcome: Outcome) -> str:
    back, caught_up = outcome.answers_after_s, outcome.caught_up_after_s
    return (
        f"without PostgreSQL up to {outcome.lag_largest:,} messages waited in the log; rows came"
        f" again {_after(back)} it might start, and the trail had caught up {_after(caught_up)}"
        f" it, while alerts came; the log has {outcome.messages:,} messages, the trail"
        f" {outcome.rows:,} rows"
    )


def complaints(outcome: Outcome) -> list[str]:
    found = [
        f"{phase.name}: {told}"
        for phase in outcome.phases
        for count, told in (
            (phase.sent - phase.accepted, "alerts were not accepted"),
            (phase.missing, "alerts have no order"),
            (phase.doubled, "alerts have more than one order"),
        )
        if count
        for told in (f"{count} {told}",)
    ]
    if outcome.caught_up_after_s is None:
        found.append("the trail has not caught up in time")
    if outcome.left:
        found.append(f"{outcome.left} messages were not handled in the end")
    return found + outcome.gaps


def document(
    outcome: Outcome, *, settings: dict[str, object], machine: dict[str, object]
) -> dict[str, object]:
    return {"machine": machine, "settings": settings, **asdict(outcome)}


def _after(seconds: float | None) -> str:
    return "never after" if seconds is None else f"{seconds:.1f} s after"
