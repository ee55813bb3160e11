"""MEXC's private pushes: login, signs of life, what is read, and what ends the connection."""

import asyncio
import contextlib
import gzip
import json

import pytest
from aiohttp import WSMsgType, web
from structlog.testing import capture_logs

from libs.common.contracts.words import PositionMode, PositionSide
from libs.common.secret import Secret
from services.executor.exchange import OrderState
from services.executor.mexc import signing, stream
from services.executor.mexc.stream import MexcFeed, Patience
from services.executor.pushes import FeedLost, OrderPushed, PositionModePushed, PositionPushed
from tests.factories import D
from tests.recorded import push as recorded_push
from tests.recorded import recorded

KEY, SECRET = "mx0vglTESTKEY0001", "0123456789abcdef0123456789abcdef"
LOGGED_IN = {"channel": "rs.login", "data": "success", "ts": "1760000000000"}
ORDER = {
    "orderId": 739113577038255616,
    "symbol": "BTC_USDT",
    "state": 3,
    "dealVol": 10,
    "dealAvgPrice": 50000.5,
    "externalOid": "ours",
    "errorCode": 0,
    "takerFee": 0.04,
    "feeCurrency": "USDT",
    "remainVol": 0,
}
READ = {"order_partly_filled", "order_filled", "position", "position_closed", "position_mode"}
POSITION = {
    "positionId": 1109973831,
    "symbol": "BTC_USDT",
    "positionType": 2,
    "openType": 2,
    "state": 1,
    "holdVol": 10,
    "frozenVol": 4,
    "holdAvgPrice": 50000,
    "leverage": 10,
    "version": 7,
}


def push(channel, data):
    return {"channel": f"push.personal.{channel}", "data": data, "ts": 1_760_000_000_000}


class Venue:
    """Says what a test wants said, behind the answer to the login."""

    def __init__(self):
        self.heard = []
        self.login = LOGGED_IN
        self.frames = []
        self.answers_pings = True
        self.hangs_up = False
        self.talks_on = False
        self.upgrades = asyncio.Event()
        self.upgrades.set()
        self.closed = asyncio.Event()

    async def serve(self, request):
        await self.upgrades.wait()
        socket = web.WebSocketResponse(autoclose=False)
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            said = json.loads(message.data)
            self.heard.append(said)
            if said["method"] == "login":
                await socket.send_json(self.login)
                for frame in self.frames:
                    await self._say(socket, frame)
                if self.hangs_up:
                    await socket.close()
            elif self.answers_pings:
                for _ in range(2):
                    await socket.send_json({"channel": "pong", "data": 1})
        with contextlib.suppress(ConnectionError):
            while self.talks_on:
                await socket.send_json({"channel": "pong", "data": 1})
                await asyncio.sleep(0)
        self.closed.set()
        return socket

    async def _say(self, socket, frame):
        if isinstance(frame, bytes):
            await socket.send_bytes(frame)
        else:
            await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))


@pytest.fixture
def venue():
    return Venue()


@pytest.fixture
async def feed(venue):
    app = web.Application()
    app.router.add_get("/edge", venue.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield MexcFeed(
        url=f"ws://127.0.0.1:{runner.addresses[0][1]}/edge",
        access_key=KEY,
        secret=Secret(SECRET),
        clock_offset_ms=lambda: 0,
        patience=Patience(ping_s=0.02, silence_s=0.2, login_s=1),
    )
    await runner.cleanup()


async def told(feed, venue, *frames):
    """What those frames are read as; then the venue hangs up."""
    venue.frames, venue.hangs_up = frames, True
    opened, pushes = [], []
    with pytest.raises(FeedLost, match="has ended"):
        await feed.listen(on_open=lambda: opened.append(True), on_push=pushes.append)
    assert opened == [True]
    return pushes


async def lost(feed):
    with pytest.raises(FeedLost) as raised:
        await feed.listen(on_open=lambda: None, on_push=lambda _push: None)
    return raised.value


async def test_the_login_is_signed_as_documented(feed, venue, monkeypatch):
    monkeypatch.setattr(stream.time, "time_ns", lambda: 1_760_000_000_000 * 1_000_000)
    await told(feed, venue)
    assert venue.heard[0] == {
        "method": "login",
        "param": {
            "apiKey": KEY,
            "reqTime": "1760000000000",
            "signature": "382ff20a2cacbd87f2f857794ee47b108aca4714054df5dcb514a5326c168517",
        },
    }


async def test_the_login_is_in_the_exchanges_time(feed, venue, monkeypatch):
    monkeypatch.setattr(stream.time, "time_ns", lambda: 1_760_000_000_000 * 1_000_000)
    feed._clock_offset_ms = lambda: -25_000
    await told(feed, venue)
    assert venue.heard[0]["param"]["reqTime"] == "1759999975000"


async def test_a_refused_login_is_told_in_the_exchanges_words(feed, venue):
    venue.login = {"channel": "rs.error", "data": "Confirming signature failed"}
    failure = await lost(feed)
    assert failure.refused
    assert "Confirming signature failed" in str(failure)
    for secret in (SECRET, venue.heard[0]["param"]["signature"]):
        assert secret not in str(failure)


async def test_a_login_that_is_not_answered(feed, venue):
    venue.login = {"channel": "pong", "data": 1}
    feed._patience = Patience(login_s=0.05)
    assert not (await lost(feed)).refused


async def test_an_order(feed, venue):
    [order] = await told(feed, venue, push("order", ORDER))
    assert isinstance(order, OrderPushed)
    assert (order.symbol, order.client_order_id) == ("BTC_USDT", "ours")
    assert order.found.state is OrderState.FILLED
    assert order.found.exchange_order_id == "739113577038255616"
    assert str(order.found.average_price) == "50000.5"
    assert order.found.call.method == "PUSH"
    assert json.loads(order.found.call.response_body) == push("order", ORDER)


async def test_an_order_that_is_not_ours(feed, venue):
    [order] = await told(feed, venue, push("order", ORDER | {"externalOid": "", "orderId": "12"}))
    assert order.client_order_id is None
    assert order.found.exchange_order_id == "12"


@pytest.mark.parametrize("code", [22, 23])
async def test_the_end_of_a_duplicate_is_not_the_end_of_the_first(feed, venue, code):
    assert await told(feed, venue, push("order", ORDER | {"state": 5, "errorCode": code})) == []


async def test_a_position(feed, venue):
    [position] = await told(feed, venue, push("position", POSITION))
    assert isinstance(position, PositionPushed)
    assert (position.symbol, position.side) == ("BTC_USDT", PositionSide.SHORT)
    assert (position.position_id, position.version) == ("1109973831", 7)
    assert (position.holding.contracts, position.holding.free_contracts) == (10, 6)


@pytest.mark.parametrize("closed", [{"holdVol": 0}, {"state": 3, "holdVol": 0}, {"state": 3}])
async def test_a_position_that_was_closed(feed, venue, closed):
    [position] = await told(feed, venue, push("position", POSITION | closed))
    assert position.holding is None
    assert position.position_id == "1109973831"


async def test_a_position_mode(feed, venue):
    [mode] = await told(feed, venue, push("position.mode", {"positionMode": 2}))
    assert mode == PositionModePushed(mode=PositionMode.ONE_WAY)


async def test_pushes_keep_their_order_and_others_are_passed_over(feed, venue):
    pushes = await told(
        feed,
        venue,
        push("order.deal", {"whatever": 1}),
        push("order", ORDER | {"externalOid": "first"}),
        push("asset", {"currency": "USDT"}),
        {"channel": "rs.error", "data": "Unknown method"},
        push("order", ORDER | {"externalOid": "second"}),
        {"channel": "push.something.new"},
    )
    assert [each.client_order_id for each in pushes] == ["first", "second"]


async def test_a_packed_frame(feed, venue):
    packed = gzip.compress(json.dumps(push("order", ORDER)).encode())
    assert len(await told(feed, venue, packed, json.dumps(push("order", ORDER)).encode())) == 2


@pytest.mark.parametrize(
    "frame",
    [
        "no json",
        "[]",
        b"\x1f\x8bno gzip",
        b"\x1f\x8b\x08" + bytes(7) + b"\xff\xff",
        '{"channel":"a","data":' + "[" * 50_000 + "]" * 50_000 + "}",
        b"\xff\xfe",
        push("order", {"symbol": "BTC_USDT"}),
        push("order", ORDER | {"state": 9}),
        push("order", ORDER | {"dealVol": "NaN"}),
        push("position", POSITION | {"positionType": 3}),
        push("position.mode", {"positionMode": 7}),
    ],
)
async def test_what_cannot_be_read_ends_the_connection(feed, venue, frame):
    """It may have said what nobody says again."""
    venue.frames = [frame]
    assert "cannot be" in str(await lost(feed))


async def test_a_small_frame_with_much_inside_ends_the_connection(feed, venue):
    venue.frames = [gzip.compress(b" " * 8_000_000)]
    assert "more than" in str(await lost(feed))


async def test_silence_ends_the_connection(feed, venue):
    venue.answers_pings = False
    assert "nothing was heard" in str(await lost(feed))
    assert {said["method"] for said in venue.heard} == {"login", "ping"}


async def test_signs_of_life_keep_it_open(feed, venue):
    opened = asyncio.Event()
    listening = asyncio.create_task(feed.listen(on_open=opened.set, on_push=lambda _push: None))
    await opened.wait()
    first = feed.heard_at
    async with asyncio.timeout(5):
        while feed.heard_at - first < 3 * feed._patience.silence_s:
            await asyncio.sleep(0.01)
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    async with asyncio.timeout(5):
        await venue.closed.wait()


async def test_nobody_there(feed):
    feed._url = "ws://127.0.0.1:1/edge"
    assert "127.0.0.1" in str(await lost(feed))


async def test_a_server_that_takes_the_connection_and_says_nothing(feed, venue):
    venue.upgrades.clear()
    feed._patience = Patience(login_s=0.1)
    failure = await lost(feed)
    assert "no answer to the login" in str(failure)
    assert not failure.refused
    venue.upgrades.set()


async def test_a_login_that_was_answered_with_anything_but_success(feed, venue):
    """It would look alive, and push nothing."""
    venue.login = {"channel": "rs.login", "data": "fail"}
    failure = await lost(feed)
    assert failure.refused
    assert "fail" in str(failure)


async def test_a_lost_connection_was_not_heard(feed, venue):
    """Whoever trusts what was heard a moment ago must not wait for the goodbye."""
    heard = []
    venue.frames, venue.hangs_up = [push("order", ORDER)], True
    with pytest.raises(FeedLost):
        await feed.listen(
            on_open=lambda: heard.append(feed.heard_at),
            on_push=lambda _push: heard.append(feed.heard_at),
        )
    assert len(heard) == 2
    assert float("-inf") < heard[0] <= heard[1]
    assert feed.heard_at == float("-inf")


async def test_a_server_that_talks_on_is_left_all_the_same(feed, venue, monkeypatch):
    monkeypatch.setattr(stream, "_CLOSING_S", 0.1)
    venue.frames, venue.talks_on = ["no json"], True
    assert "cannot be read" in str(await lost(feed))
    venue.talks_on = False


async def test_cancelled_while_it_waits_for_the_login(feed, venue):
    venue.login = {"channel": "pong", "data": 1}
    listening = asyncio.create_task(feed.listen(on_open=venue.closed.set, on_push=print))
    async with asyncio.timeout(5):
        while not venue.heard:
            await asyncio.sleep(0.005)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening


async def test_what_could_not_be_read_is_kept_in_the_log(feed, venue):
    venue.frames = [push("position.mode", {"positionMode": 7})]
    with capture_logs() as lines:
        await lost(feed)
    [line] = [each for each in lines if each["event"] == "stream.unreadable"]
    assert line["channel"] == "push.personal.position.mode"
    assert line["said"] == '{"positionMode": 7}'


class TestPublished:
    """Frames as MEXC documents them, and as others have seen them."""

    async def told(self, feed, venue, name):
        return await told(feed, venue, recorded_push(name).decode())

    async def test_an_order_that_is_partly_filled(self, feed, venue):
        [order] = await self.told(feed, venue, "order_partly_filled")
        assert (order.symbol, order.client_order_id) == ("BTC_USDT", "ext_001")
        found = order.found
        assert (found.state, found.exchange_order_id) == (OrderState.OPEN, "123456789")
        assert (found.filled_contracts, found.average_price) == (5, 45_000)
        assert (found.fee, found.fee_currency) == (D("0.2025"), "USDT")

    async def test_an_order_that_is_filled(self, feed, venue):
        [order] = await self.told(feed, venue, "order_filled")
        found = order.found
        assert (found.state, found.exchange_order_id) == (OrderState.FILLED, "102067003631907840")
        assert (found.filled_contracts, found.average_price) == (1, D("0.731"))
        assert (found.fee, found.profit) == (D("0.00004386"), D("-0.0005"))
        assert found.call.path == "push.personal.order"
        assert found.call.response_body == recorded_push("order_filled").decode()

    async def test_a_position(self, feed, venue):
        [position] = await self.told(feed, venue, "position")
        assert (position.symbol, position.side) == ("BTC_USDT", PositionSide.LONG)
        assert (position.position_id, position.version) == ("123456789", 1)
        assert position.holding.contracts == 10
        assert position.holding.average_price == D("45000.5")

    async def test_a_closed_position_without_a_version(self, feed, venue):
        [position] = await self.told(feed, venue, "position_closed")
        assert (position.holding, position.version) == (None, None)
        assert position.position_id == "1397818"

    async def test_a_position_mode(self, feed, venue):
        [mode] = await self.told(feed, venue, "position_mode")
        assert mode.mode is PositionMode.ONE_WAY

    @pytest.mark.parametrize("name", ["login", "login_ts_as_text"])
    async def test_an_answered_login(self, feed, venue, name):
        venue.login = recorded("mexc_pushes")[name]
        assert await told(feed, venue) == []

    @pytest.mark.parametrize(
        "name", sorted(set(recorded("mexc_pushes")) - {"login", "login_ts_as_text"} - READ)
    )
    async def test_what_tells_nothing_that_is_used(self, feed, venue, name):
        assert await self.told(feed, venue, name) == []


def test_the_vector_is_the_documents():
    payload = signing.sign(
        access_key=KEY, secret=Secret(SECRET), request_time_ms=1_760_000_000_000, payload=""
    )
    assert payload.startswith("382ff20a")
