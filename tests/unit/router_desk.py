"""Alerts through the router's decision, as tests of the router ask for it."""

from datetime import timedelta

from libs.common.contracts.intent import Intent
from libs.common.contracts.route import RouteAccount, Sizing
from services.router.deciding import decide_intent
from tests.factories import NOW, D, make_alert, make_instrument, make_order, make_settings

CATALOGUE = {
    "BTC_USDT": make_instrument(),
    "PEPE_USDT": make_instrument(
        symbol="PEPE_USDT",
        base="PEPE",
        contract_size=D(10_000_000),
        maximum_contracts=D(24_000),
        tick_price=D("0.0000000001"),
        leverage_maximum=300,
    ),
    "1000BONK_USDT": make_instrument(
        symbol="1000BONK_USDT", base="1000BONK", contract_size=D(10_000), tick_price=D("0.000001")
    ),
}


def decide(*, order=None, route=None, account=None, age_s=0.0):
    return decide_intent(
        make_alert(order=order or make_order()),
        route=route or make_settings(),
        account=account or RouteAccount(account="paper"),
        catalogue=CATALOGUE,
        now=NOW + timedelta(seconds=age_s),
    )


def intent_of(*, route=None, account=None, age_s=0.0, **order):
    found = decide(order=make_order(**order), route=route, account=account, age_s=age_s)
    assert isinstance(found, Intent), found
    return found


def sized(mode, value=None, **changes):
    return make_settings(
        sizing=Sizing(mode=mode, value=None if value is None else D(value)), **changes
    )
