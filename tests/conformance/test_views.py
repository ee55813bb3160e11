"""What every implementation tells to whoever only wants to show the account."""

import pytest

from libs.common.contracts.account_picture import WaitingKind
from libs.common.contracts.causes import Cause
from libs.common.contracts.words import Effect, OrderType, PositionSide
from services.executor.exchange import QueryFailed
from tests.conformance.steps import BTC, FIRST, protected, submitted, trailed
from tests.factories import D

LISTS = ("positions", "orders", "triggers", "protections", "trails")


async def test_of_nothing_nothing_is_told(stand):
    for name in LISTS:
        told = await getattr(stand.exchange.views, name)()
        assert (told.value, len(told.calls)) == ((), 1), name


async def test_a_position_is_told_with_what_it_has_realised(stand):
    await submitted(stand)
    [held] = (await stand.exchange.views.positions()).value
    assert (held.symbol, held.holding.side, held.holding.contracts) == (BTC, PositionSide.LONG, 10)
    assert held.realised_profit is not None
    assert held.realised_profit <= 0, "nothing was closed, and a fee was paid"
    assert held.liquidation_price is None, "cross margin has none"


async def test_an_order_in_the_book_is_told_whole(stand):
    await submitted(stand, order_type=OrderType.LIMIT, price="49000", stop="48000")
    [order] = (await stand.exchange.views.orders()).value
    assert (order.kind, order.order_type) == (WaitingKind.ORDER, OrderType.LIMIT)
    assert (order.symbol, order.client_order_id) == (BTC, FIRST)
    assert (order.effect, order.position_side) == (Effect.OPEN, PositionSide.LONG)
    assert (order.contracts, order.filled_contracts, order.price) == (10, 0, 49_000)
    assert (order.stop_price, order.target_price, order.trigger_price) == (48_000, None, None)
    assert order.since is not None


async def test_a_trigger_order_is_told(stand):
    sent = await submitted(stand, order_type=OrderType.STOP, price="51000")
    [trigger] = (await stand.exchange.views.triggers()).value
    assert (trigger.kind, trigger.order_type) == (WaitingKind.TRIGGER, OrderType.MARKET)
    assert trigger.exchange_id == sent.exchange_order_id
    assert (trigger.effect, trigger.position_side) == (Effect.OPEN, PositionSide.LONG)
    assert (trigger.contracts, trigger.trigger_price, trigger.price) == (10, 51_000, None)
    assert trigger.since is not None


async def test_protection_of_a_whole_position_is_told(stand):
    await submitted(stand)
    await protected(stand, stop="48000", target="53000")
    [stop] = (await stand.exchange.views.protections()).value
    assert (stop.kind, stop.contracts) == (WaitingKind.PROTECTION, None)
    assert (stop.effect, stop.position_side) == (Effect.CLOSE, PositionSide.LONG)
    assert (stop.stop_price, stop.target_price) == (48_000, 53_000)
    assert stop.position_id
    assert stop.since is not None


async def test_a_trailing_stop_is_told(stand):
    await submitted(stand)
    await trailed(stand, "500")
    [trail] = (await stand.exchange.views.trails()).value
    assert (trail.kind, trail.contracts) == (WaitingKind.TRAILING, 10)
    assert (trail.effect, trail.position_side) == (Effect.CLOSE, PositionSide.LONG)
    assert (trail.trail_distance, trail.trigger_price) == (500, None)


async def test_the_mark_price_is_told_and_not_the_last(stand):
    await stand.price("50000", mark="50123.4")
    assert (await stand.exchange.views.mark_price(BTC)).value == D("50123.4")


async def test_of_an_unknown_contract_there_is_no_mark_price(stand):
    with pytest.raises(QueryFailed) as failed:
        await stand.exchange.views.mark_price("NONE_USDT")
    assert failed.value.kind is Cause.SYMBOL
