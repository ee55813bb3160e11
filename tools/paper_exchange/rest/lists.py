"""Long private lists: the time span that is asked for, and the page of it, bare or as pages."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tools.paper_exchange.control.behaviour import ListShape
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.pages import LARGEST_PAGE, page_shape
from tools.paper_exchange.venue import Venue

DAY_MS = 86_400_000
LONGEST_SPAN_MS = 90 * DAY_MS

T = TypeVar("T")


def listed(
    venue: Venue,
    call: Call,
    items: Sequence[T],
    *,
    shape: Callable[[T], Any],
    largest: int = LARGEST_PAGE,
) -> list[Any] | dict[str, Any]:
    page = page_shape(call, items, shape=shape, largest=largest)
    if venue.behaviour.list_shape is ListShape.PAGED:
        return page
    bare: list[Any] = page["resultList"]
    return bare


def span(call: Call, *, days: int | None = None) -> tuple[int, int]:
    """The first and the last millisecond that are asked for, by either spelling. Without a start it
    is so many days before the end, or the beginning of time.
    """
    latest = call.whole_number("end_time", default=call.whole_number("endTime", default=0))
    latest = latest or call.now_ms
    start = call.whole_number("start_time", default=call.whole_number("startTime", default=0))
    if not start:
        return (0 if days is None else latest - days * DAY_MS), latest
    if not 0 <= latest - start <= LONGEST_SPAN_MS:
        raise Refused(6003)
    return start, latest


def words_of(call: Call, name: str, *, most: int) -> list[int]:
    """Whole numbers that are separated by commas."""
    raw = call.params.get(name, "")
    words = [word for word in raw.split(",") if word]
    if len(words) > most:
        raise Refused(2034, count=most)
    try:
        return [int(word) for word in words]
    except ValueError:
        raise Refused(600) from None
