"""Private endpoints about leverage and the risk limits that come with it."""

from typing import Any

from tools.paper_exchange.engine.checking import known_contract, leverage_choice
from tools.paper_exchange.engine.commands import SetLeverage
from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO, Account
from tools.paper_exchange.engine.tiers import tier_at, tier_of, tiers_of
from tools.paper_exchange.engine.words import PositionType
from tools.paper_exchange.numbers import number
from tools.paper_exchange.rest.bodies import LeverageBody, decoded
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.venue import Venue


def leverage(venue: Venue, call: Call) -> list[dict[str, Any]]:
    contract = known_contract(venue.contracts, call.params.get("symbol", ""))
    return [leverage_shape(call.account, contract, kind) for kind in PositionType]


def change_leverage(venue: Venue, call: Call) -> None:
    """Of an open position by its id, or of a symbol and side."""
    body = decoded(call.body, LeverageBody)
    symbol, kind, open_type = body.symbol, body.position_type, body.open_type
    if body.position_id:
        held = call.account.position_by_id(body.position_id)
        if held is None:
            raise Refused(2009)
        symbol, kind, open_type = held.symbol, held.type, held.open_type
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


def risk_limit(venue: Venue, call: Call) -> dict[str, list[dict[str, Any]]]:
    """Both sides of one contract, or of all."""
    symbol = call.params.get("symbol")
    contracts = list(venue.contracts.values())
    if symbol:
        contracts = [known_contract(venue.contracts, symbol)]
    return {
        contract.symbol: [risk_shape(call.account, contract, kind) for kind in PositionType]
        for contract in contracts
    }


def change_risk_level(_venue: Venue, _call: Call) -> None:
    """The venue has switched it off: the leverage decides."""
    raise Refused(8817)


def leverage_shape(account: Account, contract: Contract, kind: PositionType) -> dict[str, Any]:
    """The tier is the highest that the leverage may be used in; `currentMmr` and the highest
    leverage are those of what is held.
    """
    choice = leverage_choice(account, contract, kind)
    allowed = tier_at(contract, choice.leverage) or tiers_of(contract)[0]
    held = account.position(contract.symbol, kind)
    current = tier_of(contract, held.hold_vol if held is not None else ZERO)
    return {
        "positionType": kind,
        "openType": choice.open_type,
        "leverage": choice.leverage,
        "level": allowed.level,
        "maxVol": number(allowed.max_vol),
        "mmr": number(allowed.mmr),
        "imr": number(allowed.imr),
        "currentMmr": number(current.mmr),
        "maxLeverageView": current.max_leverage,
        "limitBySys": False,
    }


def risk_shape(account: Account, contract: Contract, kind: PositionType) -> dict[str, Any]:
    shape = leverage_shape(account, contract, kind)
    del shape["maxLeverageView"]
    return shape | {"symbol": contract.symbol, "maxLeverage": contract.max_leverage}
