"""What is to be pasted into TradingView, read by ingest's own parser after TradingView has put its
values into it: every kind on every route that can be, and none of them refused.
"""

import re
from decimal import Decimal
from hashlib import sha256

import msgspec
import pytest

from libs.common.contracts.route import Sizing, SymbolOverride, Symbols
from libs.common.contracts.words import Action, MarketPosition, SizingMode, TradeMode, VenueSymbol
from services.console.web.routes.messages import SECRET_PLACE, Kind, messages
from services.ingest.parsing import Parsed, parse_alert
from tests.factories import make_route, make_settings

# A strategy's order that turns long 1 into short 1 (docs/alert-format.md).
FLIP = {
    "ticker": "BTCUSDT.P",
    "close": "50000.5",
    "strategy.order.action": "sell",
    "strategy.order.contracts": "2",
    "strategy.order.comment": "sell",
    "strategy.market_position": "short",
    "strategy.market_position_size": "1",
    "strategy.prev_market_position": "long",
}
COINS = {SizingMode.BASE, SizingMode.FIXED}
BY_ALERT = {SizingMode.BASE, SizingMode.CONTRACTS}
ROUTES = {
    f"{mode}-{sizing}-{'own' if own else 'sent'}": (mode, sizing, own)
    for mode in TradeMode
    for sizing in SizingMode
    for own in (False, True)
    if not (own and sizing in BY_ALERT)
    if not (mode is TradeMode.TARGET and sizing is SizingMode.PERCENT_POSITION)
}


def filled(text, values=FLIP):
    """As TradingView does it."""
    return re.sub(r"{{(.+?)}}", lambda found: values[found[1]], text)


def understood(message, route):
    found = parse_alert(filled(message.text).encode(), route=route)
    assert isinstance(found, Parsed), (message.kind, found.refusal)
    return found.order


def of(settings, **more):
    return {each.kind: each for each in messages(settings, **more)}


@pytest.mark.parametrize(("mode", "sizing", "own"), ROUTES.values(), ids=ROUTES)
def test_each_message_is_understood_as_what_its_name_says(mode, sizing, own):
    value = Decimal("0.5") if own else None
    settings = {"trade_mode": mode, "sizing": Sizing(mode=sizing, value=value)}
    route = make_route(**settings)
    found = of(route.settings)
    orders = {kind: understood(message, route) for kind, message in found.items()}
    is_target = mode is TradeMode.TARGET
    assert orders[Kind.CLOSE].action is Action.FLAT
    for kind, action, side in (
        (Kind.BUY, Action.BUY, MarketPosition.LONG),
        (Kind.SELL, Action.SELL, MarketPosition.SHORT),
        (Kind.MANUAL, Action.BUY, MarketPosition.LONG),
    ):
        wanted = (Action.TARGET, side) if is_target else (action, None)
        assert (orders[kind].action, orders[kind].wanted) == wanted
        # A size stands there unless the route has one.
        has_size = orders[kind].quantity is not None or orders[kind].quantity_percent is not None
        assert has_size is not own
    # Nothing could be risked without a stop.
    needs_stop = sizing is SizingMode.RISK_PERCENT
    for kind, order in orders.items():
        assert (order.stop_distance is not None) is (needs_stop and kind is not Kind.CLOSE)
    if Kind.STRATEGY in found:
        assert orders[Kind.STRATEGY].action is Action.SELL
        takes_coins = "{{strategy.order.contracts}}" in found[Kind.STRATEGY].text
        assert takes_coins is (sizing in COINS and not own)
    if Kind.TARGET in found:
        target = orders[Kind.TARGET]
        assert (target.action, target.wanted) == (Action.TARGET, MarketPosition.SHORT)
        takes_coins = "{{strategy.market_position_size}}" in found[Kind.TARGET].text
        assert takes_coins is (sizing in COINS and not own)


FIRST = {
    TradeMode.NETTING: (Kind.TARGET, True),
    TradeMode.OPPOSITE: (Kind.TARGET, False),
    TradeMode.REVERSE: (Kind.TARGET, False),
    TradeMode.HEDGE: (Kind.STRATEGY, True),
    TradeMode.TARGET: (Kind.TARGET, False),
}


@pytest.mark.parametrize("mode", TradeMode)
def test_a_strategys_orders_are_repeated_only_where_a_flip_comes_right(mode):
    """An order of 2 that flips long 1 would end at short 2 where all is closed first."""
    first, repeats = FIRST[mode]
    found = messages(make_settings(trade_mode=mode))
    assert [each.kind for each in found if each.is_first] == [first]
    assert found[0].kind is first
    assert (Kind.STRATEGY in {each.kind for each in found}) is repeats


def test_the_body_secret_is_in_every_message_and_is_taken():
    route = make_route()
    digest = sha256(b'pa"ss').hexdigest()
    route = msgspec.structs.replace(route, body_secret_sha256=digest)
    for message in messages(route.settings, secret='pa"ss'):
        understood(message, route)
    for message in messages(route.settings, secret=SECRET_PLACE):
        assert SECRET_PLACE in message.text
    assert "secret" not in messages(route.settings)[0].text


def test_a_first_test_names_what_the_route_may_trade():
    symbols = Symbols(allow=("ETH_USDT",))
    assert '"ETH_USDT"' in of(make_settings(symbols=symbols))[Kind.MANUAL].text
    renamed = Symbols(
        overrides={"1000PEPEUSDT.P": SymbolOverride(symbol=VenueSymbol("PEPE_USDT"))},
        allow=("PEPE_USDT",),
    )
    assert '"1000PEPEUSDT.P"' in of(make_settings(symbols=renamed))[Kind.MANUAL].text


def test_a_flip_on_a_netting_route_is_said_in_both_ways():
    route = make_route()
    found = of(route.settings)
    moved = understood(found[Kind.TARGET], route)
    assert (moved.wanted, moved.quantity, moved.previous) == ("short", 1, "long")
    repeated = understood(found[Kind.STRATEGY], route)
    assert (repeated.action, repeated.quantity, repeated.price) == ("sell", 2, Decimal("50000.5"))
