"""The figures as a table, as a document, and beside the goal: pure."""

from collections.abc import Sequence
from dataclasses import asdict

from bench.failover.timing import Cost
from bench.table import Cell, render

GOAL_S = 10.0
_HEADINGS = (
    "what was ended",
    "lease",
    "first order",
    "last lane",
    "waiting lanes",
    "longest wait",
    "found",
    "next order",
    "lost",
    "sent again",
    "beyond the fence",
)


def table(costs: Sequence[Cost]) -> str:
    return render(_HEADINGS, [_row(cost) for cost in costs])


def worst_s(costs: Sequence[Cost]) -> float | None:
    """Of the lanes with nothing in flight, from an end to the last one's order."""
    return max(
        (cost.slowest_lane_s for cost in costs if cost.slowest_lane_s is not None), default=None
    )


def verdict(costs: Sequence[Cost]) -> str:
    worst = worst_s(costs)
    if worst is None:
        return "no lane with nothing in flight was measured"
    reached = "reached" if worst < GOAL_S else "not reached"
    return (
        f"lanes with nothing in flight went on within {worst:.2f} s;"
        f" the goal of under {GOAL_S:g} s is {reached}"
    )


def document(
    costs: Sequence[Cost], *, settings: dict[str, object], machine: dict[str, object]
) -> dict[str, object]:
    return {
        "machine": machine,
        "settings": settings,
        "goal_s": GOAL_S,
        "worst_s": worst_s(costs),
        "ends": [asdict(cost) for cost in costs],
    }


def _row(cost: Cost) -> list[Cell]:
    return [
        f"{cost.service} {cost.how}",
        _seconds(cost.lease_s),
        _seconds(cost.first_order_s),
        _seconds(cost.slowest_lane_s),
        cost.waited,
        _seconds(cost.longest_wait_s),
        cost.found,
        _seconds(cost.found_next_s),
        cost.lost,
        _seconds(cost.lost_again_s),
        _seconds(cost.beyond_fence_s),
    ]


def _seconds(value: float | None) -> Cell:
    return None if value is None else f"{value:.2f} s"
