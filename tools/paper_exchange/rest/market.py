"""Public endpoints: time, contracts, prices."""

from typing import Any

import msgspec

from tools.paper_exchange.engine.checking import known_contract
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.shapes import ticker_shape
from tools.paper_exchange.venue import Venue


def ping(_venue: Venue, call: Call) -> int:
    return call.now_ms


def contract_detail(venue: Venue, call: Call) -> msgspec.Raw | list[msgspec.Raw]:
    symbol = call.params.get("symbol")
    if not symbol:
        return list(venue.catalogue.rows.values())
    return venue.catalogue.rows[known_contract(venue.contracts, symbol).symbol]


def ticker(venue: Venue, call: Call) -> dict[str, Any] | list[dict[str, Any]]:
    symbol = call.params.get("symbol")
    if symbol:
        return _ticker(venue, call, symbol=symbol)
    return [_ticker(venue, call, symbol=every) for every in venue.contracts]


def fair_price(venue: Venue, call: Call) -> dict[str, Any]:
    shown = _ticker(venue, call, symbol=call.params["symbol"])
    return {name: shown[name] for name in ("symbol", "fairPrice", "timestamp")}


def index_price(venue: Venue, call: Call) -> dict[str, Any]:
    shown = _ticker(venue, call, symbol=call.params["symbol"])
    return {name: shown[name] for name in ("symbol", "indexPrice", "timestamp")}


def _ticker(venue: Venue, call: Call, *, symbol: str) -> dict[str, Any]:
    contract = known_contract(venue.contracts, symbol)
    return ticker_shape(
        contract,
        venue.state.prices[symbol],
        funding_rate=venue.catalogue.funding_rates[symbol],
        now_ms=call.now_ms,
    )
