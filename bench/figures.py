"""What many measured times come to: pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Times in milliseconds."""

    count: int
    p50: float
    p99: float
    max: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed, of sorted values.

    The nearest rank: a time that was measured, never one between two.
    """
    if not ordered:
        raise ValueError("no values")
    if not 0 < share <= 1:
        raise ValueError(f"a share lies above 0 and up to 1, not {share}")
    # In thousandths, since 0.99 * 100 is a little more than 99.
    rank = -(-len(ordered) * round(share * 1000) // 1000)
    return ordered[rank - 1]


def spread(times_ms: Sequence[float]) -> Spread | None:
    """None where nothing was measured."""
    if not times_ms:
        return None
    ordered = sorted(times_ms)
    return Spread(
        count=len(ordered),
        p50=percentile(ordered, 0.5),
        p99=percentile(ordered, 0.99),
        max=ordered[-1],
    )


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """How many times as large ours is; None where one of the two is missing or zero."""
    return ours / theirs if ours is not None and theirs else None
