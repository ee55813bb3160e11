"""The client on a real socket: what leaves, when, and what each way of failing is called."""

import socket

import pytest
from aiohttp import web
from opentelemetry import trace
from structlog.testing import capture_logs

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import ClientOrderId, PositionMode, VenueSymbol
from libs.common.secret import Secret
from services.executor.exchange import (
    Accepted,
    Failed,
    Found,
    NotSent,
    QueryFailed,
    Rejected,
    Unknown,
)
from services.executor.mexc import asking, transport
from services.executor.mexc import client as client_module
from services.executor.mexc.signing import sign
from tests.factories import make_leg
from tests.recorded import FOLDER, reply
from tests.recorded_spans import Recording
from tests.unit.mexc_stub import ACCESS_KEY, NOW_NS, SECRET, json_reply, opened, stub_server

BTC = VenueSymbol("BTC_USDT")
OID = ClientOrderId("0Fx9K2LmNpQrStUvWxYzAbC1xol000")
LEG = make_leg(client_order_id=OID)


@pytest.fixture
async def stub():
    async with stub_server() as stub:
        yield stub


@pytest.fixture
async def exchange(stub):
    async with opened(stub.url) as client:
        yield client


def signature_of(payload, time_ms=1_760_000_000_000):
    return sign(
        access_key=ACCESS_KEY, secret=Secret(SECRET), request_time_ms=time_ms, payload=payload
    )


async def test_order_leaves_signed_over_the_very_body(stub, exchange):
    submitted = await exchange.submit(LEG, symbol=BTC)
    assert isinstance(submitted, Accepted)
    [(request, body)] = stub.requests
    assert (request.method, request.path) == ("POST", "/api/v1/private/order/create")
    assert request.headers["ApiKey"] == ACCESS_KEY
    assert request.headers["Request-Time"] == "1760000000000"
    assert request.headers["Signature"] == signature_of(body)
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Language"] == "English"
    assert "Recv-Window" not in request.headers


async def test_call_holds_both_bodies_and_no_secret(stub, exchange):
    submitted = await exchange.submit(LEG, symbol=BTC)
    call = submitted.call
    assert call.request_body == stub.requests[0][1]
    assert call.response_body.encode() == reply("order_created")
    assert call.http_status == 200
    assert call.sent_at.isoformat() == "2025-10-09T08:53:20+00:00"
    assert call.elapsed_ms > 0
    shown = repr(submitted) + repr(exchange.__dict__)
    signature = stub.requests[0][0].headers["Signature"]
    assert not any(word in shown for word in (ACCESS_KEY, SECRET, signature))


async def test_query_is_signed_as_it_is_sent(stub, exchange):
    stub.handler = lambda request, body: json_reply(reply("open_positions"))
    await exchange.holdings(VenueSymbol("BTC_USDT,ETH"))
    [(request, _)] = stub.requests
    assert request.raw_path.partition("?")[2] == "symbol=BTC_USDT%2CETH"
    assert request.headers["Signature"] == signature_of("symbol=BTC_USDT%2CETH")


async def test_holdings_are_of_the_symbol_alone(stub, exchange):
    stub.handler = lambda request, body: json_reply(reply("open_positions"))
    held = await exchange.holdings(BTC)
    assert [holding.contracts for holding in held.holdings] == [5]
    assert held.calls[0].query == "symbol=BTC_USDT"
    assert (await exchange.holdings(VenueSymbol("ETH_USDT"))).holdings == ()


async def test_closed_positions_are_no_holdings(stub, exchange):
    stub.handler = lambda request, body: json_reply(reply("history_positions"))
    assert (await exchange.holdings(BTC)).holdings == ()


async def test_unreadable_position_fails_the_question(stub, exchange):
    stub.handler = lambda request, body: json_reply(
        reply("open_positions").replace(b'"positionType": 1', b'"positionType": 8')
    )
    with pytest.raises(QueryFailed, match="position type 8") as caught:
        await exchange.holdings(BTC)
    assert caught.value.retryable


async def test_order_is_asked_for_by_symbol_and_client_id(stub, exchange):
    stub.handler = lambda request, body: json_reply(reply("order_filled"))
    found = await exchange.order(BTC, ClientOrderId("_m_903a9f81cc1148be99ac9ece15981374"))
    assert isinstance(found, Found)
    [(request, _)] = stub.requests
    assert request.raw_path == (
        "/api/v1/private/order/external/BTC_USDT/_m_903a9f81cc1148be99ac9ece15981374"
    )
    assert request.headers["Signature"] == signature_of("")


async def test_check_runs_after_the_time_is_taken_and_before_anything_leaves(stub):
    events = []

    def clock():
        events.append("time")
        return NOW_NS

    def check(_call):
        events.append("check")
        assert stub.requests == []

    async with opened(stub.url, clock) as client:
        await client.submit(LEG, symbol=BTC, before_send=check)
    assert events == ["time", "check"]
    assert len(stub.requests) == 1


async def test_failing_check_keeps_the_order_back(stub, exchange):
    class NotOursError(Exception):
        pass

    def check(_call):
        raise NotOursError

    with pytest.raises(NotOursError):
        await exchange.submit(LEG, symbol=BTC, before_send=check)
    assert stub.requests == []


async def test_synced_clock_is_used_by_every_later_request(stub, exchange):
    stub.handler = lambda request, body: json_reply(
        b'{"success":true,"code":0,"data":1760000002500}'
    )
    assert await exchange.sync_clock() == 2500
    await exchange.order(BTC, OID)
    ping, order = (request for request, _ in stub.requests)
    assert "ApiKey" not in ping.headers
    assert order.headers["Request-Time"] == "1760000002500"
    assert order.headers["Signature"] == signature_of("", 1_760_000_002_500)


async def test_server_time(stub, exchange):
    stub.handler = lambda request, body: json_reply(reply("ping"))
    assert await exchange.server_time_ms() == 1761875313209


async def test_position_mode(stub, exchange):
    stub.handler = lambda request, body: json_reply(reply("position_mode"))
    assert await exchange.position_mode() is PositionMode.HEDGE


async def test_instruments_without_the_rows_that_make_no_sense(stub, exchange):
    detail = (FOLDER / "contract_detail.json").read_bytes()
    broken = detail.replace(b'"contractSize": 10000000,', b'"contractSize": 0,')
    stub.handler = lambda request, body: json_reply(broken)
    with capture_logs() as lines:
        instruments = await exchange.instruments()
    assert [instrument.symbol for instrument in instruments] == [
        "BTC_USDT",
        "1000BONK_USDT",
        "EMBER_USDT",
    ]
    [line] = lines
    assert line["event"] == "instrument.skipped"
    assert "contract_size must be positive" in line["why"]
    assert "PEPE_USDT" in line["row"]


async def test_business_error(stub, exchange):
    stub.handler = lambda request, body: json_reply(reply("order_quantity_error"))
    submitted = await exchange.submit(LEG, symbol=BTC)
    assert isinstance(submitted, Rejected)
    assert (submitted.code, submitted.kind) == (2011, Cause.QUANTITY)


@pytest.mark.parametrize("status", [403, 502, 504])
async def test_page_of_a_gateway(stub, exchange, status):
    page = web.Response(text="<html>denied</html>", status=status, content_type="text/html")
    stub.handler = lambda request, body: page
    submitted = await exchange.submit(LEG, symbol=BTC)
    assert isinstance(submitted, Unknown)
    assert submitted.call.http_status == status
    assert submitted.call.response_body == "<html>denied</html>"


async def test_redirect_is_not_followed(stub, exchange):
    stub.handler = lambda request, body: web.Response(status=307, headers={"Location": "/x"})
    assert isinstance(await exchange.submit(LEG, symbol=BTC), Unknown)
    assert len(stub.requests) == 1


def hang_up(request, _body):
    request.transport.abort()
    return web.Response()


async def test_connection_lost_without_a_reply_is_unknown_and_never_sent_again(stub, exchange):
    await exchange.submit(LEG, symbol=BTC)
    stub.handler = hang_up
    submitted = await exchange.submit(LEG, symbol=BTC)
    assert isinstance(submitted, Unknown)
    assert submitted.call.http_status is None
    assert submitted.call.error
    assert len(stub.requests) == 2


async def test_slow_reply_is_unknown(stub, exchange, monkeypatch):
    monkeypatch.setattr(client_module, "ORDER_TIMEOUT_S", 0.05)
    stub.handler = stub.never
    submitted = await exchange.submit(LEG, symbol=BTC)
    assert isinstance(submitted, Unknown)
    assert "Timeout" in submitted.why


async def test_slow_query_failed(stub, exchange, monkeypatch):
    monkeypatch.setattr(asking, "QUERY_TIMEOUT_S", 0.05)
    stub.handler = stub.never
    query = await exchange.order(BTC, OID)
    assert isinstance(query, Failed)
    assert query.retryable
    assert query.code is None


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_refused_connection_is_not_sent():
    async with opened(f"http://127.0.0.1:{closed_port()}") as client:
        submitted = await client.submit(LEG, symbol=BTC)
    assert isinstance(submitted, NotSent)
    assert submitted.call.error.startswith("ClientConnectorError")


async def test_connection_that_never_comes_about_is_not_sent(monkeypatch):
    """A listener that never says a word of TLS."""
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT_S", 0.1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        async with opened(f"https://127.0.0.1:{listener.getsockname()[1]}") as client:
            submitted = await client.submit(LEG, symbol=BTC)
    assert isinstance(submitted, NotSent)
    assert submitted.call.error.startswith("ConnectionTimeoutError")


async def test_reply_is_kept_up_to_its_limit(stub, exchange):
    stub.handler = lambda request, body: json_reply(b" " * 100_000 + reply("order_created"))
    submitted = await exchange.submit(LEG, symbol=BTC)
    assert isinstance(submitted, Accepted)
    assert len(submitted.call.response_body) == transport.KEPT_BODY_BYTES


async def test_connection_is_kept(stub, exchange):
    ports = set()

    def remember(request, body):
        ports.add(request.transport.get_extra_info("peername")[1])
        return json_reply(reply("order_created"))

    stub.handler = remember
    for _ in range(3):
        await exchange.submit(LEG, symbol=BTC)
    assert len(ports) == 1


async def test_span_groups_by_template_and_holds_no_id(stub, exchange, spans):
    stub.handler = lambda request, body: json_reply(reply("order_unknown"))
    await exchange.order(BTC, OID)
    [span] = spans.get_finished_spans()
    assert span.name == "GET /api/v1/private/order/external/{symbol}/{externalOid}"
    assert span.kind is trace.SpanKind.CLIENT
    assert span.attributes["http.response.status_code"] == 200


@pytest.fixture
def spans(monkeypatch):
    return Recording(monkeypatch).exporter
