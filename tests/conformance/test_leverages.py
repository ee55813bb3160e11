"""What every implementation promises about the leverage of a contract's sides."""

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import MarginMode, OrderType, PositionSide
from libs.common.domain.leverages import SideLeverage
from services.executor.exchange import Done, RateLimited, Rejected, Unknown
from tests.conformance.steps import BTC, submitted
from tests.fakes import Mishap

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED
WANTED = SideLeverage(side=LONG, leverage=33, margin_mode=CROSS)


async def told(stand):
    rows = (await stand.exchange.leverages(BTC)).value
    return {row.side: (row.margin_mode, row.leverage) for row in rows}


async def test_each_side_is_told_what_it_is_set_to(stand):
    assert await told(stand) == {LONG: (ISOLATED, 20), SHORT: (ISOLATED, 20)}


async def test_one_side_is_set_and_the_other_stays(stand):
    assert isinstance(await stand.exchange.set_leverage(WANTED, symbol=BTC), Done)
    assert await told(stand) == {LONG: (CROSS, 33), SHORT: (ISOLATED, 20)}


async def test_an_order_brings_its_own_leverage(stand):
    await submitted(stand)
    assert (await told(stand))[LONG] == (CROSS, 10)


async def test_with_an_order_in_the_book_it_is_refused(stand):
    await submitted(stand, order_type=OrderType.LIMIT, price="49000")
    refused = await stand.exchange.set_leverage(WANTED, symbol=BTC)
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.kind) == (2019, Cause.LEVERAGE)


async def test_too_many_calls_is_told(stand):
    await stand.befall(Mishap.RATE_LIMIT)
    assert isinstance(await stand.exchange.set_leverage(WANTED, symbol=BTC), RateLimited)


async def test_a_lost_reply_leaves_it_unknown(stand):
    await stand.befall(Mishap.LOSE_REPLY)
    assert isinstance(await stand.exchange.set_leverage(WANTED, symbol=BTC), Unknown)
    assert (await told(stand))[LONG] == (CROSS, 33)


async def test_who_objects_at_the_last_moment_keeps_it_from_leaving(stand):
    def objecting(call):
        assert call.request_body
        raise RuntimeError("not now")

    with pytest.raises(RuntimeError, match="not now"):
        await stand.exchange.set_leverage(WANTED, symbol=BTC, before_send=objecting)
    assert (await told(stand))[LONG] == (ISOLATED, 20)
