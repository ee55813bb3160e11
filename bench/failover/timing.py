"""What each end of a process cost, from the times of alerts, plans and orders: pure.

A lane is interrupted if the log had a plan of it whose orders had not ended when the process did;
all others had nothing in flight. An order is the new owner's if its plan was made after the end, or
if its request arrived when none of the old owner's could any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

FENCE_S = 12.0
"""A signed request lives for 10 s, and 2 s are for clocks and networks (decision 4)."""
_UNDER_WAY_S = 1.0
"""What was sent before the end has arrived at the exchange by then, if it arrives at all."""

LaneKey = tuple[str, str]
"""Account and symbol."""


@dataclass(kw_only=True)
class Deed:
    """One alert on its way. Unix times; None is never."""

    lane: LaneKey
    received_s: float
    planned_s: float | None = None
    legs: int = 0
    ended_s: list[float] = field(default_factory=list)
    """Of each order that the log tells the end of."""
    ordered_s: list[float] = field(default_factory=list)
    """When requests arrived at the exchange that made an order."""

    def in_flight(self, at_s: float) -> bool:
        if self.planned_s is None or self.planned_s > at_s:
            return False
        return sum(ended <= at_s for ended in self.ended_s) < self.legs

    @property
    def first_order_s(self) -> float | None:
        return min(self.ordered_s, default=None)


@dataclass(frozen=True, kw_only=True)
class End:
    """One time that a working process was ended."""

    service: str
    how: str
    at_s: float
    taken_s: float
    """When the standby said that it had the lease."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds from the end on, unless said otherwise; None where there was no such lane."""

    service: str
    how: str
    lease_s: float
    first_order_s: float | None
    """Of a lane with nothing in flight."""
    slowest_lane_s: float | None
    """The first order of the last of the lanes with nothing in flight whose alert waited."""
    longest_wait_s: float | None
    """From an alert's receipt to its order, in these lanes."""
    waited: int
    """How many of these lanes there were."""
    found: int
    """Interrupted lanes all of whose orders had reached the exchange."""
    found_next_s: float | None
    """The slowest of their next orders; from the alert on where that came later."""
    lost: int
    """Interrupted lanes with an order that had not."""
    lost_again_s: float | None
    """The slowest of these orders, or of those behind one that had."""
    beyond_fence_s: float | None
    """The same from where it was safe to send again: the fence after the lease was taken."""


def costs(ends: Sequence[End], deeds: Iterable[Deed]) -> list[Cost]:
    lanes: dict[LaneKey, list[Deed]] = defaultdict(list)
    for deed in sorted(deeds, key=lambda deed: deed.received_s):
        lanes[deed.lane].append(deed)
    return [_cost(end, lanes) for end in ends]


def _cost(end: End, lanes: Mapping[LaneKey, Sequence[Deed]]) -> Cost:
    interrupted = {
        lane: deed
        for lane, deeds in lanes.items()
        for deed in deeds
        if end.service == "executor" and deed.in_flight(end.at_s)
    }
    free = [each for lane, deeds in lanes.items() if lane not in interrupted for each in deeds]
    firsts = [first for deed in free if (first := _taken_over(deed, end)) is not None]
    first = min(firsts, default=None)
    waiting = list(_waiting(free, end=end, until_s=first))
    found = {lane for lane, deed in interrupted.items() if not _late(deed, end)}
    lost = [deed for lane, deed in interrupted.items() if lane not in found]
    again = [min(late) for deed in lost if (late := _late(deed, end))]
    after = [
        order - max(end.at_s, deed.received_s)
        for lane in found
        if (told := _next_order(lanes[lane], end)) is not None
        for deed, order in [told]
    ]
    return Cost(
        service=end.service,
        how=end.how,
        lease_s=end.taken_s - end.at_s,
        first_order_s=None if first is None else first - end.at_s,
        slowest_lane_s=max((order - end.at_s for _, order in waiting), default=None),
        longest_wait_s=max((order - deed.received_s for deed, order in waiting), default=None),
        waited=len({deed.lane for deed, _ in waiting}),
        found=len(found),
        found_next_s=max(after, default=None),
        lost=len(lost),
        lost_again_s=max((order - end.at_s for order in again), default=None),
        beyond_fence_s=max((order - end.taken_s - FENCE_S for order in again), default=None),
    )


def _taken_over(deed: Deed, end: End) -> float | None:
    # When the new owner's order for it arrived. A router's successor has no plans of its own, so
    # there it is what came in later.
    begun_s = deed.received_s if end.service == "router" else deed.planned_s
    return deed.first_order_s if begun_s is not None and begun_s > end.at_s else None


def _waiting(
    free: Iterable[Deed], *, end: End, until_s: float | None
) -> Iterator[tuple[Deed, float]]:
    # Alerts that were there before anybody went on, one a lane, with their orders' arrival.
    seen: set[LaneKey] = set()
    for deed in free:
        order = _taken_over(deed, end)
        if order is None or until_s is None or deed.received_s > until_s or deed.lane in seen:
            continue
        seen.add(deed.lane)
        yield deed, order


def _late(deed: Deed, end: End) -> list[float]:
    # When its orders arrived that did not by the old owner's hand.
    return [arrived for arrived in deed.ordered_s if arrived > end.at_s + _UNDER_WAY_S]


def _next_order(deeds: Sequence[Deed], end: End) -> tuple[Deed, float] | None:
    for deed in deeds:
        order = _taken_over(deed, end)
        if order is not None:
            return deed, order
    return None
