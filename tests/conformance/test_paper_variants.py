"""The real client over the paper exchange alone: what nobody has published replies of."""

import pytest

from libs.common.contracts.words import OrderType, PositionMode, PositionSide
from services.executor.exchange import Accepted, Done, OrderState
from tests.conformance.stands import paper_stand
from tests.conformance.steps import (
    BTC,
    CLOSING,
    FIRST,
    a_leg,
    changed,
    found_stop,
    held,
    pending,
    protectives,
    submitted,
    trailed,
    trails,
)

ONE_WAY = {"position_mode": PositionMode.ONE_WAY}


@pytest.fixture
async def one_way():
    async with paper_stand("", position_mode=2) as stand:
        yield stand


@pytest.fixture
async def paper():
    async with paper_stand("") as stand:
        yield stand


@pytest.mark.parametrize(("side", "price"), [("long", "49000"), ("short", "51000")])
async def test_stop_order_closes_in_one_way_mode(one_way, side, price):
    await submitted(one_way, side=side, **ONE_WAY)
    leg = a_leg("close", side, order=CLOSING, order_type=OrderType.STOP, price=price, **ONE_WAY)
    accepted = await one_way.exchange.submit(leg, symbol=BTC)
    assert isinstance(accepted, Accepted)
    await one_way.price(price)
    assert (await found_stop(one_way, leg, accepted)).state is OrderState.FILLED
    assert await held(one_way) == ()


@pytest.mark.parametrize("side", PositionSide)
async def test_trailing_stop_closes_in_one_way_mode(one_way, side):
    await submitted(one_way, side=side, **ONE_WAY)
    assert isinstance(await trailed(one_way, position_side=side, **ONE_WAY), Done)
    await one_way.price("50500" if side is PositionSide.SHORT else "49500")
    assert await held(one_way) == ()


async def test_attached_prices_protect_in_one_way_mode(one_way):
    await submitted(one_way, side="short", stop="51000", target="48000", **ONE_WAY)
    [stop] = await protectives(one_way)
    assert (stop.position_side, stop.stop_price, stop.target_price) == ("short", 51_000, 48_000)
    await one_way.price("51000")
    assert await held(one_way) == ()


async def test_lists_may_come_as_pages(paper):
    await paper.paper.control("PUT", "behaviour", {"list_shape": "paged"})
    await submitted(paper)
    await trailed(paper)
    await submitted(paper, order_type=OrderType.LIMIT, price="49000", order=CLOSING)
    assert len(await pending(paper)) == 1
    assert len(await trails(paper)) == 1


async def test_more_orders_than_one_request_takes_are_canceled(paper):
    await paper.paper.control("PUT", "limits", {"order_create_per_2s": None})
    ids = []
    for number in range(51):
        order = f"{FIRST[:-3]}{number:03}"
        accepted = await submitted(
            paper, order_type=OrderType.LIMIT, price="49000", order=order, contracts=1
        )
        assert isinstance(accepted, Accepted)
        ids.append(accepted.exchange_order_id)
    done = await changed(paper, "cancel_orders", *ids)
    assert isinstance(done, Done)
    assert done.message == ""
    assert await pending(paper) == ()
