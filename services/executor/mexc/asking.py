"""Questions to MEXC: one request, or as many as a list has pages."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from libs.common.contracts.order import ExchangeCall
from services.executor.exchange import QueryFailed
from services.executor.mexc import replies, signing, wire
from services.executor.mexc.transport import Request, Transfer, Transport

QUERY_TIMEOUT_S = 5.0
PAGE_SIZE = 100
PAGES_MAX = 100
"""A list that goes on behind it is taken for one that does not heed which page was asked for."""

T = TypeVar("T")


class Asker:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def ask(
        self,
        path: str,
        *,
        query: Mapping[str, str | int | None] = {},
        private: bool = True,
        template: str | None = None,
    ) -> Transfer:
        request = Request(
            method="GET",
            path=path,
            template=template or path,
            query=signing.canonical_query(query),
            timeout_s=QUERY_TIMEOUT_S,
            private=private,
        )
        return await self._transport.send(request)

    async def listed(
        self,
        path: str,
        *,
        query: Mapping[str, str | int | None],
        read: Callable[[msgspec.Raw], T],
        names: tuple[str, str] = ("page_num", "page_size"),
    ) -> tuple[list[T], tuple[ExchangeCall, ...]]:
        """All pages of a list with each row read, in the exchange's order. Raises `QueryFailed`."""
        number_name, size_name = names
        found: list[T] = []
        calls: list[ExchangeCall] = []
        for number in range(1, PAGES_MAX + 1):
            page = {number_name: number, size_name: PAGE_SIZE}
            transfer = await self.ask(path, query={**query, **page})
            with asked_before(calls):
                rows = readable(transfer, lambda data: [read(row) for row in wire.rows(data)])
            found += rows
            calls.append(transfer.call)
            if len(rows) < PAGE_SIZE:
                return found, tuple(calls)
        with asked_before(calls[:-1]):
            raise replies.unreadable(transfer, ValueError(f"a list of over {PAGES_MAX} pages"))


@contextlib.contextmanager
def asked_before(calls: Sequence[ExchangeCall]) -> Iterator[None]:
    """A `QueryFailed` from here tells of these calls too, which were made for the same answer."""
    try:
        yield
    except QueryFailed as failure:
        failure.earlier = (*calls, *failure.earlier)
        raise


def readable(transfer: Transfer, read: Callable[[msgspec.Raw], T]) -> T:
    """What was answered. Raises `QueryFailed`, also where `read` raises a `ValueError`."""
    data = replies.data_of(transfer)
    try:
        return read(data)
    except ValueError as error:
        raise replies.unreadable(transfer, error) from error
