"""Who waits for what is pushed: an order's news, or a position's. Nothing is kept for nobody."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

from libs.common.contracts.words import ClientOrderId, VenueSymbol
from services.executor.exchange import Found
from services.executor.pushes import OrderPushed


class Expected:
    """The latest news of one order, with the calls of what it has overtaken."""

    def __init__(self) -> None:
        self._found: Found | None = None
        self._news = asyncio.Event()

    def tell(self, found: Found) -> None:
        overtaken = self._found.calls if self._found is not None else ()
        self._found = replace(found, earlier=(*overtaken, *found.earlier)) if overtaken else found
        self._news.set()

    def wake(self) -> None:
        self._news.set()

    def take(self) -> Found | None:
        """What was pushed since the last call."""
        self._news.clear()
        found, self._found = self._found, None
        return found

    async def next(self, *, timeout_s: float) -> Found | None:
        """What was pushed since the last call; None where nothing was in time."""
        if not self._news.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
        return self.take()


class OrderNews:
    def __init__(self) -> None:
        self._expected: dict[ClientOrderId, Expected] = {}
        self.listeners: list[Callable[[OrderPushed], None]] = []
        """Told of every order."""

    @contextlib.contextmanager
    def expecting(self, order: ClientOrderId) -> Iterator[Expected]:
        expected = self._expected[order] = Expected()
        try:
            yield expected
        finally:
            del self._expected[order]

    def tell(self, push: OrderPushed) -> None:
        if push.client_order_id is not None:
            expected = self._expected.get(push.client_order_id)
            if expected is not None:
                expected.tell(push.found)
        for listener in self.listeners:
            listener(push)

    def lost(self) -> None:
        """No news will come: whoever waits should ask."""
        for expected in self._expected.values():
            expected.wake()


class PositionNews:
    def __init__(self) -> None:
        self._waiting: defaultdict[VenueSymbol, set[asyncio.Event]] = defaultdict(set)

    def tell(self, symbol: VenueSymbol) -> None:
        for event in self._waiting.get(symbol, ()):
            event.set()

    async def wait(self, symbol: VenueSymbol, *, timeout_s: float) -> None:
        """Until a position of the symbol is told anew, at most for so long."""
        event = asyncio.Event()
        waiting = self._waiting[symbol]
        waiting.add(event)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await event.wait()
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(symbol, None)
