"""Broken and sound bodies all the way: parsed, decided for an account, and planned on a position.
Whatever ingest lets through, nobody behind it stumbles over.
"""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import pytest

from libs.common.contracts.alert import Alert
from libs.common.contracts.codec import decode, encode
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Pending, Protective, Trail
from libs.common.contracts.route import Guards, Route, RouteAccount, RouteSettings, Sizing
from libs.common.contracts.words import (
    AlertId,
    DistanceUnit,
    Effect,
    PendingKind,
    PositionMode,
    PositionSide,
    SizingMode,
    TradeMode,
    VenueSymbol,
)
from libs.common.domain.picture import Need, Picture, Prices, needs
from libs.common.domain.planning import plan_orders
from services.ingest.parsing import Parsed, parse_alert
from services.router.deciding import decide_intent
from tests.factories import make_instrument, make_route
from tests.mutated_bodies import mutated_bodies
from tests.unit.domain.notation import held

BODIES = 12_000
NOW = datetime(2026, 11, 24, tzinfo=UTC)
ID = AlertId("01938a5c-0000-7000-8000-000000000000")
GUARDS = Guards(max_order_notional=Decimal(10_000), max_position_notional=Decimal(90_000))
ROUTES = [
    make_route(
        sizing=Sizing(mode=mode, value=value, multiplier=Decimal("0.3")),
        trade_mode=trade_mode,
        guards=guards,
        sltp_unit=unit,
    )
    for (mode, value), trade_mode, guards, unit in product(
        [(mode, None) for mode in SizingMode] + [(SizingMode.PERCENT_EQUITY, Decimal(5))],
        TradeMode,
        [Guards(), GUARDS],
        [DistanceUnit.PRICE, DistanceUnit.PERCENT],
    )
]
INSTRUMENTS = {
    VenueSymbol(symbol): make_instrument(
        symbol=symbol,
        base=symbol.partition("_")[0],
        contract_size=Decimal(size),
        tick_price=Decimal(tick),
    )
    for symbol, size, tick in (
        ("BTC_USDT", "0.0001", "0.1"),
        ("ETH_USDT", "0.01", "0.01"),
        ("PEPE_USDT", "10000000", "1E-10"),
    )
}
PRICES = {"BTC_USDT": Decimal(50_000), "ETH_USDT": Decimal(3_000), "PEPE_USDT": Decimal("0.00001")}
HELD = ("none", "long 3", "short 5", "long 4, short 2")


@pytest.mark.parametrize("holdings", HELD)
def test_whatever_ingest_lets_through_is_planned_or_denied(holdings) -> None:
    found: Counter[str] = Counter()
    for number, data in enumerate(mutated_bodies(BODIES, seed=HELD.index(holdings))):
        found.update([outcome(data, route=ROUTES[number % len(ROUTES)], holdings=holdings)])
    # Else nothing was tried: each end is met by hundreds.
    assert min(found[end] for end in ("planned", "denied by executor", "denied by router")) > 100
    assert found["refused"] < BODIES * 0.9


def outcome(data: bytes, *, route: Route, holdings: str) -> str:
    parsed = parse_alert(data, route=route)
    if not isinstance(parsed, Parsed):
        return "refused"
    alert = Alert(
        alert_id=ID, route=route.id, at=NOW, order=parsed.order, body=parsed.body, body_sha256=""
    )
    settings: RouteSettings = route.settings
    intent = decide_intent(
        alert,
        route=settings,
        account=RouteAccount(account="paper", multiplier=Decimal("1.7")),
        catalogue=INSTRUMENTS,
        now=NOW,
    )
    if isinstance(intent, Denial):
        assert intent.message
        return "denied by router"
    assert decode(encode(intent)) == intent
    planned = plan_orders(intent, picture_of(intent, holdings=holdings))
    return "denied by executor" if isinstance(planned, Denial) else "planned"


def picture_of(intent: Intent, *, holdings: str) -> Picture:
    wanted, price = needs(intent), PRICES[intent.symbol]
    tick = intent.instrument.tick_price
    return Picture(
        holdings=held(holdings, average_price=price + tick * Decimal("0.333")),
        position_mode=PositionMode.HEDGE,
        prices=Prices(last=price, mark=price + tick, index=price - tick)
        if Need.PRICES in wanted
        else None,
        equity=Decimal("9876.54321") if Need.EQUITY in wanted else None,
        pending=(
            Pending(
                kind=PendingKind.ORDER,
                exchange_order_id="1",
                effect=Effect.OPEN,
                position_side=PositionSide.LONG,
                contracts=Decimal(1),
                price=price - tick,
                order_id="long",
            ),
        )
        if Need.PENDING in wanted
        else (),
        protectives=(
            Protective(
                exchange_id="2",
                position_id="position-long",
                position_side=PositionSide.LONG,
                contracts=Decimal(3),
                stop_price=price / 2,
            ),
        )
        if Need.PROTECTIVES in wanted
        else (),
        trails=(
            Trail(
                exchange_id="3",
                position_side=PositionSide.LONG,
                contracts=Decimal(3),
                distance=tick,
                created_ms=0,
            ),
        )
        if Need.TRAILS in wanted
        else (),
    )
