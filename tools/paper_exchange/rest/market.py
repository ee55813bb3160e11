"""Public endpoints: time, contracts, prices, depth, trades, the insurance fund."""

from typing import Any

import msgspec

from tools.paper_exchange.engine.checking import known_contract
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.market.books import MOST_LEVELS, Row
from tools.paper_exchange.market.depth import depth_commits as latest_commits
from tools.paper_exchange.market.depth import depth_view
from tools.paper_exchange.market.tape import Trade
from tools.paper_exchange.numbers import number
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.pages import page_shape
from tools.paper_exchange.rest.tickers import ticker_shape, ticker_shapes
from tools.paper_exchange.venue import Venue

MOST_TRADES = 100
MOST_COMMITS = 1_000


def ping(_venue: Venue, call: Call) -> int:
    return call.told_ms


def contract_detail(venue: Venue, call: Call) -> msgspec.Raw | list[msgspec.Raw]:
    symbol = call.params.get("symbol")
    if not symbol:
        return list(venue.rows.values())
    return venue.rows[known_symbol(venue, call)]


def support_currencies(venue: Venue, _call: Call) -> list[str]:
    """The coins that contracts are settled in."""
    return list(dict.fromkeys(contract.settle_coin for contract in venue.contracts.values()))


def ticker(venue: Venue, call: Call) -> dict[str, Any] | list[dict[str, Any]]:
    if call.params.get("symbol"):
        return ticker_shape(venue, known_symbol(venue, call))
    return ticker_shapes(venue)


def fair_price(venue: Venue, call: Call) -> dict[str, Any]:
    symbol = known_symbol(venue, call)
    fair = number(venue.state.prices[symbol].fair)
    return {"symbol": symbol, "fairPrice": fair, "timestamp": call.now_ms}


def index_price(venue: Venue, call: Call) -> dict[str, Any]:
    symbol = known_symbol(venue, call)
    index = number(venue.state.prices[symbol].index)
    return {"symbol": symbol, "indexPrice": index, "timestamp": call.now_ms}


def depth(venue: Venue, call: Call) -> dict[str, Any]:
    symbol = known_symbol(venue, call)
    limit = _count(call, "limit", most=MOST_LEVELS)
    bids, asks, version = depth_view(venue, symbol, limit)
    return {
        "asks": depth_rows(asks),
        "bids": depth_rows(bids),
        "version": version,
        "timestamp": call.now_ms,
    }


def depth_commits(venue: Venue, call: Call) -> list[dict[str, Any]]:
    symbol = known_symbol(venue, call)
    return [
        {
            "asks": depth_rows(commit.asks),
            "bids": depth_rows(commit.bids),
            "version": commit.version,
        }
        for commit in latest_commits(venue, symbol, _count(call, "limit", most=MOST_COMMITS))
    ]


def deals(venue: Venue, call: Call) -> list[dict[str, Any]]:
    """Newest first."""
    symbol = known_symbol(venue, call)
    limit = _count(call, "limit", most=MOST_TRADES)
    return [trade_shape(trade) for trade in venue.tape.trades(symbol)[:limit]]


def risk_reverse(venue: Venue, call: Call) -> list[dict[str, Any]]:
    """The insurance fund of each contract, which is empty: what it pays here comes from nowhere."""
    return [
        {
            "symbol": symbol,
            "currency": contract.settle_coin,
            "available": 0,
            "timestamp": call.now_ms,
        }
        for symbol, contract in venue.contracts.items()
    ]


def risk_reverse_history(venue: Venue, call: Call) -> dict[str, Any]:
    known_symbol(venue, call)
    return page_shape(call, [], shape=dict)


def depth_rows(rows: list[Row]) -> list[list[Any]]:
    return [[number(price), number(vol), count] for price, vol, count in rows]


def trade_shape(trade: Trade) -> dict[str, Any]:
    """`T` 1 the taker bought, 2 sold; `O` see `Effect`; `M` 2: not with itself; `i` an id."""
    return {
        "p": number(trade.price),
        "v": number(trade.vol),
        "T": 1 if trade.taker_buys else 2,
        "O": trade.effect,
        "M": 2,
        "t": trade.at_ms,
        "i": str(trade.id),
    }


def known_symbol(venue: Venue, call: Call) -> str:
    return known_contract(venue.contracts, call.params.get("symbol", "")).symbol


def _count(call: Call, name: str, *, most: int) -> int:
    count = call.whole_number(name, default=most)
    if not 1 <= count <= most:
        raise Refused(600)
    return count
