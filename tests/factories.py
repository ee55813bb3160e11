"""Values for tests: sensible by default, each field overridable."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from libs.common.contracts.alert import Alert, Order
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Intent
from libs.common.contracts.order import Holding, Leg
from libs.common.contracts.route import (
    Account,
    Route,
    RouteAccount,
    RouteSettings,
    TokenHash,
)
from libs.common.contracts.words import (
    AccountId,
    Action,
    AlertId,
    ClientOrderId,
    Effect,
    IntentId,
    MarginMode,
    PositionMode,
    PositionSide,
    RouteId,
    TradeMode,
    VenueSymbol,
)
from libs.common.domain.identity import alert_id as make_alert_id
from libs.common.domain.identity import intent_id

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALERT_ID = make_alert_id(unix_ms=1_763_900_000_000, random_bits=12345)


def D(text: str | int) -> Decimal:  # noqa: N802 - as short as a literal
    return Decimal(text)


def make_instrument(**changes: Any) -> Instrument:
    """BTC_USDT as MEXC lists it."""
    values: dict[str, Any] = {
        "symbol": VenueSymbol("BTC_USDT"),
        "base": "BTC",
        "quote": "USDT",
        "contract_size": D("0.0001"),
        "step_contracts": D(1),
        "minimum_contracts": D(1),
        "maximum_contracts": D(400_000),
        "tick_price": D("0.1"),
        "leverage_maximum": 500,
        "tradable": True,
    }
    return Instrument(**{**values, **changes})


def make_order(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "ticker": "BTCUSDT.P",
        "action": Action.BUY,
        "quantity": D("0.001"),
    }
    return Order(**{**values, **changes})


def make_alert(*, order: Order | None = None, **changes: Any) -> Alert:
    body = '{"ticker":"BTCUSDT.P"}'
    values: dict[str, Any] = {
        "alert_id": ALERT_ID,
        "route": RouteId("demo"),
        "at": NOW,
        "order": order or make_order(),
        "body": body,
        "body_sha256": hashlib.sha256(body.encode()).hexdigest(),
    }
    return Alert(**{**values, **changes})


def make_settings(**changes: Any) -> RouteSettings:
    values: dict[str, Any] = {"id": "demo", "accounts": (RouteAccount(account="paper"),)}
    return RouteSettings(**{**values, **changes})


def make_route(*, token: str = "token", **changes: Any) -> Route:
    digest = hashlib.sha256(token.encode()).hexdigest()
    return Route(settings=make_settings(**changes), tokens=(TokenHash(sha256=digest),))


def make_account(**changes: Any) -> Account:
    values: dict[str, Any] = {
        "id": "paper",
        "base_url": "http://127.0.0.1:1",
        "ws_url": "ws://127.0.0.1:1/edge",
        "access_key": "paper_key",
        "order_calls_per_2s": 1000,
    }
    return Account(**{**values, **changes})


def make_intent(**changes: Any) -> Intent:
    alert = AlertId(changes.get("alert_id", ALERT_ID))
    account = AccountId(changes.get("account", "paper"))
    values: dict[str, Any] = {
        "intent_id": IntentId(intent_id(alert=alert, account=account)),
        "alert_id": alert,
        "route": RouteId("demo"),
        "account": account,
        "symbol": VenueSymbol("BTC_USDT"),
        "at": NOW,
        "received_at": NOW,
        "action": Action.BUY,
        "contracts": D(10),
        "trade_mode": TradeMode.NETTING,
        "margin_mode": MarginMode.CROSS,
        "leverage": 10,
        "max_age_s": 30,
        "instrument": make_instrument(),
    }
    return Intent(**{**values, **changes})


def make_holding(side: str = "long", contracts: str | int = 10, **changes: Any) -> Holding:
    values: dict[str, Any] = {
        "side": PositionSide(side),
        "contracts": D(contracts),
        "free_contracts": D(contracts),
        "average_price": D(50_000),
        "margin_mode": MarginMode.CROSS,
        "leverage": 10,
        "position_id": f"position-{side}",
    }
    return Holding(**{**values, **changes})


def make_leg(effect: str = "open", side: str = "long", **changes: Any) -> Leg:
    values: dict[str, Any] = {
        "client_order_id": ClientOrderId("id000000000000000000000000000"),
        "effect": Effect(effect),
        "position_side": PositionSide(side),
        "contracts": D(10),
        "margin_mode": MarginMode.CROSS,
        "leverage": 10,
        "position_mode": PositionMode.HEDGE,
    }
    return Leg(**{**values, **changes})
