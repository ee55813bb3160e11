"""From alert to intent: every field of what is wanted, with the steps that led to it."""

import pytest

from libs.common.contracts.intent import Denial, Limits, Protection
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Guards, RouteAccount, Sizing
from libs.common.contracts.words import (
    Action,
    MarginMode,
    MarketPosition,
    OrderType,
    PositionSide,
    SizingMode,
    TradeMode,
    TriggerSource,
)
from services.router.translating import inverted
from tests.factories import D, make_order, make_settings
from tests.unit.router_desk import decide, intent_of, sized


def test_the_guides_test_alert():
    intent = intent_of()
    assert (intent.symbol, intent.action, intent.contracts) == ("BTC_USDT", Action.BUY, 10)
    assert intent.intent_id == f"{intent.alert_id}.paper"
    assert (intent.size, intent.opening_denied, intent.wanted) == (None, None, None)
    assert (intent.order_type, intent.trigger) == (OrderType.MARKET, TriggerSource.LAST)
    assert (intent.protection, intent.limits) == (Protection(), Limits())
    assert intent.steps == (
        "ticker BTCUSDT.P is BTC_USDT by its name",
        "0.001 BTC / 0.0001 BTC per contract is 10, down to the step 10 contracts",
        "guards passed: 0.0 s old of 30",
    )


def test_multipliers_of_route_and_account_multiply():
    intent = intent_of(
        route=make_settings(sizing=Sizing(multiplier=D("0.5"))),
        account=RouteAccount(account="paper", multiplier=D(3)),
    )
    assert intent.contracts == 15


def test_the_alert_overrides_what_the_route_says():
    intent = intent_of(
        leverage=5,
        margin_mode=MarginMode.ISOLATED,
        trade_mode=TradeMode.OPPOSITE,
        trigger=TriggerSource.MARK,
        route=make_settings(leverage=20, trade_mode=TradeMode.HEDGE),
    )
    assert (intent.leverage, intent.margin_mode) == (5, MarginMode.ISOLATED)
    assert (intent.trade_mode, intent.trigger) == (TradeMode.OPPOSITE, TriggerSource.MARK)
    plain = intent_of(route=make_settings(leverage=20, trade_mode=TradeMode.HEDGE))
    assert (plain.leverage, plain.trade_mode) == (20, TradeMode.HEDGE)


def test_labels_are_carried_over():
    intent = intent_of(order_id="entry-1", comment="breakout")
    assert (intent.order_id, intent.comment) == ("entry-1", "breakout")


@pytest.mark.parametrize(
    ("action", "close_side", "wanted", "side"),
    [
        (Action.FLAT, None, Action.FLAT, None),
        (Action.FLAT, PositionSide.LONG, Action.FLAT, PositionSide.LONG),
        (Action.CLOSE_ALL, PositionSide.LONG, Action.CLOSE_ALL, None),
        (Action.CLOSE_LONG, None, Action.FLAT, PositionSide.LONG),
        (Action.CLOSE_SHORT, PositionSide.LONG, Action.FLAT, PositionSide.SHORT),
        (Action.MODIFY, PositionSide.SHORT, Action.MODIFY, PositionSide.SHORT),
        (Action.BREAKEVEN, PositionSide.LONG, Action.BREAKEVEN, PositionSide.LONG),
        (Action.CANCEL, None, Action.CANCEL, None),
    ],
)
def test_what_opens_nothing_has_no_size(action, close_side, wanted, side):
    intent = intent_of(action=action, close_side=close_side, quantity=D(5))
    assert (intent.action, intent.close_side) == (wanted, side)
    assert (intent.contracts, intent.size, intent.close_percent) == (None, None, None)


@pytest.mark.parametrize(
    ("action", "percent"),
    [
        (Action.FLAT, 25),
        (Action.CLOSE_LONG, 25),
        (Action.CLOSE_SHORT, 25),
        (Action.CLOSE_ALL, None),
    ],
)
def test_a_percentage_closes_a_part(action, percent):
    intent = intent_of(action=action, quantity=None, quantity_percent=D(25))
    assert intent.close_percent == percent
    assert ("25 % of what is held is closed" in intent.steps) == (percent is not None)


def test_a_closing_order_may_have_its_price_and_no_protection():
    intent = intent_of(
        action=Action.FLAT, order_type=OrderType.LIMIT, price=D(50_000), stop_price=D(49_000)
    )
    assert (intent.order_type, intent.price) == (OrderType.LIMIT, D(50_000))
    assert intent.protection == Protection()


TARGETS = [
    (MarketPosition.LONG, False, MarketPosition.LONG, MarketPosition.SHORT),
    (MarketPosition.LONG, True, MarketPosition.SHORT, MarketPosition.LONG),
    (MarketPosition.SHORT, True, MarketPosition.LONG, MarketPosition.LONG),
]


@pytest.mark.parametrize(("wanted", "inverse", "moved_to", "previous"), TARGETS)
def test_a_target(wanted, inverse, moved_to, previous):
    intent = intent_of(
        action=Action.TARGET,
        wanted=wanted,
        previous=MarketPosition.SHORT,
        route=make_settings(trade_mode=TradeMode.TARGET, inverse=inverse),
    )
    assert (intent.action, intent.wanted, intent.contracts) == (Action.TARGET, moved_to, 10)
    assert intent.previous is previous


def test_a_flat_target_needs_no_size_and_is_never_guarded():
    intent = intent_of(
        action=Action.TARGET,
        wanted=MarketPosition.FLAT,
        quantity=None,
        stop_price=D(1),
        age_s=3600,
        route=make_settings(inverse=True),
    )
    assert (intent.wanted, intent.contracts) == (MarketPosition.FLAT, None)
    assert (intent.opening_denied, intent.protection) == (None, Protection())


def test_a_target_whose_size_the_route_gives():
    intent = intent_of(
        action=Action.TARGET,
        wanted=MarketPosition.LONG,
        quantity=None,
        route=sized(SizingMode.FIXED, "0.003"),
    )
    assert intent.contracts == 30


@pytest.mark.parametrize("action", [Action.BUY, Action.SELL])
def test_a_signal_is_no_target(action):
    denial = decide(
        order=make_order(action=action), route=make_settings(trade_mode=TradeMode.TARGET)
    )
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.TARGET_MISSING
    assert "market_position_size" in denial.message


@pytest.mark.parametrize(
    ("mode", "value", "quantity", "contracts"),
    [
        (SizingMode.BASE, None, None, None),
        (SizingMode.FIXED, "0.002", None, None),
        (SizingMode.BASE, None, "0.001", 10),
        (SizingMode.FIXED, "0.002", "0.001", 20),
    ],
)
def test_a_reverse_turns_what_is_held_unless_the_alert_has_a_size(mode, value, quantity, contracts):
    intent = intent_of(
        action=Action.REVERSE,
        quantity=None if quantity is None else D(quantity),
        close_side=PositionSide.LONG,
        route=sized(mode, value, inverse=True),
    )
    assert (intent.action, intent.contracts, intent.size) == (Action.REVERSE, contracts, None)
    assert intent.close_side is PositionSide.LONG
    assert ("size: as much as is held" in intent.steps) == (contracts is None)


INVERSIONS = [(False, False, False), (True, False, True), (False, True, True), (True, True, True)]


@pytest.mark.parametrize(("route", "alert", "inverse"), INVERSIONS)
def test_inverse_of_route_or_alert_flips_once(route, alert, inverse):
    settings = make_settings(inverse=route)
    buy = intent_of(action=Action.BUY, inverse=alert, route=settings)
    sell = intent_of(action=Action.SELL, inverse=alert, route=settings)
    expected = (Action.SELL, Action.BUY) if inverse else (Action.BUY, Action.SELL)
    assert (buy.action, sell.action) == expected
    assert ("inverse: buy becomes sell" in buy.steps) == inverse


@pytest.mark.parametrize("action", [each for each in Action if each not in {"buy", "sell"}])
def test_inverse_never_flips_a_close_nor_a_price(action):
    order = make_order(action=action, close_side=PositionSide.LONG, stop_price=D(49_000))
    assert inverted(order) == order


GUARDS = Guards(max_order_notional=D(100), max_position_notional=D(500))


@pytest.mark.parametrize(
    ("price", "order_limit"),
    [(None, D(100)), (D(50_000), None)],
)
def test_limits_that_wait_for_a_price_or_the_position(price, order_limit):
    intent = intent_of(price=price, route=make_settings(guards=GUARDS, pyramiding=False))
    assert intent.limits == Limits(
        max_order_notional=order_limit, max_position_notional=D(500), pyramiding=False
    )


def test_exits_have_no_limits():
    intent = intent_of(action=Action.FLAT, route=make_settings(guards=GUARDS, pyramiding=False))
    assert intent.limits == Limits()
