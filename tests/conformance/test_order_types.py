"""What every implementation promises about orders that are not at market."""

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import Effect, OrderType, PendingKind, PositionSide
from services.executor.exchange import Accepted, OrderState, Rejected, Unknown
from tests.conformance.steps import (
    CLOSING,
    FIRST,
    SECOND,
    found,
    held,
    pending,
    protectives,
    submitted,
)
from tests.fakes import Mishap


async def resting(stand, price="49000", **changes):
    return await submitted(stand, order_type=OrderType.LIMIT, price=price, **changes)


async def test_limit_order_rests_until_the_price_comes(stand):
    accepted = await resting(stand)
    assert isinstance(accepted, Accepted)
    order = await found(stand)
    assert (order.state, order.filled_contracts, order.average_price) == (OrderState.OPEN, 0, None)
    [waiting] = await pending(stand)
    assert waiting.kind is PendingKind.ORDER
    assert waiting.exchange_order_id == accepted.exchange_order_id
    assert waiting.client_order_id == FIRST
    assert (waiting.effect, waiting.position_side) == (Effect.OPEN, PositionSide.LONG)
    assert (waiting.contracts, waiting.price) == (10, 49_000)
    assert (waiting.stop_price, waiting.target_price) == (None, None)

    await stand.price("48500")
    order = await found(stand)
    assert (order.state, order.filled_contracts) == (OrderState.FILLED, 10)
    assert order.average_price == 49_000
    assert await pending(stand) == ()
    assert [holding.contracts for holding in await held(stand)] == [10]


async def test_limit_order_beyond_the_price_is_filled_at_once(stand):
    await resting(stand, "51000")
    order = await found(stand)
    assert (order.state, order.average_price) == (OrderState.FILLED, 50_000)


async def test_closing_limit_order_freezes_what_it_closes(stand):
    await submitted(stand)
    [holding] = await held(stand)
    closing = await resting(
        stand,
        "51000",
        effect="close",
        order=CLOSING,
        contracts=4,
        position_id=holding.position_id,
    )
    assert isinstance(closing, Accepted)
    [holding] = await held(stand)
    assert (holding.contracts, holding.free_contracts) == (10, 6)
    [waiting] = await pending(stand)
    assert (waiting.effect, waiting.position_side) == (Effect.CLOSE, PositionSide.LONG)


async def test_post_only_order_rests(stand):
    await submitted(stand, order_type=OrderType.POST_ONLY, price="49000")
    assert (await found(stand)).state is OrderState.OPEN


async def test_post_only_order_that_would_be_filled_is_canceled(stand):
    accepted = await submitted(stand, order_type=OrderType.POST_ONLY, price="51000")
    assert isinstance(accepted, Accepted)
    order = await found(stand)
    assert (order.state, order.filled_contracts) == (OrderState.CANCELED, 0)
    assert (order.error_name, order.error_cause) == ("POST_ONLY_CANCEL", Cause.PRICE)
    assert await held(stand) == ()


async def test_ioc_order_is_filled_at_once(stand):
    await submitted(stand, order_type=OrderType.IOC, price="51000")
    assert (await found(stand)).state is OrderState.FILLED


async def test_ioc_order_does_not_rest(stand):
    await submitted(stand, order_type=OrderType.IOC, price="49000")
    order = await found(stand)
    assert (order.state, order.filled_contracts) == (OrderState.CANCELED, 0)
    assert (order.error_name, order.error_cause) == ("IOC_CANCEL", Cause.LIQUIDITY)


async def test_rest_of_an_ioc_order_is_canceled(stand):
    await stand.befall(Mishap.PARTIAL_FILL)
    await submitted(stand, order_type=OrderType.IOC, price="51000")
    order = await found(stand)
    assert order.state is OrderState.CANCELED
    assert 0 < order.filled_contracts < 10
    assert await pending(stand) == ()


async def test_fok_order_is_filled_whole(stand):
    await submitted(stand, order_type=OrderType.FOK, price="51000")
    order = await found(stand)
    assert (order.state, order.filled_contracts) == (OrderState.FILLED, 10)


async def test_fok_order_that_cannot_be_filled_is_canceled(stand):
    await submitted(stand, order_type=OrderType.FOK, price="49000")
    order = await found(stand)
    assert (order.state, order.filled_contracts) == (OrderState.CANCELED, 0)
    assert (order.error_name, order.error_cause) == ("FOK_CANCEL", Cause.LIQUIDITY)


async def test_price_off_the_tick_is_rejected(stand):
    rejected = await resting(stand, "49000.05")
    assert isinstance(rejected, Rejected)
    assert rejected.code == 2015


async def test_lost_limit_order_is_found_resting(stand):
    await stand.befall(Mishap.LOSE_REPLY)
    assert isinstance(await resting(stand), Unknown)
    assert (await found(stand)).state is OrderState.OPEN


async def test_attached_prices_protect_what_was_filled(stand):
    await submitted(stand, stop="48000", target="53000")
    [holding] = await held(stand)
    [stop] = await protectives(stand)
    assert stop.position_id == holding.position_id
    assert (stop.position_side, stop.contracts) == (PositionSide.LONG, 10)
    assert (stop.stop_price, stop.target_price) == (48_000, 53_000)

    await stand.price("53000")
    assert await held(stand) == ()
    assert await protectives(stand) == ()


async def test_attached_prices_wait_with_their_order(stand):
    await resting(stand, stop="48000")
    [waiting] = await pending(stand)
    assert (waiting.stop_price, waiting.target_price) == (48_000, None)
    assert await protectives(stand) == ()


async def test_pending_orders_come_oldest_first(stand):
    await resting(stand, "49000")
    await submitted(stand, order_type=OrderType.STOP, price="51000", order=SECOND, contracts=3)
    assert [(each.kind, each.contracts) for each in await pending(stand)] == [
        (PendingKind.ORDER, 10),
        (PendingKind.TRIGGER, 3),
    ]
