"""What every implementation of the exchange port promises: the in-memory fake, the real client
over the paper exchange, and the real client over recorded replies.
"""

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import MarginMode, PositionMode, PositionSide, VenueSymbol
from services.executor.exchange import (
    Accepted,
    Duplicate,
    Found,
    NotFound,
    OrderState,
    QueryFailed,
    RateLimited,
    Rejected,
    Unknown,
)
from tests.conformance.stands import paper_stand
from tests.conformance.steps import BTC, CLOSING, FIRST, SECOND, close_held, held, submitted
from tests.factories import D, make_leg
from tests.fakes import Mishap


async def test_flat_is_no_holdings(stand):
    assert await held(stand) == ()


async def test_opened_contracts_are_held(stand):
    assert isinstance(await submitted(stand), Accepted)
    [holding] = await held(stand)
    assert holding.side is PositionSide.LONG
    assert (holding.contracts, holding.free_contracts) == (10, 10)
    assert holding.average_price == 50_000
    assert (holding.margin_mode, holding.leverage) == (MarginMode.CROSS, 10)


async def test_accepted_order_is_found_filled(stand):
    accepted = await submitted(stand)
    found = await stand.exchange.order(BTC, FIRST)
    assert isinstance(found, Found)
    assert found.state is OrderState.FILLED
    assert found.exchange_order_id == accepted.exchange_order_id
    assert (found.filled_contracts, found.average_price) == (D(10), D(50_000))
    assert (found.fee, found.fee_currency) == (D("0.04"), "USDT")
    assert (found.profit, found.error_code) == (D(0), 0)


async def test_order_of_another_symbol_is_not_found(stand):
    await submitted(stand)
    query = await stand.exchange.order(VenueSymbol("ETH_USDT"), FIRST)
    assert isinstance(query, NotFound)


async def test_long_and_short_are_held_side_by_side(stand):
    await submitted(stand)
    await submitted(stand, side="short", order=SECOND, contracts=D(3))
    assert {holding.side: holding.contracts for holding in await held(stand)} == {
        PositionSide.LONG: 10,
        PositionSide.SHORT: 3,
    }


async def test_same_side_adds_at_the_mean_price(stand):
    await submitted(stand)
    await stand.price("51000")
    await submitted(stand, order=SECOND)
    [holding] = await held(stand)
    assert (holding.contracts, holding.average_price) == (20, 50_500)


async def test_closing_all_leaves_nothing_and_tells_the_profit(stand):
    await submitted(stand)
    await stand.price("51000")
    assert isinstance(await close_held(stand), Accepted)
    found = await stand.exchange.order(BTC, CLOSING)
    assert isinstance(found, Found)
    assert (found.filled_contracts, found.average_price, found.profit) == (D(10), D(51_000), D(1))
    assert await held(stand) == ()


async def test_closing_a_short_profits_from_a_fall(stand):
    await submitted(stand, side="short")
    await stand.price("49000")
    assert isinstance(await close_held(stand), Accepted)
    found = await stand.exchange.order(BTC, CLOSING)
    assert isinstance(found, Found)
    assert found.profit == 1


async def test_closing_a_part_leaves_the_rest(stand):
    await submitted(stand)
    await close_held(stand, D(4))
    assert [holding.contracts for holding in await held(stand)] == [6]


async def test_unknown_order_is_not_found(stand):
    query = await stand.exchange.order(BTC, FIRST)
    assert isinstance(query, NotFound)


async def test_second_order_of_an_id_is_a_duplicate_and_does_nothing(stand):
    await submitted(stand)
    again = await submitted(stand)
    assert isinstance(again, Duplicate)
    assert again.code == 2042
    assert [holding.contracts for holding in await held(stand)] == [10]


async def test_too_small_is_rejected_for_its_quantity(stand):
    rejected = await submitted(stand, contracts=D("0.5"))
    assert isinstance(rejected, Rejected)
    assert rejected.kind is Cause.QUANTITY
    assert rejected.message
    assert isinstance(await stand.exchange.order(BTC, FIRST), NotFound)


async def test_rejected_order_does_not_use_its_id_up(stand):
    await submitted(stand, contracts=D("0.5"))
    assert isinstance(await submitted(stand), Accepted)


async def test_closing_what_is_not_held_is_rejected(stand):
    rejected = await submitted(stand, "close")
    assert isinstance(rejected, Rejected)
    assert rejected.kind is Cause.POSITION


async def test_closing_more_than_is_held_is_rejected(stand):
    await submitted(stand)
    rejected = await close_held(stand, D(11))
    assert isinstance(rejected, Rejected)
    assert rejected.kind is Cause.POSITION


async def test_unknown_contract_is_rejected(stand):
    rejected = await submitted(stand, symbol=VenueSymbol("NONE_USDT"))
    assert isinstance(rejected, Rejected)
    assert rejected.kind is Cause.SYMBOL


async def test_order_for_the_other_position_mode_is_rejected(stand):
    rejected = await submitted(stand, position_mode=PositionMode.ONE_WAY)
    assert isinstance(rejected, Rejected)
    assert rejected.kind is Cause.POSITION_MODE


async def test_lost_reply_is_unknown_and_the_order_is_found(stand):
    await stand.befall(Mishap.LOSE_REPLY)
    lost = await submitted(stand)
    assert isinstance(lost, Unknown)
    assert lost.why
    found = await stand.exchange.order(BTC, FIRST)
    assert isinstance(found, Found)
    assert found.state is OrderState.FILLED


async def test_lost_order_is_unknown_too_and_not_found(stand):
    await stand.befall(Mishap.DROP)
    assert isinstance(await submitted(stand), Unknown)
    assert isinstance(await stand.exchange.order(BTC, FIRST), NotFound)


async def test_rate_limited_order_was_not_taken_and_passes_later(stand):
    await stand.befall(Mishap.RATE_LIMIT)
    limited = await submitted(stand)
    assert isinstance(limited, RateLimited)
    assert limited.code == 510
    assert isinstance(await submitted(stand), Accepted)


async def test_accepted_order_may_still_die(stand):
    await stand.befall(Mishap.DIE_LATER)
    assert isinstance(await submitted(stand), Accepted)
    found = await stand.exchange.order(BTC, FIRST)
    assert isinstance(found, Found)
    assert found.state is OrderState.INVALID
    assert (found.filled_contracts, found.average_price) == (D(0), None)
    assert (found.error_code, found.error_name) == (2, "INSUFFICIENT_BALANCE")
    assert found.error_cause is Cause.MARGIN
    assert await held(stand) == ()


async def test_partly_filled_order_is_canceled_with_what_it_got(stand):
    await stand.befall(Mishap.PARTIAL_FILL)
    await submitted(stand)
    found = await stand.exchange.order(BTC, FIRST)
    assert isinstance(found, Found)
    assert found.state is OrderState.CANCELED
    assert 0 < found.filled_contracts < 10
    assert [holding.contracts for holding in await held(stand)] == [found.filled_contracts]


async def test_failing_check_keeps_the_order_back(stand):
    class NotOursError(Exception):
        pass

    def check(_call):
        raise NotOursError

    with pytest.raises(NotOursError):
        await stand.exchange.submit(make_leg(client_order_id=FIRST), symbol=BTC, before_send=check)
    assert isinstance(await stand.exchange.order(BTC, FIRST), NotFound)


async def test_passing_check_is_called_once(stand):
    calls = []
    accepted = await stand.exchange.submit(
        make_leg(client_order_id=FIRST), symbol=BTC, before_send=calls.append
    )
    assert isinstance(accepted, Accepted)
    assert [call.method for call in calls] == ["POST"]


async def test_refused_question_raises_with_the_exchange_s_words(stand):
    await stand.refuse_query()
    with pytest.raises(QueryFailed) as caught:
        await stand.exchange.holdings(BTC)
    assert (caught.value.kind, caught.value.code) == (Cause.IP, 406)
    assert caught.value.message
    assert not caught.value.retryable


async def test_every_answer_carries_its_call(stand):
    accepted = await submitted(stand)
    assert accepted.call.method == "POST"
    assert FIRST in accepted.call.request_body
    assert accepted.call.sent_at.utcoffset() is not None
    [call] = (await stand.exchange.holdings(BTC)).calls
    assert call.method == "GET"


@pytest.mark.parametrize("side", PositionSide)
async def test_one_way_account_is_opened_and_closed(side):
    """Over the paper exchange alone: nobody has published replies of an account in this mode."""
    async with paper_stand("", position_mode=2) as stand:
        assert await stand.exchange.position_mode() is PositionMode.ONE_WAY
        mode = {"position_mode": PositionMode.ONE_WAY}
        assert isinstance(await submitted(stand, side=side, **mode), Accepted)
        [holding] = await held(stand)
        assert (holding.side, holding.contracts) == (side, D(10))
        closed = await submitted(
            stand, "close", side, order=CLOSING, position_id=holding.position_id, **mode
        )
        assert isinstance(closed, Accepted)
        assert await held(stand) == ()


async def test_position_mode(stand):
    assert await stand.exchange.position_mode() is PositionMode.HEDGE


async def test_catalogue_is_exact(stand):
    [btc] = [row for row in await stand.exchange.instruments() if row.symbol == BTC]
    assert btc.contract_size == D("0.0001")
    assert btc.tick_price == D("0.1")
    assert (btc.minimum_contracts, btc.step_contracts, btc.maximum_contracts) == (1, 1, 400_000)
    assert (btc.base, btc.quote, btc.leverage_maximum, btc.tradable) == ("BTC", "USDT", 500, True)


async def test_clock_is_told_and_taken_over(stand):
    assert await stand.exchange.server_time_ms() > 1_700_000_000_000
    assert isinstance(await stand.exchange.sync_clock(), int)


async def test_prices(stand):
    told = await stand.exchange.prices(BTC)
    assert told.value.last == 50_000
    assert (told.value.mark, told.value.index) == (50_000, 50_000)
    assert [call.method for call in told.calls] == ["GET"]


async def test_equity_counts_what_is_not_realised(stand):
    """Ten contracts at 50,000 cost a fee of 0.04, and gain 1 at 51,000."""
    await submitted(stand)
    await stand.price("51000")
    told = await stand.exchange.equity("USDT")
    assert told.value == D("10000.96")
    assert [call.method for call in told.calls] == ["GET"]


async def test_equity_in_a_currency_that_is_not_held_is_nothing(stand):
    assert (await stand.exchange.equity("NONE")).value == 0
