"""What is pushed of an order or a position is what the exchange answers when it is asked: the real
feed beside the real client, over the paper exchange. Nobody has published a whole conversation.
"""

import asyncio
from dataclasses import replace

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import OrderType, PositionMode, PositionSide
from services.executor.exchange import Accepted, Found, OrderState
from services.executor.pushes import OrderPushed, PositionPushed
from tests.conformance.stands import paper_stand
from tests.conformance.steps import BTC, CLOSING, FIRST, SECOND, changed, submitted
from tests.fakes import Mishap

LIMIT = {"order_type": OrderType.LIMIT, "price": "49000"}


class Listener:
    def __init__(self, stand):
        self.stand = stand
        self.pushes = []
        self.opened = asyncio.Event()
        self._news = asyncio.Event()

    def hear(self, push):
        self.pushes.append(push)
        self._news.set()

    async def until(self, fits):
        """The first push that fits, waiting for it."""
        async with asyncio.timeout(10):
            while True:
                self._news.clear()
                for push in self.pushes:
                    if fits(push):
                        return push
                await self._news.wait()

    async def order(self, client_order_id, state):
        return await self.until(
            lambda push: (
                isinstance(push, OrderPushed)
                and (push.client_order_id, push.found.state) == (client_order_id, state)
            )
        )

    async def position(self, side, contracts):
        def fits(push):
            if not isinstance(push, PositionPushed) or push.side is not side:
                return False
            return (push.holding.contracts if push.holding else 0) == contracts

        return await self.until(fits)


@pytest.fixture(params=[PositionMode.HEDGE, PositionMode.ONE_WAY], ids=str)
async def listener(request):
    number = {PositionMode.HEDGE: 1, PositionMode.ONE_WAY: 2}[request.param]
    async with paper_stand("", position_mode=number) as stand, asyncio.TaskGroup() as group:
        made = Listener(stand)
        made.mode = {"position_mode": request.param}
        listening = group.create_task(stand.feed.listen(on_open=made.opened.set, on_push=made.hear))
        async with asyncio.timeout(10):
            await made.opened.wait()
        yield made
        listening.cancel()


async def answered(listener, pushed):
    """The order as it is answered; it must be as it was pushed."""
    told = await listener.stand.exchange.order(BTC, pushed.client_order_id)
    assert isinstance(told, Found)
    assert replace(pushed.found, call=told.call) == told
    assert pushed.symbol == BTC
    return told


async def test_a_filled_order(listener):
    accepted = await submitted(listener.stand, **listener.mode)
    pushed = await listener.order(FIRST, OrderState.FILLED)
    assert (await answered(listener, pushed)).exchange_order_id == accepted.exchange_order_id


async def test_an_order_that_rests_and_is_canceled(listener):
    accepted = await submitted(listener.stand, **LIMIT, **listener.mode)
    await answered(listener, await listener.order(FIRST, OrderState.OPEN))
    await changed(listener.stand, "cancel_orders", accepted.exchange_order_id)
    told = await answered(listener, await listener.order(FIRST, OrderState.CANCELED))
    assert told.filled_contracts == 0


async def test_an_order_that_rests_and_is_filled_later(listener):
    await submitted(listener.stand, **LIMIT, **listener.mode)
    await listener.stand.price("49000")
    told = await answered(listener, await listener.order(FIRST, OrderState.FILLED))
    assert told.average_price == 49_000


async def test_a_close_with_its_profit(listener):
    await submitted(listener.stand, **listener.mode)
    await listener.stand.price("51000")
    [holding] = (await listener.stand.exchange.holdings(BTC)).holdings
    closing = await submitted(
        listener.stand,
        "close",
        order=CLOSING,
        position_id=holding.position_id,
        **listener.mode,
    )
    assert isinstance(closing, Accepted)
    told = await answered(listener, await listener.order(CLOSING, OrderState.FILLED))
    assert told.profit == 1


async def test_an_order_that_dies_after_it_was_accepted(listener):
    await listener.stand.befall(Mishap.DIE_LATER)
    await submitted(listener.stand, **listener.mode)
    told = await answered(listener, await listener.order(FIRST, OrderState.INVALID))
    assert (told.error_name, told.error_cause) == ("INSUFFICIENT_BALANCE", Cause.MARGIN)


async def test_an_order_that_is_filled_in_part(listener):
    await listener.stand.befall(Mishap.PARTIAL_FILL)
    await submitted(listener.stand, **listener.mode)
    told = await answered(listener, await listener.order(FIRST, OrderState.CANCELED))
    assert 0 < told.filled_contracts < 10


async def test_an_order_whose_reply_was_lost_is_pushed_all_the_same(listener):
    await listener.stand.befall(Mishap.LOSE_REPLY)
    await submitted(listener.stand, **listener.mode)
    await answered(listener, await listener.order(FIRST, OrderState.FILLED))


@pytest.mark.parametrize("side", PositionSide)
async def test_a_position_that_grows_and_ends(listener, side):
    stand = listener.stand
    await submitted(stand, side=side, **listener.mode)
    first = await listener.position(side, 10)
    await submitted(stand, side=side, order=SECOND, contracts="5", **listener.mode)
    second = await listener.position(side, 15)
    [(symbol, held)] = (await stand.exchange.positions()).value
    assert (second.symbol, second.holding, second.position_id) == (symbol, held, held.position_id)
    assert (first.position_id, first.version + 1) == (second.position_id, second.version)
    assert isinstance(
        await submitted(
            stand,
            "close",
            side,
            order=CLOSING,
            contracts="15",
            position_id=held.position_id,
            **listener.mode,
        ),
        Accepted,
    )
    ended = await listener.position(side, 0)
    assert (ended.position_id, ended.version) == (second.position_id, second.version + 1)
    assert (await stand.exchange.positions()).value == ()


async def test_what_a_resting_close_keeps_of_a_position(listener):
    stand = listener.stand
    await submitted(stand, **listener.mode)
    [holding] = (await stand.exchange.holdings(BTC)).holdings
    await submitted(
        stand,
        "close",
        order=CLOSING,
        contracts="4",
        position_id=holding.position_id,
        order_type=OrderType.LIMIT,
        price="60000",
        **listener.mode,
    )
    await listener.order(CLOSING, OrderState.OPEN)
    kept = await listener.until(
        lambda push: isinstance(push, PositionPushed) and push.holding.free_contracts == 6
    )
    assert [kept.holding] == list((await stand.exchange.holdings(BTC)).holdings)
