"""From alert to intent: what is wanted, and every denial with its reason and numbers."""

from datetime import timedelta

import pytest

from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Guards, RouteAccount, Sizing, Symbols
from libs.common.contracts.words import (
    Action,
    MarginMode,
    OrderType,
    PositionSide,
    RouteState,
    SizingMode,
    TradeMode,
)
from services.router.deciding import decide_intent
from tests.factories import NOW, D, make_alert, make_instrument, make_order, make_settings

CATALOGUE = {
    "BTC_USDT": make_instrument(),
    "EMBER_USDT": make_instrument(symbol="EMBER_USDT", base="EMBER", tradable=False),
}


def decide(*, order=None, route=None, account=None, age_s=0.0):
    return decide_intent(
        make_alert(order=order or make_order()),
        route=route or make_settings(),
        account=account or RouteAccount(account="paper"),
        catalogue=CATALOGUE,
        now=NOW + timedelta(seconds=age_s),
    )


def test_the_guides_test_alert():
    intent = decide()
    assert isinstance(intent, Intent)
    assert (intent.symbol, intent.action, intent.contracts) == ("BTC_USDT", Action.BUY, 10)
    assert intent.intent_id == f"{intent.alert_id}.paper"
    assert intent.steps == (
        "ticker BTCUSDT.P is BTC_USDT by its name",
        "0.001 BTC / 0.0001 BTC per contract is 10, down to the step 10 contracts",
    )


def test_multipliers_of_route_and_account_multiply():
    intent = decide(
        route=make_settings(sizing=Sizing(multiplier=D("0.5"))),
        account=RouteAccount(account="paper", multiplier=D(3)),
    )
    assert isinstance(intent, Intent)
    assert intent.contracts == 15


def test_the_alert_overrides_the_routes_leverage_and_margin_mode():
    intent = decide(order=make_order(leverage=5, margin_mode=MarginMode.ISOLATED))
    assert isinstance(intent, Intent)
    assert (intent.leverage, intent.margin_mode) == (5, MarginMode.ISOLATED)


def test_a_routes_fixed_size_serves_alerts_without_one():
    intent = decide(
        order=make_order(quantity=None),
        route=make_settings(sizing=Sizing(mode=SizingMode.CONTRACTS, value=D(4))),
    )
    assert isinstance(intent, Intent)
    assert intent.contracts == 4


@pytest.mark.parametrize(
    ("action", "close_side", "wanted", "side"),
    [
        (Action.FLAT, None, Action.FLAT, None),
        (Action.FLAT, PositionSide.LONG, Action.FLAT, PositionSide.LONG),
        (Action.CLOSE_ALL, None, Action.CLOSE_ALL, None),
        (Action.CLOSE_LONG, None, Action.FLAT, PositionSide.LONG),
        (Action.CLOSE_SHORT, None, Action.FLAT, PositionSide.SHORT),
    ],
)
def test_exits_need_no_size(action, close_side, wanted, side):
    intent = decide(order=make_order(action=action, close_side=close_side, quantity=None))
    assert isinstance(intent, Intent)
    assert (intent.action, intent.close_side, intent.contracts) == (wanted, side, None)


EXIT = make_order(action=Action.FLAT, quantity=None)


def test_exits_pass_where_entries_do_not():
    """Stale, paused, closed to the API: a position must still be closed."""
    assert isinstance(decide(order=EXIT, age_s=3600), Intent)
    assert isinstance(decide(order=EXIT, route=make_settings(state=RouteState.PAUSED)), Intent)
    ember = make_order(ticker="EMBERUSDT.P", action=Action.FLAT, quantity=None)
    assert isinstance(decide(order=ember), Intent)
    guarded = make_settings(guards=Guards(orders_per_minute=1))
    assert isinstance(decide(order=EXIT, route=guarded), Intent)


DENIALS = [
    ({"age_s": 30.5}, Reason.STALE, "the entry is 30.5 s old; the route's max_age_s is 30"),
    (
        {"route": make_settings(state=RouteState.PAUSED)},
        Reason.ROUTE_PAUSED,
        "route demo is paused: entries are denied, exits pass",
    ),
    (
        {"order": make_order(ticker="NOPEUSDT.P")},
        Reason.SYMBOL_UNKNOWN,
        "ticker NOPEUSDT.P reads as NOPE_USDT, which the exchange does not list",
    ),
    (
        {"order": make_order(ticker="EMBERUSDT.P")},
        Reason.SYMBOL_NOT_TRADABLE,
        "the exchange does not let the API trade EMBER_USDT now",
    ),
    (
        {"route": make_settings(symbols=Symbols(allow=("ETH_USDT",)))},
        Reason.SYMBOL_NOT_ALLOWED,
        "BTC_USDT is not in the route's allow list (ETH_USDT)",
    ),
    ({"order": make_order(quantity=D("0.00001"))}, Reason.BELOW_MINIMUM, None),
    ({"order": make_order(quantity=None)}, Reason.SIZE_MISSING, None),
]


@pytest.mark.parametrize(("case", "reason", "message"), DENIALS)
def test_denials(case, reason, message):
    denial = decide(**case)
    assert isinstance(denial, Denial)
    assert denial.reason is reason
    if message is not None:
        assert denial.message == message


UNSUPPORTED = [
    ({"order": make_order(order_type=OrderType.LIMIT, price=D(1))}, "order_type"),
    ({"order": make_order(trade_mode=TradeMode.HEDGE)}, "trade_type"),
    ({"order": make_order(inverse=True)}, "trade_type"),
    ({"order": make_order(action=Action.BREAKEVEN)}, "order_action"),
    ({"order": make_order(stop_price=D(1))}, "sl_price"),
    ({"order": make_order(target_price=D(1))}, "tp_price"),
    ({"order": make_order(stop_distance=D(1))}, "stop_loss"),
    ({"order": make_order(target_distance=D(1))}, "take_profit"),
    ({"order": make_order(trailing_ticks=D(1))}, "trailing_pips"),
    ({"route": make_settings(inverse=True)}, "trade_type"),
    ({"route": make_settings(trade_mode=TradeMode.TARGET)}, "trade_type"),
    ({"route": make_settings(pyramiding=False)}, "pyramiding"),
    ({"route": make_settings(sizing=Sizing(mode=SizingMode.QUOTE))}, "sizing.mode"),
    ({"route": make_settings(guards=Guards(max_order_notional=D(1)))}, "guards.max_order_notional"),
    ({"route": make_settings(guards=Guards(windows=("mon-fri",)))}, "guards.windows"),
]


@pytest.mark.parametrize(("case", "field"), UNSUPPORTED)
def test_what_is_not_there_yet_is_denied_never_left_out(case, field):
    """An order without the stop that the alert asked for would be worse than none."""
    denial = decide(**case)
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.NOT_SUPPORTED
    assert denial.context["field"] == field


def test_a_reference_price_on_a_market_order_is_no_obstacle():
    assert isinstance(decide(order=make_order(price=D(50_000))), Intent)
