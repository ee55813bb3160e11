"""Plays prices into the exchange: one job of the event loop for each contract that has a feed.

Feeds go by real time, also while the exchange's clock stands or after it jumped; what they play
happens at the exchange's time. `fair` and `index` follow `last`.
"""

import asyncio
from decimal import Decimal
from pathlib import Path

from tools.paper_exchange.engine.commands import SetPrice
from tools.paper_exchange.market.feeds import (
    Feed,
    FeedStatus,
    KlinesFeed,
    StillFeed,
    WalkFeed,
)
from tools.paper_exchange.market.klines import (
    Kline,
    KlinesError,
    klines_of,
    klines_of_text,
    steps_of,
)
from tools.paper_exchange.market.walk import Walk
from tools.paper_exchange.venue import Venue

LARGEST_FILE_BYTES = 128 * 1024 * 1024


def start_feed(venue: Venue, symbol: str, feed: Feed) -> None:
    """Play a feed instead of what was played before. `KlinesError` where its rows make no sense."""
    if isinstance(feed, StillFeed):
        venue.jobs.stop(_job(symbol))
        venue.feeds.pop(symbol, None)
        return
    if isinstance(feed, WalkFeed):
        status = FeedStatus(
            kind="walk",
            state="playing",
            seed=feed.seed,
            step_ms=feed.step_ms,
            volatility_bps=feed.volatility_bps,
        )
        work = _walk(venue, symbol, feed)
    else:
        klines = _klines(venue.kline_dir, feed)
        status = FeedStatus(
            kind="klines", state="playing", file=feed.file, bars=len(klines), speed=feed.speed
        )
        work = _play(venue, symbol, klines=klines, speed=feed.speed)
    venue.feeds[symbol] = status
    venue.jobs.start(_job(symbol), work)


def feed_states(venue: Venue) -> dict[str, FeedStatus]:
    """The feeds that were begun and not stopped, as they are now."""
    for symbol, status in venue.feeds.items():
        status.error = venue.jobs.failure(_job(symbol))
        if status.error is not None:
            status.state = "failed"
        elif not venue.jobs.runs(_job(symbol)):
            status.state = "ended"
    return venue.feeds


async def _walk(venue: Venue, symbol: str, feed: WalkFeed) -> None:
    walk = Walk(
        seed=feed.seed,
        symbol=symbol,
        tick=venue.contracts[symbol].price_unit,
        volatility_bps=feed.volatility_bps,
    )
    while True:
        await asyncio.sleep(feed.step_ms / 1000)
        _set_price(venue, symbol, walk.next_price(venue.state.prices[symbol].last))


async def _play(venue: Venue, symbol: str, *, klines: list[Kline], speed: Decimal) -> None:
    contract = venue.contracts[symbol]
    loop = asyncio.get_running_loop()
    began = loop.time()
    steps = steps_of(klines, tick=contract.price_unit, vol_unit=contract.vol_unit, speed=speed)
    for step in steps:
        # Zero lets others have a turn where the feed is late.
        await asyncio.sleep(max(began + step.after_ms / 1000 - loop.time(), 0))
        before = venue.state.prices[symbol].last
        _set_price(venue, symbol, step.price)
        if step.vol:
            venue.tape.market_trade(
                symbol,
                price=step.price,
                vol=step.vol,
                taker_buys=step.price >= before,
                at_ms=venue.now_ms(),
            )


def _set_price(venue: Venue, symbol: str, last: Decimal) -> None:
    venue.apply(SetPrice(at_ms=venue.now_ms(), symbol=symbol, last=last))


def _klines(folder: Path | None, feed: KlinesFeed) -> list[Kline]:
    if feed.file is None:
        return klines_of(feed.rows or [])
    if folder is None:
        raise KlinesError("no folder of kline files is set")
    path = _within(folder, feed.file)
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise KlinesError(f"{feed.file} is larger than {LARGEST_FILE_BYTES} bytes")
        return klines_of_text(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        raise KlinesError(f"{feed.file} cannot be read") from None


def _within(folder: Path, name: str) -> Path:
    # No way out of the folder, not by a link either.
    try:
        path = (folder / name).resolve()
    except (OSError, ValueError):
        path = folder
    if path.parent != folder.resolve():
        raise KlinesError(f"{name!r} is not the name of a file in the folder")
    return path


def _job(symbol: str) -> str:
    return f"feed {symbol}"
