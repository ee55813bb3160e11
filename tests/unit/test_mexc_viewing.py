"""MEXC's rows as they are shown: what is odd is left open, and never stands in an order's way."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from libs.common.contracts.words import Effect, OrderType, PositionSide
from services.executor.exchange import QueryFailed
from services.executor.mexc import viewing, wire
from tests.factories import D
from tests.unit.mexc_stub import json_reply, opened, stub_server
from tests.unit.test_mexc_listing import NOW_MS, a_plan, an_order

POSITION = {
    "positionId": 1109973831,
    "symbol": "BTC_USDT",
    "positionType": 2,
    "openType": 1,
    "state": 1,
    "holdVol": 10,
    "holdAvgPrice": 50000,
    "leverage": 20,
    "liquidatePrice": 52300.5,
    "realised": -0.0412,
}
TRACK = {
    "id": "720000000261200001",
    "symbol": "BTC_USDT",
    "side": 4,
    "vol": 10,
    "backType": 2,
    "backValue": 500,
    "state": 1,
    "createTime": NOW_MS,
}


def row(kind, fields):
    return wire.row(msgspec.Raw(msgspec.json.encode(fields)), kind)


def test_an_isolated_position_has_the_price_at_which_it_is_taken_over():
    held = viewing.to_held(row(viewing._Position, POSITION))
    assert held.holding.side is PositionSide.SHORT
    assert (held.liquidation_price, held.realised_profit) == (D("52300.5"), D("-0.0412"))


def test_zero_is_no_price():
    held = viewing.to_held(row(viewing._Position, POSITION | {"liquidatePrice": 0}))
    assert held.liquidation_price is None


def test_what_is_not_told_is_not_known():
    bare = {k: v for k, v in POSITION.items() if k not in {"liquidatePrice", "realised"}}
    held = viewing.to_held(row(viewing._Position, bare))
    assert (held.liquidation_price, held.realised_profit) == (None, None)


def test_a_closed_position_is_none():
    assert viewing.to_held(row(viewing._Position, POSITION | {"state": 3, "holdVol": 0})) is None


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (1, OrderType.LIMIT),
        (2, OrderType.POST_ONLY),
        (3, OrderType.IOC),
        (4, OrderType.FOK),
        (5, OrderType.MARKET),
        (6, OrderType.MARKET),
        (77, None),
        (None, None),
    ],
    ids=str,
)
def test_an_order_of_an_unheard_type_is_shown_all_the_same(number, word):
    order = viewing.to_order(row(viewing._Order, an_order(1, orderType=number)))
    assert order.order_type is word


def test_of_a_partly_filled_order_the_rest_waits():
    order = viewing.to_order(row(viewing._Order, an_order(0, dealVol=4, side=4, externalOid="")))
    assert (order.contracts, order.filled_contracts) == (6, 4)
    assert (order.effect, order.position_side) == (Effect.CLOSE, PositionSide.LONG)
    assert order.client_order_id is None
    assert order.since == datetime.fromtimestamp(NOW_MS / 1_000, tz=UTC)


def test_a_trigger_order_may_become_a_limit_order():
    trigger = viewing.to_trigger(row(viewing._Plan, a_plan(orderType=1, price=51010.5)))
    assert (trigger.order_type, trigger.price) == (OrderType.LIMIT, D("51010.5"))
    assert viewing.to_trigger(row(viewing._Plan, a_plan(state=3))) is None


@pytest.mark.parametrize(
    ("changes", "distance", "begins"),
    [
        ({}, "500", None),
        ({"backType": 1, "backValue": 0.01, "markPrice": 52000}, "520", None),
        ({"backType": 1, "backValue": 0.01, "activePrice": 51000}, "510", "51000"),
        ({"backType": 1, "backValue": 0.01}, None, None),
    ],
    ids=["distance", "share-of-extreme", "share-of-start", "share-of-nothing"],
)
def test_a_trailing_orders_distance_is_in_units_of_price_or_not_known(changes, distance, begins):
    trail = viewing.to_trail(row(wire.Track, TRACK | changes))
    assert trail.trail_distance == (None if distance is None else Decimal(distance))
    assert trail.trigger_price == (None if begins is None else Decimal(begins))


async def test_the_oldest_comes_first_and_every_page_is_read():
    pages = [[an_order(100 - n) for n in range(100)], [an_order(0)]]

    def answer(request, _body):
        number = int(request.query["page_num"])
        return json_reply(
            msgspec.json.encode({"success": True, "code": 0, "data": pages[number - 1]})
        )

    async with stub_server() as stub, opened(stub.url) as exchange:
        stub.handler = answer
        told = await exchange.views.orders()
    assert [one.since for one in told.value] == sorted(one.since for one in told.value)
    assert (len(told.value), len(told.calls)) == (101, 2)


@pytest.mark.parametrize(
    "data",
    [{"symbol": "ETH_USDT", "fairPrice": 1}, {"symbol": "BTC_USDT", "fairPrice": 0}],
    ids=["another", "nothing"],
)
async def test_a_price_of_something_else_is_none(data):
    async with stub_server() as stub, opened(stub.url) as exchange:
        stub.handler = lambda _request, _body: json_reply(
            msgspec.json.encode({"success": True, "code": 0, "data": data})
        )
        with pytest.raises(QueryFailed):
            await exchange.views.mark_price("BTC_USDT")


async def test_a_liquidation_price_that_nobody_can_read_is_in_no_orders_way():
    """It is shown as missing; what trades reads the same row as before."""
    odd = POSITION | {"liquidatePrice": "NaN"}
    async with stub_server() as stub, opened(stub.url) as exchange:
        stub.handler = lambda _request, _body: json_reply(
            msgspec.json.encode({"success": True, "code": 0, "data": [odd]})
        )
        with pytest.raises(QueryFailed):
            await exchange.views.positions()
        assert len((await exchange.positions()).value) == 1
