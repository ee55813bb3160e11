"""What MEXC tells about a key: asked the spot side's way, and kept without key and signature."""

import hashlib
import hmac
from urllib.parse import parse_qsl

import pytest

from libs.common.contracts.causes import Cause
from services.executor.exchange import QueryFailed
from services.executor.mexc.checking import KEY_INFO, without_key
from tests.unit.mexc_calls import make_call
from tests.unit.mexc_stub import ACCESS_KEY, NOW_NS, SECRET, json_reply, opened, stub_server

SAMPLE = (
    b'{"note":"n","accessKey":"mx0vglTESTKEY0001","createTime":"2026-06-01","permissions":'
    b'"CONTRACT_ACCOUNT_READ,CONTRACT_DEAL_READ,SPOT_ACCOUNT_READ","remainingValidity":82,'
    b'"ipWhiteList":"","status":"VALID"}'
)


@pytest.fixture
async def stub():
    async with stub_server() as found:
        yield found


async def asked(stub, body, status=200):
    stub.handler = lambda *_: json_reply(body, status)
    async with opened(stub.url) as exchange:
        return await exchange.checks.key_info()


async def test_it_is_signed_in_the_query_with_the_exchanges_time(stub):
    stub.handler = lambda *_: json_reply(SAMPLE)
    async with opened(stub.url) as exchange:
        exchange._transport.clock_offset_ms = 250
        await exchange.checks.key_info()
    ((request, body),) = stub.requests
    assert (request.method, request.path, body) == ("GET", KEY_INFO, "")
    signed, _, signature = request.query_string.rpartition("&signature=")
    expected = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
    assert signature == expected
    told = dict(parse_qsl(signed))
    assert told == {"accessKey": ACCESS_KEY, "timestamp": str(NOW_NS // 1_000_000 + 250)}
    assert request.headers["X-MEXC-APIKEY"] == ACCESS_KEY
    assert "Signature" not in request.headers


async def test_what_is_kept_of_the_call_shows_neither_key_nor_signature(stub):
    told = await asked(stub, SAMPLE)
    (call,) = told.calls
    assert call.query == "accessKey=***0001"
    assert '"accessKey":"***0001"' in call.response_body
    for secret in (ACCESS_KEY, SECRET, "signature"):
        assert secret not in str(call)


async def test_a_refusal_may_echo_the_key_and_is_kept_without_it(stub):
    with pytest.raises(QueryFailed) as refused:
        await asked(stub, b'{"code":10072,"msg":"no","key":"mx0vglTESTKEY0001"}', 400)
    assert ACCESS_KEY not in str(refused.value.call)
    assert "***0001" in refused.value.call.response_body


def test_of_a_short_key_nothing_is_shown():
    assert without_key(make_call(query="accessKey=abc"), "abc").query == "accessKey=***"


@pytest.mark.parametrize(
    ("white_list", "linked"),
    [
        (b'""', ()),
        (b"null", ()),
        (b'"203.0.113.9"', ("203.0.113.9",)),
        (b'"203.0.113.9, 198.51.100.7"', ("203.0.113.9", "198.51.100.7")),
        (b'["203.0.113.9","198.51.100.7"]', ("203.0.113.9", "198.51.100.7")),
    ],
)
async def test_linked_addresses_are_read_in_each_form(stub, white_list, linked):
    body = SAMPLE.replace(b'"ipWhiteList":""', b'"ipWhiteList":' + white_list)
    told = (await asked(stub, body)).value
    assert told.linked == linked
    assert (told.days_left, told.status) == (82, "VALID")
    assert told.permissions[-1] == "SPOT_ACCOUNT_READ"


@pytest.mark.parametrize(("days", "expected"), [(b"null", None), (b'"7"', 7), (b"-1", -1)])
async def test_days_may_be_missing_or_text(stub, days, expected):
    body = SAMPLE.replace(b"82", days)
    assert (await asked(stub, body)).value.days_left == expected


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, b'{"code":10072,"msg":"Api key info invalid"}', Cause.KEY, 10072),
        (400, b'{"code":700006,"msg":"IP [192.0.2.1] not in the ip white list"}', Cause.IP, 700006),
        (400, b'{"code":700002,"msg":"Signature"}', Cause.SIGNATURE, 700002),
        (400, b'{"code":700003,"msg":"Timestamp"}', Cause.TIMESTAMP, 700003),
        (400, b'{"code":700007,"msg":"No permission"}', Cause.PERMISSION, 700007),
        (401, b'{"code":401,"msg":"No authority"}', Cause.PERMISSION, 401),
        (429, b'{"code":429,"msg":"Too Many Requests"}', Cause.RATE_LIMIT, 429),
        (400, b'{"code":"700006","msg":"as text"}', Cause.IP, 700006),
        (400, b'{"code":12345,"msg":"never heard of"}', Cause.OTHER, 12345),
        (403, b"<html>Access Denied</html>", Cause.SYSTEM, None),
        (404, b'{"detail":"no such page"}', Cause.SYSTEM, None),
        (502, b"<html>502</html>", Cause.SYSTEM, None),
        (200, b"[]", Cause.SYSTEM, None),
        (200, b'{"success":false,"code":602}', Cause.SYSTEM, None),
    ],
)
async def test_the_spot_sides_numbers_have_causes_of_their_own(stub, status, body, kind, code):
    with pytest.raises(QueryFailed) as refused:
        await asked(stub, body, status)
    assert (refused.value.kind, refused.value.code) == (kind, code)


async def test_an_exchange_that_is_away_has_not_answered():
    async with opened("http://127.0.0.1:1") as exchange:
        with pytest.raises(QueryFailed) as lost:
            await exchange.checks.key_info()
        assert lost.value.kind is Cause.SYSTEM
        assert ACCESS_KEY not in str(lost.value)


async def test_half_of_the_round_trip_has_passed_when_the_exchange_reads_its_clock(stub):
    ahead = str(NOW_NS // 1_000_000 + 500).encode()
    stub.handler = lambda *_: json_reply(b'{"success":true,"code":0,"data":' + ahead + b"}")
    async with opened(stub.url) as exchange:
        ping = (await exchange.checks.ping()).value
    assert ping.offset_ms == round(500 - ping.elapsed_ms / 2)


@pytest.mark.parametrize(("state", "word"), [(0, "enabled"), (4, "paused"), (9, "in state 9")])
async def test_a_contracts_state_is_told_in_words(stub, state, word):
    row = (
        b'{"symbol":"BTC_USDT","baseCoin":"BTC","quoteCoin":"USDT","contractSize":0.0001,'
        b'"volUnit":1,"minVol":1,"maxVol":9,"priceUnit":0.1,"maxLeverage":500,"apiAllowed":true,'
        b'"state":' + str(state).encode() + b"}"
    )
    stub.handler = lambda *_: json_reply(b'{"success":true,"code":0,"data":' + row + b"}")
    async with opened(stub.url) as exchange:
        listing = (await exchange.checks.listing("BTC_USDT")).value
        assert (listing.is_open, listing.state) == (state == 0, word)
        with pytest.raises(QueryFailed, match="about BTC_USDT"):
            await exchange.checks.listing("ETH_USDT")
