"""The router's guards: what closes always passes, what only opens is denied, and what may do both
goes on with the reason.
"""

from datetime import timedelta

import pytest

from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Guards, RouteAccount, Sizing, SymbolOverride, Symbols
from libs.common.contracts.words import (
    Action,
    MarketPosition,
    OrderType,
    RouteState,
    SizingMode,
    TradeMode,
)
from services.router.deciding import decide_intent
from tests.factories import NOW, D, make_alert, make_instrument, make_order, make_settings

CATALOGUE = {
    "BTC_USDT": make_instrument(leverage_maximum=200),
    "EMBER_USDT": make_instrument(symbol="EMBER_USDT", base="EMBER", tradable=False),
}
EMBER = "EMBERUSDT.P"

# The order, the route, the alert's age, the openings before; and what is said, in its own words.
CASES = {
    Reason.STALE: (
        {"age_s": 30.5},
        "the entry is 30.5 s old; the route's max_age_s is 30",
    ),
    Reason.ROUTE_PAUSED: (
        {"route": {"state": RouteState.PAUSED}},
        "route demo is paused: entries are denied, exits pass",
    ),
    Reason.SYMBOL_NOT_TRADABLE: (
        {"order": {"ticker": EMBER}},
        "the exchange does not let the API trade EMBER_USDT now",
    ),
    Reason.SYMBOL_NOT_ALLOWED: (
        {"route": {"symbols": Symbols(allow=("ETH_USDT",))}},
        "BTC_USDT is not in the route's allow list (ETH_USDT)",
    ),
    Reason.OUTSIDE_WINDOWS: (
        {"route": {"guards": Guards(windows=("mon-fri 13:00-20:00", "sat 00:00-24:00"))}},
        "mon 12:00 UTC is outside the route's windows (mon-fri 13:00-20:00; sat 00:00-24:00)",
    ),
    Reason.ORDERS_PER_MINUTE: (
        {"route": {"guards": Guards(orders_per_minute=3)}, "recent": 3},
        "3 openings in the last 60 s; the route's orders_per_minute is 3",
    ),
    Reason.LEVERAGE_ABOVE_MAXIMUM: (
        {"order": {"leverage": 201}},
        "leverage 201 is over the 200 that BTC_USDT allows",
    ),
}
MAY_CLOSE = [
    {"action": Action.BUY},
    {"action": Action.SELL, "trade_mode": TradeMode.OPPOSITE},
    {"action": Action.SELL, "trade_mode": TradeMode.REVERSE},
    {"action": Action.REVERSE},
    {"action": Action.TARGET, "wanted": MarketPosition.LONG},
    {"action": Action.TARGET, "wanted": MarketPosition.SHORT, "trade_mode": TradeMode.HEDGE},
]
NEVER_OPENS = [
    {"action": Action.FLAT},
    {"action": Action.FLAT, "quantity_percent": D(50)},
    {"action": Action.CLOSE_ALL},
    {"action": Action.CLOSE_LONG},
    {"action": Action.CLOSE_SHORT},
    {"action": Action.TARGET, "wanted": MarketPosition.FLAT},
    {"action": Action.MODIFY, "stop_price": D(1)},
    {"action": Action.BREAKEVEN},
    {"action": Action.CANCEL},
]


def decide(*, order=None, route=None, age_s=0.0, recent=0):
    return decide_intent(
        make_alert(order=make_order(**(order or {}))),
        route=make_settings(**(route or {})),
        account=RouteAccount(account="paper"),
        catalogue=CATALOGUE,
        now=NOW + timedelta(seconds=age_s),
        recent_openings=recent,
    )


def with_order(case, order):
    return {**case, "order": {**case.get("order", {}), **order}}


@pytest.mark.parametrize("reason", CASES)
def test_what_only_opens_is_denied(reason):
    case, message = CASES[reason]
    denial = decide(**with_order(case, {"trade_mode": TradeMode.HEDGE}))
    assert isinstance(denial, Denial)
    assert (denial.reason, denial.message) == (reason, message)
    assert denial.context


@pytest.mark.parametrize("order", MAY_CLOSE)
@pytest.mark.parametrize("reason", CASES)
def test_what_may_close_goes_on_with_the_reason(reason, order):
    case, message = CASES[reason]
    intent = decide(**with_order(case, order))
    assert isinstance(intent, Intent)
    assert intent.opening_denied is not None
    assert (intent.opening_denied.reason, intent.opening_denied.message) == (reason, message)
    assert intent.contracts == 10
    assert f"guards: {message}" in intent.steps


@pytest.mark.parametrize("order", NEVER_OPENS)
@pytest.mark.parametrize("reason", CASES)
def test_what_opens_nothing_is_never_hindered(reason, order):
    case, _ = CASES[reason]
    intent = decide(**with_order(case, {"quantity": None, **order}))
    assert isinstance(intent, Intent)
    assert intent.opening_denied is None


def test_what_has_passed_is_told_with_its_numbers():
    intent = decide(
        route={
            "symbols": Symbols(allow=("BTC_USDT",)),
            "guards": Guards(
                windows=("sat 00:00-24:00", "mon 08:00-20:00"),
                orders_per_minute=3,
                max_order_notional=D(100),
            ),
        },
        order={"price": D(50_000)},
        age_s=1.5,
        recent=2,
    )
    assert isinstance(intent, Intent)
    assert intent.opening_denied is None
    assert intent.steps[-2:] == (
        (
            "guards passed: 1.5 s old of 30, BTC_USDT is in the allow list, "
            "mon 12:00 UTC is in mon 08:00-20:00, opening 3 of 3 in a minute"
        ),
        "order notional 10 contracts x 0.0001 x 50000 = 50 USDT of 100",
    )


def test_a_window_that_cannot_be_read_opens_nothing():
    intent = decide(route={"guards": Guards(windows=("mon-fri",))})
    assert isinstance(intent, Intent)
    assert intent.opening_denied is not None
    assert intent.opening_denied.reason is Reason.OUTSIDE_WINDOWS
    assert "`mon-fri` is no trading window" in intent.opening_denied.message


NOTIONAL = {
    "order": {"price": D(50_000)},
    "route": {"guards": Guards(max_order_notional=D("49.99"))},
}
SAID = (
    "the order would be 10 contracts x 0.0001 x 50000 = 50 USDT; "
    "the route's max_order_notional is 49.99"
)


def test_an_order_worth_too_much_is_denied():
    denial = decide(**with_order(NOTIONAL, {"trade_mode": TradeMode.HEDGE}))
    assert isinstance(denial, Denial)
    assert (denial.reason, denial.message) == (Reason.ORDER_NOTIONAL, SAID)
    assert denial.context == {
        "notional": "50",
        "max_order_notional": "49.99",
        "contracts": "10",
        "price": "50000",
    }


@pytest.mark.parametrize(
    "order",
    [
        {"trade_mode": TradeMode.OPPOSITE},
        {"trade_mode": TradeMode.REVERSE},
        {"action": Action.REVERSE},
    ],
)
def test_an_order_worth_too_much_may_still_close(order):
    intent = decide(**with_order(NOTIONAL, order))
    assert isinstance(intent, Intent)
    assert intent.opening_denied is not None
    assert intent.opening_denied.message == SAID


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"action": Action.TARGET, "wanted": MarketPosition.LONG},
        {
            "action": Action.TARGET,
            "wanted": MarketPosition.LONG,
            "trade_mode": TradeMode.OPPOSITE,
        },
    ],
)
def test_where_a_part_may_close_the_rest_is_checked_with_the_position(order):
    """Sell 2 while long 1 opens 1: only the executor knows, and it must not let more through."""
    intent = decide(**with_order(NOTIONAL, order))
    assert isinstance(intent, Intent)
    assert intent.opening_denied is None
    assert intent.limits.max_order_notional == D("49.99")
    assert intent.steps[-1].startswith(SAID)


SIZELESS = [
    ({"quantity": None}, {}, Reason.SIZE_MISSING),
    ({"quantity": D("0.00001")}, {}, Reason.BELOW_MINIMUM),
    ({"quantity": D(10_000_000)}, {}, Reason.ABOVE_MAXIMUM),
    ({"quantity": None, "quantity_percent": D(50)}, {}, Reason.FIELD_INVALID),
    ({"quantity": None}, {"sizing": Sizing(mode=SizingMode.QUOTE)}, Reason.SIZE_MISSING),
    ({"quantity": None}, {"sizing": Sizing(mode=SizingMode.FIXED)}, Reason.SIZE_MISSING),
    ({"quantity": None}, {"sizing": Sizing(mode=SizingMode.RISK_PERCENT)}, Reason.SIZE_MISSING),
    (
        {"quantity": None},
        {"sizing": Sizing(mode=SizingMode.CONTRACTS, value=D(4))},
        Reason.SIZE_MISSING,
    ),
]


@pytest.mark.parametrize("mode", [TradeMode.NETTING, TradeMode.HEDGE])
@pytest.mark.parametrize(("order", "route", "reason"), SIZELESS)
def test_without_a_size_nothing_can_be_done(mode, order, route, reason):
    denial = decide(order=order, route={**route, "trade_mode": mode})
    assert isinstance(denial, Denial)
    assert denial.reason is reason


@pytest.mark.parametrize("mode", [TradeMode.OPPOSITE, TradeMode.REVERSE])
@pytest.mark.parametrize(("order", "route", "reason"), SIZELESS)
def test_what_closes_all_first_needs_no_size_for_that(mode, order, route, reason):
    intent = decide(order=order, route={**route, "trade_mode": mode})
    assert isinstance(intent, Intent)
    assert (intent.contracts, intent.size) == (None, None)
    assert intent.opening_denied is not None
    assert intent.opening_denied.reason is reason


def test_a_guard_is_named_before_a_size():
    denial = decide(order={"quantity": None}, route={"state": RouteState.PAUSED})
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.ROUTE_PAUSED


def test_an_unknown_ticker_is_denied_whatever_is_asked():
    for action in (Action.BUY, Action.FLAT):
        denial = decide(order={"ticker": "BTCUSD", "action": action})
        assert isinstance(denial, Denial)
        assert denial.reason is Reason.SYMBOL_UNKNOWN
        assert denial.message.endswith("near: BTC_USDT")


def test_a_price_that_comes_to_nothing_is_denied():
    tiny = {"BTCUSDT.P": SymbolOverride(symbol="BTC_USDT", per_unit=D("1e20"))}
    denial = decide(
        order={"price": D("0.1"), "order_type": OrderType.LIMIT},
        route={"symbols": Symbols(overrides=tiny)},
    )
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.PRICE_INVALID
    assert denial.context == {
        "price": "price",
        "value": "0.1",
        "per_unit": "100000000000000000000",
    }


@pytest.mark.parametrize("mode", [SizingMode.BASE, SizingMode.QUOTE])
def test_multipliers_that_come_to_no_number(mode):
    denial = decide_intent(
        make_alert(order=make_order(quantity=D("1e20"))),
        route=make_settings(sizing=Sizing(mode=mode, multiplier=D("1e20"))),
        account=RouteAccount(account="paper", multiplier=D("1e20")),
        catalogue=CATALOGUE,
        now=NOW,
    )
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.ABOVE_MAXIMUM
