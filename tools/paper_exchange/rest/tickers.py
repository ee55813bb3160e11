"""The ticker of a contract: prices now, and what the last 24 hours brought."""

from decimal import Decimal
from typing import Any

from tools.paper_exchange.market.depth import best_prices
from tools.paper_exchange.market.tape import open_interest
from tools.paper_exchange.numbers import number
from tools.paper_exchange.venue import Venue

_RATE_DIGITS = Decimal("0.0001")
ZERO = Decimal(0)


def ticker_shape(venue: Venue, symbol: str) -> dict[str, Any]:
    return _shape(venue, symbol, held=open_interest(venue.state.accounts.values()))


def ticker_shapes(venue: Venue) -> list[dict[str, Any]]:
    """Of all contracts."""
    held = open_interest(venue.state.accounts.values())
    return [_shape(venue, symbol, held=held) for symbol in venue.contracts]


def _shape(venue: Venue, symbol: str, *, held: dict[str, Decimal]) -> dict[str, Any]:
    contract = venue.contracts[symbol]
    price = venue.state.prices[symbol]
    now_ms = venue.now_ms()
    day = venue.tape.bars[symbol].last.day(now_ms // 1000)
    bid, ask = best_prices(venue, symbol)
    rise = price.last - day.open
    rate = number((rise / day.open).quantize(_RATE_DIGITS))
    return {
        "contractId": contract.id,
        "symbol": symbol,
        "lastPrice": number(price.last),
        "bid1": number(bid),
        "ask1": number(ask),
        "volume24": number(day.vol),
        "amount24": number(day.amount),
        "holdVol": number(held.get(symbol, ZERO)),
        "lower24Price": number(day.low),
        "high24Price": number(day.high),
        "riseFallRate": rate,
        "riseFallValue": number(rise),
        "indexPrice": number(price.index),
        "fairPrice": number(price.fair),
        "fundingRate": number(venue.funding_rates[symbol]),
        "maxBidPrice": number(contract.max_bid_price(price.index)),
        "minAskPrice": number(contract.min_ask_price(price.index)),
        "timestamp": now_ms,
        "riseFallRates": {"zone": "UTC+8", "r": rate, "v": number(rise)},
        # Since midnight in three time zones at the venue; here all are of the last 24 hours.
        "riseFallRatesOfTimezone": [rate, rate, rate],
    }
