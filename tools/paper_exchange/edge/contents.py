"""What the public topics show: the data of a push, made from the venue as it is."""

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import msgspec

from tools.paper_exchange.edge.topics import Topic
from tools.paper_exchange.market.bars import Interval, bars_of
from tools.paper_exchange.market.books import Row
from tools.paper_exchange.market.depth import depth_commits, depth_view
from tools.paper_exchange.market.funding import next_settlement
from tools.paper_exchange.numbers import number
from tools.paper_exchange.rest.market import depth_rows, trade_shape
from tools.paper_exchange.rest.tickers import ticker_shape, ticker_shapes
from tools.paper_exchange.venue import Venue


def depth_snapshot(venue: Venue, symbol: str) -> dict[str, Any]:
    bids, asks, version = depth_view(venue, symbol)
    return _depth(bids, asks, version=version)


def news_of_depth(venue: Venue, symbol: str, *, since: int) -> tuple[int, list[dict[str, Any]]]:
    """The version now, and what changed with each one after `since`, where that is not below 0."""
    version = depth_view(venue, symbol, 1)[2]
    if since < 0 or version == since:
        return version, []
    commits = depth_commits(venue, symbol, version - since)
    return version, [
        _depth(commit.bids, commit.asks, version=commit.version) for commit in reversed(commits)
    ]


def news_of_trades(venue: Venue, symbol: str, *, since: int) -> tuple[int, list[Any]]:
    """The id of the last trade, and one push of those after `since`, where that is not below 0."""
    trades = venue.tape.trades(symbol)
    last = trades[0].id if trades else 0
    if since < 0 or last == since:
        return last, []
    new = [trade for trade in reversed(trades) if trade.id > since]
    return last, [[trade_shape(trade) for trade in new]]


def news_of_contracts(venue: Venue, *, seen: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """The rows of contracts that are not as they were seen."""
    return {symbol: row for symbol, row in venue.rows.items() if seen.get(symbol, row) != row}


def _ticker(venue: Venue, topic: Topic) -> dict[str, Any]:
    return ticker_shape(venue, topic.symbol)


def _tickers(venue: Venue, _topic: Topic) -> list[dict[str, Any]]:
    return ticker_shapes(venue)


def _full_depth(venue: Venue, topic: Topic) -> dict[str, Any]:
    bids, asks, version = depth_view(venue, topic.symbol, int(topic.detail))
    return _depth(bids, asks, version=version)


def _stepped_depth(venue: Venue, topic: Topic) -> dict[str, Any]:
    bids, asks, version = depth_view(venue, topic.symbol)
    step = Decimal(topic.detail)
    shape = _depth(
        _grouped(bids, step, rounding=ROUND_FLOOR),
        _grouped(asks, step, rounding=ROUND_CEILING),
        version=version,
    )
    last = number(venue.state.prices[topic.symbol].last)
    return shape | {"askMarketLevelPrice": last, "bidMarketLevelPrice": last, "ct": venue.now_ms()}


def _kline(venue: Venue, topic: Topic) -> dict[str, Any]:
    now_s = venue.now_ms() // 1000
    minutes = venue.tape.bars[topic.symbol].last.minutes
    *_, bar = bars_of(minutes, Interval(topic.detail), first_s=now_s, last_s=now_s)
    return {
        "symbol": topic.symbol,
        "interval": topic.detail,
        "t": bar.begin_s,
        "o": number(bar.open),
        "c": number(bar.close),
        "h": number(bar.high),
        "l": number(bar.low),
        "a": number(bar.amount),
        "q": number(bar.vol),
        "ro": number(bar.first),
        "rc": number(bar.close),
        "rh": number(bar.high),
        "rl": number(bar.low),
    }


def _funding_rate(venue: Venue, topic: Topic) -> dict[str, Any]:
    return {
        "symbol": topic.symbol,
        "rate": number(venue.funding_rates[topic.symbol]),
        "nextSettleTime": next_settlement(venue.now_ms()),
    }


def _index_price(venue: Venue, topic: Topic) -> dict[str, Any]:
    return {"symbol": topic.symbol, "price": number(venue.state.prices[topic.symbol].index)}


def _fair_price(venue: Venue, topic: Topic) -> dict[str, Any]:
    return {"symbol": topic.symbol, "price": number(venue.state.prices[topic.symbol].fair)}


# Kinds that are not here are accepted and have nothing to show until something changes.
CONTENTS: dict[str, Callable[[Venue, Topic], Any]] = {
    "tickers": _tickers,
    "ticker": _ticker,
    "depth.full": _full_depth,
    "depth.step": _stepped_depth,
    "kline": _kline,
    "funding.rate": _funding_rate,
    "index.price": _index_price,
    "fair.price": _fair_price,
}


def _depth(bids: list[Row], asks: list[Row], *, version: int) -> dict[str, Any]:
    return {"asks": depth_rows(asks), "bids": depth_rows(bids), "version": version}


def _grouped(rows: list[Row], step: Decimal, *, rounding: str) -> list[Row]:
    grouped: dict[Decimal, tuple[Decimal, int]] = {}
    for price, vol, count in rows:
        place = (price / step).to_integral_value(rounding) * step
        total, orders = grouped.get(place, (Decimal(0), 0))
        grouped[place] = (total + vol, orders + count)
    return [(price, vol, count) for price, (vol, count) in grouped.items()]
