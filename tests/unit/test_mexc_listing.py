"""What waits is read from lists of many pages, and a stop order is followed into the order that it
becomes.
"""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import Change
from libs.common.contracts.words import ChangeKind, ClientOrderId, OrderType, VenueSymbol
from services.executor.exchange import (
    Done,
    Failed,
    Found,
    NotFound,
    OrderState,
    QueryFailed,
    Unknown,
)
from services.executor.mexc import asking, client, listing
from tests.factories import D, make_leg
from tests.recorded import reply
from tests.unit.mexc_stub import NOW_NS, json_reply, opened, stub_server

BTC = VenueSymbol("BTC_USDT")
NOW_MS = NOW_NS // 1_000_000
NOW = datetime.fromtimestamp(NOW_NS / 1e9, tz=UTC)
LEG = make_leg(order_type=OrderType.STOP, price=D(51_000))
EMPTY = b'{"success":true,"code":0,"data":[]}'
DONE = b'{"success":true,"code":0}'


def an_order(number, **changes):
    fields = {
        "orderId": str(7 * 10**17 + number),
        "symbol": "BTC_USDT",
        "price": 49000,
        "vol": 10,
        "side": 1,
        "createTime": NOW_MS + number,
    }
    return fields | changes


def a_plan(**changes):
    fields = {
        "id": "739114860879304259",
        "symbol": "BTC_USDT",
        "side": 1,
        "triggerPrice": 51000,
        "vol": 10,
        "triggerType": 1,
        "state": 1,
        "orderType": 5,
        "createTime": NOW_MS,
    }
    return fields | changes


def told(data):
    return msgspec.json.encode({"success": True, "code": 0, "data": data})


@pytest.fixture
async def stub():
    async with stub_server() as stub:
        yield stub


@pytest.fixture
async def exchange(stub):
    async with opened(stub.url) as client:
        yield client


def answering(stub, **replies):
    """Answer each path by its last word, and everything else with an empty list."""

    def handler(request, _body):
        path = request.path
        for name, body in replies.items():
            if name in path:
                return json_reply(body(request) if callable(body) else body)
        return json_reply(EMPTY)

    stub.handler = handler


def asked(stub):
    return [request.path_qs.removeprefix("/api/v1/private/") for request, _ in stub.requests]


def assert_all_are_told(answer, stub):
    """Each request stands in the answer that it was made for, in its order."""
    told = [f"{call.path}?{call.query}" if call.query else call.path for call in answer.calls]
    assert told == [request.path_qs for request, _ in stub.requests]


async def stop_order(exchange, *, exchange_id=None, sent_after=NOW):
    return await exchange.stop_order(
        LEG, symbol=BTC, sent_after=sent_after, exchange_order_id=exchange_id
    )


async def test_list_is_read_to_its_last_page(stub, exchange):
    def page(request):
        number = int(request.query["page_num"])
        count = {1: 100, 2: 100, 3: 1}[number]
        return told([an_order(number * 1_000 + each) for each in range(count)])

    answering(stub, open_orders=page)
    told_ = await exchange.pending(BTC)
    assert len(told_.value) == 201
    assert len(told_.calls) == 4
    assert asked(stub)[:3] == [
        f"order/list/open_orders?page_num={number}&page_size=100" for number in (1, 2, 3)
    ]


async def test_list_that_never_ends_is_not_read_for_ever(stub, exchange, monkeypatch):
    monkeypatch.setattr(asking, "PAGES_MAX", 3)
    answering(stub, open_orders=told([an_order(each) for each in range(100)]))
    with pytest.raises(QueryFailed, match="over 3 pages") as caught:
        await exchange.pending(BTC)
    assert len(stub.requests) == 3
    assert_all_are_told(caught.value, stub)


async def test_list_may_come_as_a_page_object(stub, exchange):
    answering(stub, open_orders=told({"resultList": [an_order(1)], "totalPage": 1}))
    assert len((await exchange.pending(BTC)).value) == 1


async def test_rows_of_other_symbols_are_not_in_the_way(stub, exchange):
    odd = {"symbol": "ETH_USDT", "side": 9}
    answering(
        stub,
        stoporder=told([a_stop(symbol="ETH_USDT", positionType=9), a_stop()]),
        open_orders=told([an_order(1, **odd), an_order(2)]),
        planorder=told([a_plan(**odd)]),
        trackorder=told([a_track(**odd), a_track()]),
    )
    assert len((await exchange.pending(BTC)).value) == 1
    assert len((await exchange.trails(BTC)).value) == 1
    assert len((await exchange.protectives(BTC)).value) == 1


def a_track(**changes):
    fields = {"id": "1", "symbol": "BTC_USDT", "side": 4, "vol": 1, "backType": 2, "backValue": 5}
    return fields | {"state": 1, "createTime": NOW_MS} | changes


def a_stop(**changes):
    fields = {"id": 1, "symbol": "BTC_USDT", "positionId": 2, "positionType": 1, "vol": 1}
    return fields | {"state": 1, "stopLossPrice": 48000} | changes


async def test_plans_that_do_not_wait_are_not_pending(stub, exchange):
    answering(stub, planorder=told([a_plan(state=2), a_plan(state=3)]))
    assert (await exchange.pending(BTC)).value == ()


@pytest.mark.parametrize("path", ["open_orders", "planorder"])
async def test_refused_list_fails_the_question(stub, exchange, path):
    answering(stub, **{path: reply("address_not_linked")})
    with pytest.raises(QueryFailed) as caught:
        await exchange.pending(BTC)
    assert caught.value.kind is Cause.IP
    assert_all_are_told(caught.value, stub)


async def test_trails_are_asked_for_by_their_states(stub, exchange):
    answering(stub)
    await exchange.trails(BTC)
    assert asked(stub) == [
        "trackorder/list/orders?pageIndex=1&pageSize=100&states=0%2C1&symbol=BTC_USDT"
    ]


async def test_plan_is_looked_for_since_it_was_sent_by_the_exchange_s_clock(stub, exchange):
    """A second is allowed for the clocks, and the times of plans are of whole seconds."""
    answering(stub, ping=told(NOW_MS + 2_500))
    await exchange.sync_clock()
    await stop_order(exchange, sent_after=NOW + timedelta(milliseconds=100))
    [(_, _), (request, _)] = stub.requests
    since_ms = (NOW_MS + 100 + 2_500 - listing.CLOCK_SLACK_MS) // 1_000 * 1_000
    assert int(request.query["start_time"]) == since_ms
    assert int(request.query["end_time"]) == NOW_MS + 2_500 + listing.AHEAD_MS
    assert request.query["symbol"] == BTC


async def test_plan_is_looked_for_by_its_id_however_old(stub, exchange):
    answering(stub, planorder=told([a_plan(createTime=NOW_MS - 10**9)]))
    found = await stop_order(exchange, exchange_id="739114860879304259")
    assert isinstance(found, Found)
    [(request, _)] = stub.requests
    assert int(request.query["start_time"]) == NOW_MS - listing.PLANS_SPAN_MS


async def test_executed_plan_tells_what_its_order_tells(stub, exchange):
    answering(
        stub,
        planorder=told([a_plan(state=3, orderId=739106551624717312)]),
        **{"order/get": reply("order_filled")},
    )
    found = await stop_order(exchange)
    assert isinstance(found, Found)
    assert (found.state, found.filled_contracts) == (OrderState.FILLED, 5)
    assert found.exchange_order_id == "739106551624717312"
    assert asked(stub)[-1] == "order/get/739106551624717312"
    assert_all_are_told(found, stub)


@pytest.mark.parametrize("order_id", [None, "", 739106551624717312])
async def test_executed_plan_whose_order_is_not_to_be_seen_yet_is_there_all_the_same(
    stub, exchange, order_id
):
    answering(
        stub,
        planorder=told([a_plan(state=3, orderId=order_id)]),
        **{"order/get": reply("order_unknown")},
    )
    found = await stop_order(exchange)
    assert isinstance(found, Found)
    assert (found.state, found.filled_contracts) == (OrderState.PENDING, 0)
    assert_all_are_told(found, stub)


async def test_plan_that_is_in_no_list_is_not_found(stub, exchange):
    answering(stub)
    assert isinstance(await stop_order(exchange), NotFound)
    assert isinstance(await stop_order(exchange, exchange_id="7"), NotFound)


@pytest.mark.parametrize("path", ["planorder", "order/get"])
async def test_stop_order_that_is_not_told_is_failed(stub, exchange, path):
    replies = {"planorder": told([a_plan(state=3, orderId="7")])}
    answering(stub, **{**replies, path: reply("throttled")})
    failed = await stop_order(exchange)
    assert isinstance(failed, Failed)
    assert (failed.retryable, failed.code) == (True, 510)
    assert_all_are_told(failed, stub)


async def test_prices_of_another_symbol_are_no_answer(stub, exchange):
    ticker = {"symbol": "ETH_USDT", "lastPrice": 1, "fairPrice": 2, "indexPrice": 3}
    answering(stub, ticker=told(ticker))
    with pytest.raises(QueryFailed, match="prices of ETH_USDT"):
        await exchange.prices(BTC)


async def test_prices_are_asked_for_without_a_key(stub, exchange):
    ticker = {"symbol": "BTC_USDT", "lastPrice": 1, "fairPrice": 2, "indexPrice": 3}
    answering(stub, ticker=told(ticker))
    prices = (await exchange.prices(BTC)).value
    assert (prices.last, prices.mark, prices.index) == (1, 2, 3)
    [(request, _)] = stub.requests
    assert "ApiKey" not in request.headers


def cancel(*ids):
    return Change(change_id=ClientOrderId("ch"), kind=ChangeKind.CANCEL_TRIGGERS, exchange_ids=ids)


async def test_change_of_many_requests_says_all_that_was_gone(stub, exchange):
    answering(stub, cancel=b'{"success":false,"code":2040,"message":"order not exist"}')
    done = await exchange.change(cancel("1", "2", "3"), symbol=BTC)
    assert isinstance(done, Done)
    assert done.message == "1: order not exist; 2: order not exist; 3: order not exist"
    assert len(stub.requests) == 3
    assert_all_are_told(done, stub)


async def test_change_of_many_requests_stops_at_the_first_that_is_not_done(stub, exchange):
    replies = iter([DONE, b""])
    answering(stub, cancel=lambda _request: next(replies))
    calls = []
    unknown = await exchange.change(cancel("1", "2", "3"), symbol=BTC, before_send=calls.append)
    assert isinstance(unknown, Unknown)
    assert "2" in unknown.call.request_body
    assert len(stub.requests) == len(calls) == 2
    assert_all_are_told(unknown, stub)


async def test_slow_reply_to_a_change_is_unknown(stub, exchange, monkeypatch):
    monkeypatch.setattr(client, "ORDER_TIMEOUT_S", 0.05)
    stub.handler = stub.never
    unknown = await exchange.change(cancel("1"), symbol=BTC)
    assert isinstance(unknown, Unknown)
    assert "Timeout" in unknown.why
