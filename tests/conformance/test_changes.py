"""What every implementation promises about changes: protection, cancels, trailing stops."""

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import OrderType, PositionSide
from services.executor.exchange import Done, OrderState, RateLimited, Rejected, Unknown
from tests.conformance.steps import (
    LONG_AGO,
    SECOND,
    changed,
    found,
    held,
    pending,
    protected,
    protectives,
    submitted,
    trailed,
    trails,
)
from tests.fakes import Mishap


async def resting(stand, price="49000", **changes):
    accepted = await submitted(stand, order_type=OrderType.LIMIT, price=price, **changes)
    return accepted.exchange_order_id


async def waiting_stop(stand, price="51000", **changes):
    accepted = await submitted(stand, order_type=OrderType.STOP, price=price, **changes)
    return accepted.exchange_order_id


async def test_stop_and_target_are_put_on_a_position(stand):
    await submitted(stand)
    done = await protected(stand, stop="48000", target="53000")
    assert isinstance(done, Done)
    assert done.call.method == "POST"
    [stop] = await protectives(stand)
    assert stop.exchange_id == done.exchange_id
    assert (stop.position_side, stop.contracts) == (PositionSide.LONG, 10)
    assert (stop.stop_price, stop.target_price) == (48_000, 53_000)
    await stand.price("48000")
    assert await held(stand) == ()
    assert await protectives(stand) == ()


async def test_stop_alone_is_put_on_a_position(stand):
    await submitted(stand)
    await protected(stand, stop="48000")
    [stop] = await protectives(stand)
    assert (stop.stop_price, stop.target_price) == (48_000, None)


async def test_protecting_what_is_not_held_is_rejected(stand):
    rejected = await changed(stand, "protect", "1109973831", contracts=10, stop="48000")
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.kind) == (2009, Cause.POSITION)
    assert rejected.message


async def test_lost_protection_is_unknown_and_there(stand):
    await submitted(stand)
    [holding] = await held(stand)
    await stand.befall(Mishap.LOSE_REPLY)
    lost = await protected(stand, holding=holding, stop="48000")
    assert isinstance(lost, Unknown)
    assert lost.why
    assert len(await protectives(stand)) == 1


async def test_protecting_twice_leaves_one(stand):
    """What was lost can be put there again."""
    await submitted(stand)
    await protected(stand, stop="48000")
    again = await protected(stand, stop="48000")
    assert isinstance(again, Done)
    [stop] = await protectives(stand)
    assert again.exchange_id == stop.exchange_id


async def test_protection_is_moved(stand):
    await submitted(stand, stop="48000", target="53000")
    [stop] = await protectives(stand)
    done = await changed(stand, "move_protection", stop.exchange_id, stop="49000", target="53000")
    assert isinstance(done, Done)
    [moved] = await protectives(stand)
    assert (moved.stop_price, moved.target_price) == (49_000, 53_000)


async def test_price_that_is_not_given_is_taken_away(stand):
    await submitted(stand, stop="48000", target="53000")
    [stop] = await protectives(stand)
    await changed(stand, "move_protection", stop.exchange_id, stop="49000")
    [moved] = await protectives(stand)
    assert (moved.stop_price, moved.target_price) == (49_000, None)


async def test_protection_without_prices_is_canceled(stand):
    await submitted(stand, stop="48000")
    [stop] = await protectives(stand)
    assert isinstance(await changed(stand, "move_protection", stop.exchange_id), Done)
    assert await protectives(stand) == ()


async def test_moving_protection_that_is_gone_is_rejected(stand):
    rejected = await changed(stand, "move_protection", "357859177", stop="49000")
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.kind) == (5002, Cause.TRIGGER)


async def test_lost_move_is_unknown_and_done(stand):
    await submitted(stand, stop="48000")
    [stop] = await protectives(stand)
    await stand.befall(Mishap.LOSE_REPLY)
    lost = await changed(stand, "move_protection", stop.exchange_id, stop="49000")
    assert isinstance(lost, Unknown)
    assert [moved.stop_price for moved in await protectives(stand)] == [49_000]


async def test_attached_prices_of_an_order_are_changed(stand):
    order = await resting(stand, stop="47000", target="53000")
    assert isinstance(await changed(stand, "amend_order", order, stop="48000"), Done)
    [waiting] = await pending(stand)
    assert (waiting.stop_price, waiting.target_price) == (48_000, None)


async def test_attached_prices_of_an_order_that_never_was_are_not_changed(stand):
    rejected = await changed(stand, "amend_order", LONG_AGO, stop="48000")
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.kind) == (2040, Cause.ORDER_STATE)


async def test_attached_prices_of_a_stop_order_are_changed(stand):
    plan = await waiting_stop(stand, stop="49000")
    done = await changed(stand, "amend_trigger", plan, stop="50000", target="54000")
    assert isinstance(done, Done)
    [waiting] = await pending(stand)
    assert (waiting.stop_price, waiting.target_price) == (50_000, 54_000)


async def test_lost_amendments_are_unknown_and_done(stand):
    plan = await waiting_stop(stand)
    await stand.befall(Mishap.LOSE_REPLY)
    assert isinstance(await changed(stand, "amend_trigger", plan, stop="50000"), Unknown)
    order = await resting(stand, order=SECOND)
    await stand.befall(Mishap.LOSE_REPLY)
    assert isinstance(await changed(stand, "amend_order", order, stop="48000"), Unknown)
    assert [waiting.stop_price for waiting in await pending(stand)] == [50_000, 48_000]


async def test_orders_are_canceled(stand):
    first = await resting(stand)
    second = await resting(stand, "48000", order=SECOND)
    done = await changed(stand, "cancel_orders", first, second)
    assert isinstance(done, Done)
    assert done.message == ""
    assert await pending(stand) == ()
    assert (await found(stand)).state is OrderState.CANCELED


async def test_canceling_orders_that_have_ended_or_never_were_is_done_and_said(stand):
    """The reply says success, and hides the rest in its items."""
    await submitted(stand)
    filled = (await found(stand)).exchange_order_id
    order = await resting(stand, order=SECOND)
    done = await changed(stand, "cancel_orders", LONG_AGO, filled, order)
    assert isinstance(done, Done)
    assert LONG_AGO in done.message
    assert filled in done.message
    assert order not in done.message
    assert await pending(stand) == ()


async def test_lost_cancel_is_unknown_and_done(stand):
    order = await resting(stand)
    await stand.befall(Mishap.LOSE_REPLY)
    assert isinstance(await changed(stand, "cancel_orders", order), Unknown)
    assert await pending(stand) == ()


async def test_stop_orders_are_canceled(stand):
    plans = [await waiting_stop(stand), await waiting_stop(stand, "52000", order=SECOND)]
    done = await changed(stand, "cancel_triggers", *plans)
    assert isinstance(done, Done)
    assert done.message == ""
    assert await pending(stand) == ()


async def test_canceling_stop_orders_that_are_gone_is_done_and_said(stand):
    plan = await waiting_stop(stand)
    await stand.price("51000")
    done = await changed(stand, "cancel_triggers", plan, LONG_AGO)
    assert isinstance(done, Done)
    assert plan in done.message
    assert LONG_AGO in done.message


async def test_trailing_stop_follows_and_closes(stand):
    await submitted(stand)
    done = await trailed(stand)
    assert isinstance(done, Done)
    [trail] = await trails(stand)
    assert trail.exchange_id == done.exchange_id
    assert (trail.position_side, trail.contracts, trail.distance) == (PositionSide.LONG, 10, 500)
    assert trail.created_ms > 1_700_000_000_000
    await stand.price("52000")
    assert len(await held(stand)) == 1
    await stand.price("51500")
    assert await held(stand) == ()
    assert await trails(stand) == ()


async def test_trailing_stop_is_canceled(stand):
    await submitted(stand)
    done = await trailed(stand)
    assert isinstance(await changed(stand, "cancel_trails", done.exchange_id), Done)
    assert await trails(stand) == ()


async def test_canceling_a_trailing_stop_that_is_gone_is_done_and_said(stand):
    done = await changed(stand, "cancel_trails", LONG_AGO)
    assert isinstance(done, Done)
    assert LONG_AGO in done.message


async def test_lost_trailing_stop_is_unknown_and_there(stand):
    await submitted(stand)
    await stand.befall(Mishap.LOSE_REPLY)
    lost = await trailed(stand)
    assert isinstance(lost, Unknown)
    [trail] = await trails(stand)
    assert trail.created_ms >= int(lost.call.sent_at.timestamp()) * 1_000
    assert (trail.distance, trail.contracts) == (500, 10)


async def test_trailing_stop_that_was_lost_on_the_way_is_unknown_and_not_there(stand):
    await submitted(stand)
    await stand.befall(Mishap.DROP)
    assert isinstance(await trailed(stand), Unknown)
    assert await trails(stand) == ()


async def test_rate_limited_change_was_not_done_and_passes_later(stand):
    await submitted(stand)
    await stand.befall(Mishap.RATE_LIMIT)
    limited = await trailed(stand)
    assert isinstance(limited, RateLimited)
    assert limited.code == 510
    assert isinstance(await trailed(stand), Done)


async def test_failing_check_keeps_the_change_back(stand):
    class NotOursError(Exception):
        pass

    def check(_call):
        raise NotOursError

    order = await resting(stand)
    with pytest.raises(NotOursError):
        await changed(stand, "cancel_orders", order, before_send=check)
    assert len(await pending(stand)) == 1


async def test_passing_check_of_a_change_gets_the_request(stand):
    calls = []
    order = await resting(stand)
    await changed(stand, "cancel_orders", order, before_send=calls.append)
    [call] = calls
    assert call.method == "POST"
    assert order in call.request_body
    assert call.http_status is None
