"""An account picture with every field filled, and parts of it with overrides."""

from datetime import timedelta
from typing import Any

from libs.common.contracts.account_picture import (
    AccountPicture,
    Balance,
    Doubt,
    DriftSeen,
    EgressMatch,
    EgressSeen,
    EgressTold,
    Missing,
    PictureState,
    PositionSeen,
    StopSeen,
    WaitingKind,
    WaitingOrder,
)
from libs.common.contracts.drift import Held
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    AccountId,
    ClientOrderId,
    Effect,
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    RouteId,
    VenueSymbol,
)
from tests.factories import ALERT_ID, NOW, D

BTC = VenueSymbol("BTC_USDT")


def make_position(**changes: Any) -> PositionSeen:
    values: dict[str, Any] = {
        "symbol": BTC,
        "side": PositionSide.LONG,
        "contracts": D(10),
        "free_contracts": D(8),
        "average_price": D(50_000),
        "margin_mode": MarginMode.ISOLATED,
        "leverage": 10,
        "position_id": "1109973831",
        "base_quantity": D("0.0010"),
        "mark_price": D("50123.4"),
        "marked_at": NOW,
        "liquidation_price": D("45250.5"),
        "unrealised_profit": D("0.12340"),
        "realised_profit": D("-0.04"),
        "profit_currency": "USDT",
    }
    return PositionSeen(**{**values, **changes})


def make_waiting(**changes: Any) -> WaitingOrder:
    values: dict[str, Any] = {
        "kind": WaitingKind.ORDER,
        "symbol": BTC,
        "exchange_id": "739113577038255616",
        "effect": Effect.OPEN,
        "position_side": PositionSide.LONG,
        "order_type": OrderType.LIMIT,
        "contracts": D(6),
        "filled_contracts": D(4),
        "price": D(49_000),
        "stop_price": D(48_000),
        "target_price": D(53_000),
        "since": NOW - timedelta(minutes=5),
        "client_order_id": ClientOrderId("id000000000000000000000000000"),
        "alert_id": ALERT_ID,
        "route": RouteId("demo"),
        "order_id": "first",
    }
    return WaitingOrder(**{**values, **changes})


def make_picture(**changes: Any) -> AccountPicture:
    values: dict[str, Any] = {
        "account": AccountId("main"),
        "at": NOW,
        "state": PictureState.ASKED,
        "doubt": Doubt.GAP,
        "why": "a push is missing, and the exchange was not asked since",
        "age_ms": 350,
        "confirmed_ms": 1350,
        "position_mode": PositionMode.HEDGE,
        "expected_position_mode": PositionMode.HEDGE,
        "positions": (make_position(),),
        "balances": (Balance(currency="USDT", equity=D("1000.5"), available=D("994.25")),),
        "balances_age_ms": 350,
        "orders": (
            make_waiting(),
            make_waiting(
                kind=WaitingKind.TRAILING,
                exchange_id="720000000261200001",
                effect=Effect.CLOSE,
                order_type=OrderType.MARKET,
                price=None,
                trigger_price=D(51_000),
                trail_distance=D(500),
                position_id="1109973831",
            ),
        ),
        "orders_age_ms": 350,
        "drift": DriftSeen(
            symbol=BTC,
            at=NOW - timedelta(hours=1),
            expected=(Held(side=PositionSide.LONG, contracts=D(20)),),
            held=(Held(side=PositionSide.LONG, contracts=D(10)),),
            alert_id=ALERT_ID,
            route=RouteId("demo"),
        ),
        "stops": (
            StopSeen(
                reason=Reason.ADDRESS_NOT_LINKED,
                message="the exchange refuses our address for the key of account main",
                since=NOW - timedelta(minutes=1),
                code=406,
            ),
        ),
        "order_calls_per_2s": 4,
        "order_calls_left": 3,
        "order_calls_waiting": 1,
        "key_days_left": 61,
        "key_checked_at": NOW - timedelta(minutes=10),
        "egress": EgressSeen(
            seen=("203.0.113.9",),
            expected=("203.0.113.8",),
            state=EgressMatch.DIFFERENT,
            at=NOW,
        ),
        "missing": (Missing(what="mark_price", why="not answered", symbol=VenueSymbol("X_USDT")),),
    }
    return AccountPicture(**{**values, **changes})


def make_egress(**changes: Any) -> EgressTold:
    values: dict[str, Any] = {
        "shard": 0,
        "shards": 1,
        "owner": True,
        "seen": ("203.0.113.9",),
        "expected": ("203.0.113.0/24",),
        "at": NOW,
        "problem": None,
    }
    return EgressTold(**{**values, **changes})
