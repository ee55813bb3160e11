"""Public endpoints of funding: the rates, and what was settled."""

from typing import Any

from tools.paper_exchange.market.funding import (
    COLLECT_CYCLE_HOURS,
    MAX_RATE,
    MIN_RATE,
    next_settlement,
)
from tools.paper_exchange.market.tape import Funding
from tools.paper_exchange.numbers import number
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.market import known_symbol
from tools.paper_exchange.rest.pages import page_shape
from tools.paper_exchange.venue import Venue


def funding_rate(venue: Venue, call: Call) -> dict[str, Any]:
    return funding_shape(venue, known_symbol(venue, call))


def funding_rates(venue: Venue, _call: Call) -> list[dict[str, Any]]:
    return [funding_shape(venue, symbol) for symbol in venue.contracts]


def funding_history(venue: Venue, call: Call) -> dict[str, Any]:
    """Newest first, from when this process began."""
    return page_shape(call, venue.tape.fundings(known_symbol(venue, call)), shape=_settled)


def funding_shape(venue: Venue, symbol: str) -> dict[str, Any]:
    now_ms = venue.now_ms()
    price = venue.state.prices[symbol]
    return {
        "symbol": symbol,
        "fundingRate": number(venue.funding_rates[symbol]),
        "maxFundingRate": number(MAX_RATE),
        "minFundingRate": number(MIN_RATE),
        "collectCycle": COLLECT_CYCLE_HOURS,
        "nextSettleTime": next_settlement(now_ms),
        "idxPrice": number(price.index),
        "fairPrice": number(price.fair),
        "timestamp": now_ms,
    }


def _settled(funding: Funding) -> dict[str, Any]:
    return {
        "symbol": funding.symbol,
        "fundingRate": number(funding.rate),
        "settleTime": funding.at_ms,
        "collectCycle": COLLECT_CYCLE_HOURS,
    }
