"""Pages of long lists, as the venue's public endpoints give them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.rest.calls import Call

PAGE_SIZE = 20
LARGEST_PAGE = 100

T = TypeVar("T")


def page_shape(
    call: Call, items: Sequence[T], *, shape: Callable[[T], Any], largest: int = LARGEST_PAGE
) -> dict[str, Any]:
    """The page that `page_num` and `page_size` ask for, or `pageIndex` and `pageSize`; beyond the
    last one it is empty.
    """
    number = call.whole_number("page_num", default=call.whole_number("pageIndex", default=1))
    size = call.whole_number("page_size", default=call.whole_number("pageSize", default=PAGE_SIZE))
    if number < 1 or not 1 <= size <= largest:
        raise Refused(600)
    return {
        "pageSize": size,
        "totalCount": len(items),
        "totalPage": -(-len(items) // size),
        "currentPage": number,
        "resultList": [shape(item) for item in items[(number - 1) * size : number * size]],
    }
