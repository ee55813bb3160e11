"""Private endpoints about what an account holds and how it is set: positions, leverage, position
mode, assets, fees.
"""

from typing import Any

from tools.paper_exchange.engine.checking import known_contract
from tools.paper_exchange.engine.commands import SetLeverage, SetPositionMode
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.words import PositionType
from tools.paper_exchange.rest.bodies import LeverageBody, ModeBody, decoded
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.shapes import asset_shape, fee_shape, leverage_shape, position_shape
from tools.paper_exchange.venue import Venue


def open_positions(venue: Venue, call: Call) -> list[dict[str, Any]]:
    symbol = call.params.get("symbol")
    position_id = call.whole_number("positionId", default=0)
    return [
        position_shape(venue, call.account, position)
        for position in call.account.positions.values()
        if (not symbol or position.symbol == symbol)
        and (not position_id or position.id == position_id)
    ]


def leverage(venue: Venue, call: Call) -> list[dict[str, Any]]:
    contract = known_contract(venue.contracts, call.params.get("symbol", ""))
    return [leverage_shape(call.account, contract, kind) for kind in PositionType]


def change_leverage(venue: Venue, call: Call) -> None:
    """Of an open position by its id, or of a symbol and side."""
    body = decoded(call.body, LeverageBody)
    symbol, kind, open_type = body.symbol, body.position_type, body.open_type
    if body.position_id:
        held = [
            position
            for position in call.account.positions.values()
            if position.id == body.position_id
        ]
        if not held:
            raise Refused(2009)
        symbol, kind, open_type = held[0].symbol, held[0].type, held[0].open_type
    if symbol is None or kind is None:
        raise Refused(600)
    venue.apply(
        SetLeverage(
            at_ms=call.now_ms,
            account_id=call.account.id,
            symbol=symbol,
            position_type=kind,
            leverage=body.leverage,
            open_type=open_type,
        )
    )


def position_mode(_venue: Venue, call: Call) -> int:
    return call.account.position_mode


def change_position_mode(venue: Venue, call: Call) -> None:
    mode = decoded(call.body, ModeBody).position_mode
    venue.apply(SetPositionMode(at_ms=call.now_ms, account_id=call.account.id, position_mode=mode))


def assets(venue: Venue, call: Call) -> list[dict[str, Any]]:
    return [asset_shape(venue, call.account, currency) for currency in call.account.wallets]


def asset(venue: Venue, call: Call) -> dict[str, Any]:
    return asset_shape(venue, call.account, call.params["currency"])


def fee_rate(venue: Venue, call: Call) -> dict[str, Any]:
    symbol = call.params.get("symbol", "")
    return fee_shape(call.account, known_contract(venue.contracts, symbol).symbol)
