"""Mark prices for showing, asked for once for all accounts of one exchange: no account pushes them,
and nothing that trades waits for them.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from decimal import Decimal

from libs.common.contracts.words import VenueSymbol
from services.executor.accounts import Connected
from services.executor.exchange import QueryFailed
from services.executor.viewing.asked import Piece

MARKS_MAX = 20
"""Of one account and refresh; the oldest first, so that the next refresh asks for others."""
BETWEEN_S = 0.15
"""MEXC grants twenty of these in two seconds to an address."""
_UNASKED = "more contracts are held than are asked for at once"


class MarkPrices:
    def __init__(
        self,
        *,
        again_s: float,
        clock: Callable[[], float] = time.monotonic,
        between_s: float = BETWEEN_S,
    ) -> None:
        self._again_s = again_s
        self._clock = clock
        self._between_s = between_s
        self._pieces: defaultdict[str, dict[VenueSymbol, Piece[Decimal]]] = defaultdict(dict)
        """By the exchange's address: a paper exchange's prices are not MEXC's."""
        self._asked_at: defaultdict[str, float] = defaultdict(lambda: float("-inf"))
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def of(self, base_url: str) -> dict[VenueSymbol, Piece[Decimal]]:
        return self._pieces[base_url]

    async def ask(self, connected: Connected, symbols: Collection[VenueSymbol]) -> None:
        """Those that were not told a moment ago, one after the other."""
        base_url = connected.account.base_url
        pieces = self._pieces[base_url]
        for symbol in symbols:
            pieces.setdefault(symbol, Piece())
        wanted = sorted(set(symbols), key=lambda symbol: (pieces[symbol].asked_at, symbol))
        for symbol in wanted[MARKS_MAX:]:
            pieces[symbol].fail(_UNASKED)
        for symbol in wanted[:MARKS_MAX]:
            async with self._turns[base_url]:
                if not pieces[symbol].is_fresh(self._clock(), lasts_s=self._again_s):
                    await self._ask(connected, symbol, pieces[symbol])

    async def _ask(self, connected: Connected, symbol: VenueSymbol, piece: Piece[Decimal]) -> None:
        base_url = connected.account.base_url
        await asyncio.sleep(self._asked_at[base_url] + self._between_s - self._clock())
        self._asked_at[base_url] = asked_at = self._clock()
        try:
            told = await connected.exchange.views.mark_price(symbol)
        except QueryFailed as failure:
            piece.fail(str(failure))
        else:
            piece.tell(told.value, asked_at=asked_at)
