"""The control side of the market: prices, depths, feeds, funding rates and the clock."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from tools.paper_exchange.control.replying import (
    WrongBodyError,
    answer,
    decoded,
    done,
    is_sane,
)
from tools.paper_exchange.engine.commands import SetDepth, SetPrice, SettleFunding
from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.market.clock import ClockError
from tools.paper_exchange.market.feeding import feed_states, start_feed
from tools.paper_exchange.market.feeds import Feed
from tools.paper_exchange.market.funding import MAX_RATE, MIN_RATE
from tools.paper_exchange.market.klines import KlinesError
from tools.paper_exchange.market.tape import Funding
from tools.paper_exchange.market.timekeeping import JOB, pass_time
from tools.paper_exchange.rest.replies import Answer
from tools.paper_exchange.venue import Venue

MOST_LEVELS = 1_000


class PriceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`fair` and `index` follow `last` where they are not given."""

    last: Decimal
    fair: Decimal | None = None
    index: Decimal | None = None

    def __post_init__(self) -> None:
        for price in (self.last, self.fair, self.index):
            if price is not None and (not is_sane(price) or price <= 0):
                raise ValueError("a price is a number above 0")


class DepthBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`[price, volume]`, best first; a body without sides makes the depth unlimited again."""

    bids: list[tuple[Decimal, Decimal]] | None = None
    asks: list[tuple[Decimal, Decimal]] | None = None


class FundingBody(msgspec.Struct, forbid_unknown_fields=True):
    rate: Decimal

    def __post_init__(self) -> None:
        if not is_sane(self.rate) or not MIN_RATE <= self.rate <= MAX_RATE:
            raise ValueError(f"rate lies between {MIN_RATE} and {MAX_RATE}")


class SettlementBody(msgspec.Struct, forbid_unknown_fields=True):
    """Without a rate the one that is shown."""

    rate: Decimal | None = None

    def __post_init__(self) -> None:
        if self.rate is not None:
            FundingBody(self.rate)


class ClockBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One of: jump ahead, stand at a moment, run on, tell another time than the books'."""

    advance_ms: int | None = None
    at_ms: int | None = None
    run: bool | None = None
    offset_ms: int | None = None

    def __post_init__(self) -> None:
        given = (self.advance_ms, self.at_ms, self.run, self.offset_ms)
        if sum(each is not None for each in given) != 1 or self.run is False:
            raise ValueError("give one of advance_ms, at_ms, run (true) and offset_ms")


def _prices(venue: Venue, _rest: str, _body: bytes) -> Answer:
    return answer(200, venue.state.prices)


def _set_price(venue: Venue, symbol: str, body: bytes) -> Answer:
    price = decoded(body, PriceBody)
    _contract(venue, symbol)
    venue.apply(
        SetPrice(
            at_ms=venue.now_ms(),
            symbol=symbol,
            last=price.last,
            fair=price.fair,
            index=price.index,
        )
    )
    return done()


def _set_depth(venue: Venue, symbol: str, body: bytes) -> Answer:
    wanted = decoded(body or b"{}", DepthBody | None) or DepthBody()
    contract = _contract(venue, symbol)
    sides: list[list[list[Decimal]] | None] = [None, None]
    if wanted.bids is not None or wanted.asks is not None:
        sides = [
            _levels("bids", wanted.bids or [], contract),
            _levels("asks", wanted.asks or [], contract),
        ]
        if wanted.bids and wanted.asks and wanted.bids[0][0] >= wanted.asks[0][0]:
            raise WrongBodyError("the best bid lies below the best ask")
    bids, asks = sides
    venue.apply(SetDepth(at_ms=venue.now_ms(), symbol=symbol, bids=bids, asks=asks))
    return done()


def _levels(
    side: str, levels: list[tuple[Decimal, Decimal]], contract: Contract
) -> list[list[Decimal]]:
    if len(levels) > MOST_LEVELS:
        raise WrongBodyError(f"{side}: at most {MOST_LEVELS} levels")
    for place, (price, vol) in enumerate(levels, start=1):
        if not is_sane(price) or price <= 0 or price % contract.price_unit:
            raise WrongBodyError(
                f"{side} {place}: a price is above 0 and a multiple of {contract.price_unit:f}"
            )
        if not is_sane(vol) or vol <= 0 or vol % contract.vol_unit:
            raise WrongBodyError(
                f"{side} {place}: a volume is above 0 and a multiple of {contract.vol_unit:f}"
            )
    prices = [price for price, _ in levels]
    if prices != sorted(set(prices), reverse=side == "bids"):
        raise WrongBodyError(f"{side}: best first, each price once")
    return [list(level) for level in levels]


def _feeds(venue: Venue, _rest: str, _body: bytes) -> Answer:
    return answer(200, feed_states(venue))


def _set_feed(venue: Venue, symbol: str, body: bytes) -> Answer:
    feed = decoded(body, Feed)
    _contract(venue, symbol)
    try:
        start_feed(venue, symbol, feed)
    except KlinesError as error:
        raise WrongBodyError(str(error)) from None
    return answer(200, feed_states(venue).get(symbol, {"kind": "still"}))


def _set_funding(venue: Venue, symbol: str, body: bytes) -> Answer:
    wanted = decoded(body, FundingBody)
    _contract(venue, symbol)
    venue.funding_rates[symbol] = wanted.rate
    return done()


def _settle_funding(venue: Venue, symbol: str, body: bytes) -> Answer:
    wanted = decoded(body or b"{}", SettlementBody)
    _contract(venue, symbol)
    rate = venue.funding_rates[symbol] if wanted.rate is None else wanted.rate
    now_ms = venue.now_ms()
    venue.apply(SettleFunding(at_ms=now_ms, symbol=symbol, rate=rate))
    venue.tape.note_funding(Funding(symbol=symbol, rate=rate, at_ms=now_ms))
    return done()


def _clock(venue: Venue, _rest: str, _body: bytes) -> Answer:
    return answer(
        200,
        {
            "now_ms": venue.now_ms(),
            "stands": venue.clock.stands,
            "ahead_ms": venue.clock.ahead_ms,
            "offset_ms": venue.clock.told_offset_ms,
            "failure": venue.jobs.failure(JOB),
        },
    )


def _set_clock(venue: Venue, _rest: str, body: bytes) -> Answer:
    wanted = decoded(body, ClockBody)
    try:
        if wanted.advance_ms is not None:
            venue.clock.advance(wanted.advance_ms)
        elif wanted.at_ms is not None:
            venue.clock.stand_at(wanted.at_ms)
        elif wanted.offset_ms is not None:
            venue.clock.tell_off_by(wanted.offset_ms)
        else:
            venue.clock.run()
    except ClockError as error:
        raise WrongBodyError(str(error)) from None
    pass_time(venue)
    return _clock(venue, "", b"")


def _contract(venue: Venue, symbol: str) -> Contract:
    contract = venue.contracts.get(symbol)
    if contract is None:
        known = ", ".join(venue.contracts)
        raise WrongBodyError(f"no contract {symbol!r}; known are {known}", status=404)
    return contract


Handler = Callable[[Venue, str, bytes], Answer]

WITH_SYMBOL: dict[tuple[str, str], Handler] = {
    ("PUT", "prices"): _set_price,
    ("PUT", "depth"): _set_depth,
    ("PUT", "feed"): _set_feed,
    ("PUT", "funding"): _set_funding,
    ("POST", "funding"): _settle_funding,
}
PLAIN: dict[tuple[str, str], Handler] = {
    ("GET", "prices"): _prices,
    ("GET", "feed"): _feeds,
    ("GET", "clock"): _clock,
    ("PUT", "clock"): _set_clock,
}
