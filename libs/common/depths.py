"""How much the consumers of a process have before them, for Prometheus: a process may have several.
Read when it asks, so it costs nothing before.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

from prometheus_client import Gauge

from libs.common import metrics


class Depths(Protocol):
    """What one consumer tells."""

    def waiting(self) -> int: ...
    def in_hand(self) -> int: ...
    def oldest_s(self) -> float: ...
    def lanes(self) -> int: ...
    def deepest_lane(self) -> int: ...


_Read = Callable[[Depths], float]
_Together = Callable[[Iterable[float]], float]


def _most(found: Iterable[float]) -> float:
    return max(found, default=0)


_TOLD: tuple[tuple[Gauge, _Read, _Together], ...] = (
    # Each of a router's consumers is given all alerts: those that wait for one wait for the others.
    (metrics.waiting, lambda each: each.waiting(), _most),
    (metrics.in_hand, lambda each: each.in_hand(), sum),
    (metrics.oldest_in_hand_seconds, lambda each: each.oldest_s(), _most),
    (metrics.lanes, lambda each: each.lanes(), sum),
    (metrics.deepest_lane, lambda each: each.deepest_lane(), _most),
)
_at_work: dict[str, list[Depths]] = {}


@contextlib.contextmanager
def shown(service: str, depths: Depths) -> Iterator[None]:
    """While the block runs; then it is somebody else's, and no metric of ours tells of it."""
    at_work = _at_work.setdefault(service, [])
    for gauge, read, together in _TOLD:
        gauge.labels(service).set_function(partial(_tell, at_work, read, together))
    # Begun at 0: a rate is not told of a count that begins at 1.
    for counter in (metrics.dead_letters, metrics.redelivered):
        counter.labels(service)
    at_work.append(depths)
    try:
        yield
    finally:
        at_work.remove(depths)


def _tell(at_work: Sequence[Depths], read: _Read, together: _Together) -> float:
    return together(read(each) for each in at_work)
