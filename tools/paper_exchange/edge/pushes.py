"""The private pushes: for each kind of event, who may see it and what it looks like. An entry in
`PUSHES` is all that a new kind of push needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.paper_exchange.edge.filters import FilterKey
from tools.paper_exchange.engine.events import (
    AttachedChanged,
    CloseAllFailed,
    DealMade,
    LiquidationRisk,
    OrderChanged,
    PlanChanged,
    PositionChanged,
    PositionModeChanged,
    PositionReversed,
    RiskLimitChanged,
    StopChanged,
    TrackChanged,
    WalletChanged,
)
from tools.paper_exchange.engine.margin import MAKER_RATE, TAKER_RATE, unrealised
from tools.paper_exchange.numbers import number
from tools.paper_exchange.rest.calls import Permission
from tools.paper_exchange.rest.leverage import risk_shape
from tools.paper_exchange.rest.shapes import (
    asset_shape,
    deal_shape,
    order_shape,
    position_shape,
)
from tools.paper_exchange.rest.trigger_shapes import (
    carried_shape,
    plan_shape,
    stop_shape,
    track_shape,
)
from tools.paper_exchange.venue import Venue

# Nothing is ever deleveraged here, so all stand last in that queue.
LOWEST_ADL_LEVEL = 1
# The venue's documents show 2 with no error, and no other.
REVERSAL_DONE = 2
REVERSAL_FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """`channel` goes without its `push.personal.`; `key` None: no filter knows it by name."""

    channel: str
    key: FilterKey | None
    # Where the push is about one symbol: what gives it.
    symbol: Callable[[Any], str] | None
    data: Callable[[Venue, Any], dict[str, Any]]
    permission: Permission = Permission.DEAL_READ


def _order(venue: Venue, event: OrderChanged) -> dict[str, Any]:
    return order_shape(venue, event.order) | {
        "remainVol": number(event.order.remaining),
        "makerFeeRate": number(MAKER_RATE),
        "takerFeeRate": number(TAKER_RATE),
    }


def _deal(venue: Venue, event: DealMade) -> dict[str, Any]:
    return deal_shape(venue, event.order, event.deal) | {
        "isSelf": False,
        "externalOid": event.order.external_oid,
        "reduceOnly": event.order.reduce_only,
    }


def _position(venue: Venue, event: PositionChanged) -> dict[str, Any]:
    position = event.position
    contract = venue.contracts[position.symbol]
    fair = venue.state.prices[position.symbol].fair
    return position_shape(venue, event.account, position) | {
        "pnl": number(unrealised(position, contract, fair)),
        "makerFeeRate": number(MAKER_RATE),
        "takerFeeRate": number(TAKER_RATE),
    }


def _asset(venue: Venue, event: WalletChanged) -> dict[str, Any]:
    shape = asset_shape(venue, event.account, event.currency)
    wanted = ("currency", "positionMargin", "frozenBalance", "availableBalance", "bonus")
    return {name: shape[name] for name in wanted}


def _position_mode(_venue: Venue, event: PositionModeChanged) -> dict[str, Any]:
    return {"positionMode": event.account.position_mode}


def _liquidation_risk(venue: Venue, event: LiquidationRisk) -> dict[str, Any]:
    shape = position_shape(venue, event.account, event.position)
    return {
        name: shape[name] for name in ("symbol", "positionId", "liquidatePrice", "marginRatio")
    } | {"adlLevel": LOWEST_ADL_LEVEL}


def _reversed(_venue: Venue, event: PositionReversed) -> dict[str, Any]:
    return {
        "contractId": event.contract_id,
        "positionId": event.position_id,
        "state": REVERSAL_FAILED if event.error else REVERSAL_DONE,
        "errorCode": event.error,
    }


def _risk_limit(venue: Venue, event: RiskLimitChanged) -> dict[str, Any]:
    shape = risk_shape(event.account, venue.contracts[event.symbol], event.type)
    return shape | {"riskSource": 0, "maxVolView": shape["maxVol"]}


def _close_all_failed(_venue: Venue, _event: CloseAllFailed) -> dict[str, Any]:
    return {}


PUSHES: dict[type, Push] = {
    OrderChanged: Push(
        channel="order",
        key=FilterKey.ORDER,
        symbol=lambda event: event.order.symbol,
        data=_order,
    ),
    DealMade: Push(
        channel="order.deal",
        key=FilterKey.ORDER_DEAL,
        symbol=lambda event: event.order.symbol,
        data=_deal,
    ),
    PositionChanged: Push(
        channel="position",
        key=FilterKey.POSITION,
        symbol=lambda event: event.position.symbol,
        data=_position,
    ),
    WalletChanged: Push(
        channel="asset",
        key=FilterKey.ASSET,
        symbol=None,
        data=_asset,
        permission=Permission.ACCOUNT_READ,
    ),
    LiquidationRisk: Push(
        channel="liquidate.risk",
        key=None,
        symbol=lambda event: event.position.symbol,
        data=_liquidation_risk,
    ),
    PositionReversed: Push(channel="reverse.position", key=None, symbol=None, data=_reversed),
    RiskLimitChanged: Push(
        channel="risk.limit",
        key=FilterKey.RISK_LIMIT,
        symbol=lambda event: event.symbol,
        data=_risk_limit,
    ),
    CloseAllFailed: Push(
        channel="position.closeall.fail", key=None, symbol=None, data=_close_all_failed
    ),
    PositionModeChanged: Push(channel="position.mode", key=None, symbol=None, data=_position_mode),
    PlanChanged: Push(
        channel="plan.order",
        key=FilterKey.PLAN_ORDER,
        symbol=lambda event: event.plan.symbol,
        data=lambda venue, event: plan_shape(venue, event.account, event.plan),
    ),
    StopChanged: Push(
        channel="stop.planorder",
        key=FilterKey.STOP_PLAN_ORDER,
        symbol=lambda event: event.stop.symbol,
        data=lambda _venue, event: stop_shape(event.stop),
    ),
    AttachedChanged: Push(
        channel="stop.order",
        key=FilterKey.STOP_ORDER,
        symbol=lambda event: event.order.symbol,
        data=lambda _venue, event: carried_shape(event.order),
    ),
    TrackChanged: Push(
        channel="track.order",
        key=None,
        symbol=lambda event: event.track.symbol,
        data=lambda _venue, event: track_shape(event.track),
    ),
}
