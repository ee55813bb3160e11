"""Asks the exchange what a checkup wants to know: few questions, one after the other, so that they
are never in the way of an order. What is answered is noted at once; whoever calls this may end it
at any time, and judges what is there by then.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from libs.common.clock import Clock
from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckupReason
from libs.common.contracts.words import VenueSymbol
from services.executor.accounts import Connected
from services.executor.asking import mend_clock
from services.executor.checkable import Listing, Ping
from services.executor.checkup.observed import LaneSeen, Observed, Refused, Unlisted
from services.executor.checkup.probing import Prober
from services.executor.exchange import QueryFailed, Told

T = TypeVar("T")

PROBED_CONTRACT = VenueSymbol("BTC_USDT")
"""Where no route names another one."""
_FIRST_TRIES = 2
_BETWEEN_S = 0.1
"""MEXC grants ten of the rarest of these calls in two seconds, and orders share the address."""


class Pacer:
    """Pings of all accounts share the address's limit of twenty in two seconds."""

    def __init__(self, *, clock: Clock, between_s: float = 0.15) -> None:
        self._clock = clock
        self._between_s = between_s
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        async with self._turn:
            await self._clock.sleep(self._between_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inquiry:
    """One checkup's questions."""

    connected: Connected
    seen: Observed
    reason: CheckupReason
    pings: int
    prober: Prober
    pacer: Pacer
    clock: Clock


async def gather(inquiry: Inquiry) -> None:
    """Fills what `inquiry.seen` tells. Raises nothing that is expected to go wrong."""
    await _reach(inquiry)
    if not inquiry.seen.pings:
        return
    async with asyncio.TaskGroup() as group:
        group.create_task(_ping(inquiry))
        await _ask_about_the_key(inquiry)
        await _ask_about_contracts(inquiry)
        await _probe(inquiry)


async def _reach(inquiry: Inquiry) -> None:
    """Whether the exchange answers at all; one answer may be lost."""
    seen = inquiry.seen
    silence: Refused | None = None
    for _ in range(_FIRST_TRIES):
        ping = await _heard(seen, inquiry.connected.exchange.checks.ping())
        if isinstance(ping, Ping):
            seen.pings.append(ping)
            return
        silence = ping
    seen.silence = silence


async def _ping(inquiry: Inquiry) -> None:
    for _ in range(inquiry.pings - 1):
        await inquiry.pacer.wait()
        try:
            told = await inquiry.connected.exchange.checks.ping()
        except QueryFailed as failure:
            inquiry.seen.calls.append(failure.call)
            return
        # Their bytes say the time and nothing else: the first one's stand for all.
        inquiry.seen.pings.append(told.value)


async def _ask_about_the_key(inquiry: Inquiry) -> None:
    seen, exchange = inquiry.seen, inquiry.connected.exchange
    positions = await _heard(seen, exchange.positions())
    if isinstance(positions, Refused) and positions.kind is Cause.TIMESTAMP:
        await mend_clock(exchange)
        positions = await _heard(seen, exchange.positions())
    seen.positions = positions
    seen.key = await _heard(seen, exchange.checks.key_info())
    if seen.barred is not None:
        return
    seen.position_mode = await _heard(seen, exchange.checks.position_mode())
    seen.funds = await _heard(seen, exchange.checks.funds())


async def _ask_about_contracts(inquiry: Inquiry) -> None:
    seen = inquiry.seen
    known: dict[VenueSymbol, LaneSeen] = {}
    for number, lane in enumerate(seen.lanes):
        asked = known.get(lane.symbol)
        if asked is None:
            asked = known[lane.symbol] = await _ask_about(inquiry, lane)
        seen.lanes[number] = replace(
            lane, listing=asked.listing, leverages=asked.leverages, price=asked.price
        )


async def _ask_about(inquiry: Inquiry, lane: LaneSeen) -> LaneSeen:
    seen, exchange = inquiry.seen, inquiry.connected.exchange
    listing = await _listing(inquiry, lane.symbol)
    if isinstance(listing, Unlisted):
        return replace(lane, listing=listing)
    leverages = None
    if seen.passed:
        await inquiry.clock.sleep(_BETWEEN_S)
        leverages = await _heard(seen, exchange.leverages(lane.symbol))
    await inquiry.clock.sleep(_BETWEEN_S)
    prices = await _heard(seen, exchange.prices(lane.symbol))
    price: Decimal | Refused = prices if isinstance(prices, Refused) else prices.last
    return replace(lane, listing=listing, leverages=leverages, price=price)


async def _listing(inquiry: Inquiry, symbol: VenueSymbol) -> Listing | Unlisted | Refused:
    await inquiry.clock.sleep(_BETWEEN_S)
    listing = await _heard(inquiry.seen, inquiry.connected.exchange.checks.listing(symbol))
    return Unlisted() if listing is None else listing


async def _probe(inquiry: Inquiry) -> None:
    """Only where the exchange does not tell what the key may do."""
    seen = inquiry.seen
    if not isinstance(seen.key, Refused) or not seen.passed:
        return
    listing = _first_listing(seen.lanes) or await _listing(inquiry, PROBED_CONTRACT)
    if not isinstance(listing, Listing):
        return
    seen.probe, call = await inquiry.prober.probe(
        inquiry.connected, instrument=listing.instrument, reason=inquiry.reason
    )
    if call is not None:
        seen.calls.append(call)


def _first_listing(lanes: Sequence[LaneSeen]) -> Listing | None:
    return next((one.listing for one in lanes if isinstance(one.listing, Listing)), None)


async def _heard(seen: Observed, question: Awaitable[Told[T]]) -> T | Refused:
    try:
        told = await question
    except QueryFailed as failure:
        seen.calls.append(failure.call)
        return Refused(kind=failure.kind, code=failure.code, message=failure.message)
    seen.calls.extend(told.calls)
    return told.value
