"""The examples of docs/trade-modes.md, run from the alert's order through router and planner."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from libs.common.contracts.intent import Denial
from libs.common.contracts.route import RouteAccount, RouteSettings, Sizing
from libs.common.contracts.words import (
    Action,
    MarketPosition,
    OrderType,
    PositionMode,
    PositionSide,
    RouteState,
    SizingMode,
    TradeMode,
    VenueSymbol,
)
from services.router.deciding import decide_intent
from tests.factories import NOW, D, make_alert, make_instrument, make_order, make_settings
from tests.unit.domain.notation import answer, picture

PAGE = Path(__file__).parents[3] / "docs" / "trade-modes.md"
ACCOUNTS = {"hedge": PositionMode.HEDGE, "one-way": PositionMode.ONE_WAY}
ROUTES: dict[str, dict[str, Any]] = {
    "inverse": {"inverse": True},
    "no pyramiding": {"pyramiding": False},
    "paused": {"state": RouteState.PAUSED},
}
ORDER_TYPES = {"limit": OrderType.LIMIT, "ioc": OrderType.IOC}


def examples():
    """Rows of the tables that tell what is held, the signal and the orders."""
    columns: list[str] = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if {"held", "signal", "orders"} <= set(cells):
            columns = cells
        elif not cells:
            columns = []
        elif columns and not cells[0].startswith("---"):
            yield dict(zip(columns, cells, strict=True))


EXAMPLES = list(examples())


def order_of(text: str, *, setting: str | None):
    """As ingest would understand it."""
    action, *rest = text.split()
    said: dict[str, Any] = {"action": Action(action), "quantity": None}
    for word in rest:
        if action == "target" and word in set(MarketPosition):
            said["wanted"] = MarketPosition(word)
        elif word in set(PositionSide):
            said["close_side"] = PositionSide(word)
        elif word.endswith("%"):
            said["quantity_percent"] = Decimal(word[:-1])
        else:
            said["quantity"] = Decimal(word)
    if setting in ORDER_TYPES:
        said |= {"order_type": ORDER_TYPES[setting], "price": D(50_000)}
    return make_order(**said)


def route_of(example: dict[str, str]) -> RouteSettings:
    return make_settings(
        trade_mode=TradeMode(example["mode"]),
        sizing=Sizing(mode=SizingMode.CONTRACTS),
        **ROUTES.get(example.get("setting", ""), {}),
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: " / ".join(example.values()))
def test_example(example):
    setting = example.get("setting")
    assert setting is None or setting in ROUTES | ORDER_TYPES
    intent = decide_intent(
        make_alert(order=order_of(example["signal"], setting=setting)),
        route=route_of(example),
        account=RouteAccount(account="paper"),
        catalogue={VenueSymbol("BTC_USDT"): make_instrument()},
        now=NOW,
    )
    if isinstance(intent, Denial):
        assert f"denied {intent.reason}" == example["orders"]
        return
    seen = picture(example["held"], position_mode=ACCOUNTS[example.get("account", "hedge")])
    assert answer(intent, seen) == example["orders"]


def test_the_page_has_every_mode_and_every_table():
    assert {example["mode"] for example in EXAMPLES} == {mode.value for mode in TradeMode}
    assert {example.get("setting") for example in EXAMPLES} == {None, *ROUTES, *ORDER_TYPES}
    assert len(EXAMPLES) > 70
