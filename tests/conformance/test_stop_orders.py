"""What every implementation promises about market orders that wait for a trigger price."""

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import (
    Effect,
    OrderType,
    PendingKind,
    PositionSide,
    TriggerSource,
)
from services.executor.exchange import (
    Accepted,
    Found,
    NotFound,
    OrderState,
    RateLimited,
    Rejected,
    Unknown,
)
from tests.conformance.steps import (
    BTC,
    CLOSING,
    a_leg,
    changed,
    found_stop,
    held,
    pending,
    protectives,
    submitted,
)
from tests.fakes import Mishap


def a_stop(price="51000", **changes):
    return a_leg(order_type=OrderType.STOP, price=price, **changes)


async def sent(stand, leg):
    return await stand.exchange.submit(leg, symbol=BTC)


async def test_stop_order_waits_and_becomes_a_market_order(stand):
    leg = a_stop()
    accepted = await sent(stand, leg)
    assert isinstance(accepted, Accepted)
    [waiting] = await pending(stand)
    assert waiting.kind is PendingKind.TRIGGER
    assert waiting.exchange_order_id == accepted.exchange_order_id
    assert (waiting.effect, waiting.position_side) == (Effect.OPEN, PositionSide.LONG)
    assert (waiting.contracts, waiting.price) == (10, 51_000)
    stop = await found_stop(stand, leg, accepted)
    assert isinstance(stop, Found)
    assert (stop.state, stop.filled_contracts) == (OrderState.OPEN, 0)
    assert stop.exchange_order_id == accepted.exchange_order_id

    await stand.price("51200")
    stop = await found_stop(stand, leg, accepted)
    assert (stop.state, stop.filled_contracts) == (OrderState.FILLED, 10)
    assert stop.average_price == 51_200
    assert stop.exchange_order_id != accepted.exchange_order_id
    assert await pending(stand) == ()
    assert [holding.contracts for holding in await held(stand)] == [10]


async def test_triggered_stop_order_is_found_by_the_order_that_it_became(stand):
    leg = a_stop()
    accepted = await sent(stand, leg)
    await stand.price("51000")
    stop = await found_stop(stand, leg, accepted)
    again = await stand.exchange.stop_order(
        leg,
        symbol=BTC,
        sent_after=accepted.call.sent_at,
        exchange_order_id=stop.exchange_order_id,
    )
    assert isinstance(again, Found)
    assert again.exchange_order_id == stop.exchange_order_id


async def test_stop_order_that_sells_waits_for_a_fall(stand):
    await submitted(stand)
    leg = a_stop("49000", effect="close", order=CLOSING)
    accepted = await sent(stand, leg)
    assert (await found_stop(stand, leg, accepted)).state is OrderState.OPEN
    await stand.price("48900")
    stop = await found_stop(stand, leg, accepted)
    assert (stop.state, stop.average_price) == (OrderState.FILLED, 48_900)
    assert await held(stand) == ()


async def test_stop_order_that_opens_short_waits_for_a_fall(stand):
    leg = a_stop("49000", side="short")
    accepted = await sent(stand, leg)
    [waiting] = await pending(stand)
    assert (waiting.effect, waiting.position_side) == (Effect.OPEN, PositionSide.SHORT)
    await stand.price("49000")
    assert (await found_stop(stand, leg, accepted)).state is OrderState.FILLED


async def test_stop_order_looks_at_the_price_that_it_names(stand):
    leg = a_stop(trigger=TriggerSource.MARK)
    accepted = await sent(stand, leg)
    await stand.price("51500", mark="50500")
    assert (await found_stop(stand, leg, accepted)).state is OrderState.OPEN
    await stand.price("51500", mark="51000")
    assert (await found_stop(stand, leg, accepted)).state is OrderState.FILLED


async def test_attached_prices_of_a_stop_order_protect_what_it_opens(stand):
    await sent(stand, a_stop(stop="50000", target="54000"))
    [waiting] = await pending(stand)
    assert (waiting.stop_price, waiting.target_price) == (50_000, 54_000)
    await stand.price("51000")
    [stop] = await protectives(stand)
    assert (stop.stop_price, stop.target_price) == (50_000, 54_000)


async def test_stop_order_whose_reply_was_lost_is_found_by_what_it_says(stand):
    leg = a_stop()
    await stand.befall(Mishap.LOSE_REPLY)
    lost = await sent(stand, leg)
    assert isinstance(lost, Unknown)
    stop = await found_stop(stand, leg, lost, by_id=False)
    assert isinstance(stop, Found)
    assert stop.state is OrderState.OPEN
    [waiting] = await pending(stand)
    assert stop.exchange_order_id == waiting.exchange_order_id


async def test_stop_order_that_was_lost_on_the_way_is_not_found(stand):
    leg = a_stop()
    await stand.befall(Mishap.DROP)
    lost = await sent(stand, leg)
    assert isinstance(lost, Unknown)
    assert isinstance(await found_stop(stand, leg, lost, by_id=False), NotFound)


async def test_stop_order_that_says_something_else_is_another(stand):
    other = a_stop("52000")
    accepted = await sent(stand, other)
    assert isinstance(await found_stop(stand, a_stop(), accepted, by_id=False), NotFound)


async def test_of_two_alike_the_newer_is_found_by_what_it_says(stand):
    await sent(stand, a_stop())
    accepted = await sent(stand, a_stop())
    stop = await found_stop(stand, a_stop(), accepted, by_id=False)
    assert stop.exchange_order_id == accepted.exchange_order_id


async def test_stop_order_that_is_known_to_be_another_is_not_found_by_what_it_says(stand):
    first = await sent(stand, a_stop())
    second = await sent(stand, a_stop())
    known = {second.exchange_order_id}
    stop = await found_stop(stand, a_stop(), first, by_id=False, apart_from=known)
    assert stop.exchange_order_id == first.exchange_order_id
    known.add(first.exchange_order_id)
    query = await found_stop(stand, a_stop(), first, by_id=False, apart_from=known)
    assert isinstance(query, NotFound)


async def test_rate_limited_stop_order_was_not_taken(stand):
    await stand.befall(Mishap.RATE_LIMIT)
    limited = await sent(stand, a_stop())
    assert isinstance(limited, RateLimited)
    assert limited.code == 510
    assert await pending(stand) == ()


async def test_too_small_stop_order_is_rejected(stand):
    rejected = await sent(stand, a_stop(contracts="0.5"))
    assert isinstance(rejected, Rejected)
    assert rejected.message


async def test_canceled_stop_order(stand):
    leg = a_stop()
    accepted = await sent(stand, leg)
    await changed(stand, "cancel_triggers", accepted.exchange_order_id)
    stop = await found_stop(stand, leg, accepted)
    assert (stop.state, stop.filled_contracts) == (OrderState.CANCELED, 0)


async def test_stop_order_that_fails_when_it_triggers_is_invalid(stand):
    """There is nothing to close any more."""
    leg = a_stop("49000", effect="close")
    accepted = await sent(stand, leg)
    await stand.price("49000")
    stop = await found_stop(stand, leg, accepted)
    assert (stop.state, stop.error_code) == (OrderState.INVALID, 2009)
    assert (stop.error_name, stop.error_cause) == ("POSITION", Cause.POSITION)
