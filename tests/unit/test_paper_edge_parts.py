"""The parts of the paper exchange's WebSocket that need no connection."""

import asyncio
import random

import pytest

from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.control.faults import Fault, FaultKind
from tools.paper_exchange.control.pushes import PushDelay
from tools.paper_exchange.edge import frames
from tools.paper_exchange.edge.faulting import SocketFaults, socket_path
from tools.paper_exchange.edge.filters import EVERYTHING, NOTHING, FilterKey, read_filter
from tools.paper_exchange.edge.frames import BadFrameError, ClientFrame
from tools.paper_exchange.edge.lines import Line
from tools.paper_exchange.edge.login import LoginParam, read_login, signed_in
from tools.paper_exchange.edge.topics import Topic, is_covered, read_topic
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Key

CONTRACTS = load_catalogue().contracts
# Key, time and signature of the published example of a call without parameters.
SECRET = "0123456789abcdef0123456789abcdef"
AT_MS = 1_760_000_000_000
SIGNATURE = "382ff20a2cacbd87f2f857794ee47b108aca4714054df5dcb514a5326c168517"
KEY = Key(
    access_key="mx0vglTESTKEY0001",
    secret_key=SECRET,
    account_id=1,
    permissions=[],
    ip_whitelist=["127.0.0.1"],
    created_ms=0,
    expires_ms=AT_MS + 10_001,
)
KEYS = {KEY.access_key: KEY}


def log_in(*, peer="127.0.0.1", now_ms=AT_MS, **changes):
    fields = {"api_key": KEY.access_key, "req_time": str(AT_MS), "signature": SIGNATURE}
    return signed_in(
        KEYS, LoginParam(**(fields | changes)), peer=peer, now_ms=now_ms, told_ms=now_ms
    )


@pytest.mark.parametrize("now_ms", [AT_MS - 10_000, AT_MS, AT_MS + 10_000])
def test_the_published_signature_logs_in_within_the_window(now_ms):
    assert log_in(now_ms=now_ms) is KEY
    assert log_in(now_ms=now_ms, req_time=AT_MS) is KEY


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"api_key": "mx0nobody"}, 401),
        ({"now_ms": AT_MS + 10_001}, 402),
        ({"peer": "127.0.0.2"}, 406),
        ({"now_ms": AT_MS - 10_001}, 513),
        ({"req_time": ""}, 513),
        ({"req_time": -5}, 513),
        ({"req_time": "9" * 400}, 513),
        ({"req_time": "²"}, 513),
        ({"req_time": AT_MS + 1}, 602),
        ({"signature": SIGNATURE[:-1] + "8"}, 602),
        ({"signature": "ключ"}, 602),
        # The address is checked before the signature.
        ({"peer": "127.0.0.2", "signature": ""}, 406),
    ],
)
def test_a_wrong_login_names_what_is_wrong(changes, code):
    with pytest.raises(Refused) as caught:
        log_in(**changes)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("outside", "inside", "everything"),
    [(None, None, True), (True, True, True), (False, None, False), (None, False, False)],
)
def test_subscribe_may_stand_inside_or_outside(outside, inside, everything):
    param = {} if inside is None else {"subscribe": inside}
    frame = ClientFrame(method="login", param=param, subscribe=outside)
    assert read_login(frame)[1] is everything


def test_a_login_of_wrong_types_is_a_bad_frame():
    with pytest.raises(BadFrameError):
        read_login(ClientFrame(method="login", param={"apiKey": ["a"]}))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", '{"param":{}}', '{"method":"ping","param":[]}', "[" * 10_000]
)
def test_a_broken_frame_is_a_bad_frame(text):
    with pytest.raises(BadFrameError):
        frames.read(text)


def test_unknown_fields_of_a_frame_are_ignored():
    frame = frames.read(b'{"method":"ping","gzip":false,"id":{"a":1},"param":null}')
    assert (frame.method, frame.param) == ("ping", None)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
async def test_frames_on_the_wire_are_as_another_implementation_writes_them(length):
    from aiohttp.http_websocket import WebSocketWriter

    class Wire:
        written = b""

        def is_closing(self):
            return False

        def write(self, data):
            self.written += data

        def writelines(self, parts):
            self.written += b"".join(parts)

    class Protocol:
        async def _drain_helper(self):
            """Nothing to wait for."""

    wire = Wire()
    payload = b"x" * length
    writer = WebSocketWriter(Protocol(), wire, limit=1 << 30)
    await writer.send_frame(payload, 1)
    assert frames.on_wire(payload) == wire.written
    wire.written = b""
    await writer.close(1001)
    assert frames.closing(1001) == wire.written


def filter_of(*filters):
    return read_filter({"filters": list(filters)})


def test_a_filter_knows_kinds_and_symbols():
    narrowed = filter_of({"filter": "order", "rules": ["A"]}, {"filter": "position"})
    assert narrowed.passes(FilterKey.ORDER, "A")
    assert not narrowed.passes(FilterKey.ORDER, "B")
    assert narrowed.passes(FilterKey.POSITION, "B")
    assert not narrowed.passes(FilterKey.ASSET, None)
    assert not narrowed.passes(None, None), "what has no name cannot be asked for by name"


def test_the_same_filter_twice_is_both():
    both = filter_of({"filter": "order", "rules": ["A"]}, {"filter": "order", "rules": ["B"]})
    assert both.passes(FilterKey.ORDER, "A")
    assert both.passes(FilterKey.ORDER, "B")
    assert not both.passes(FilterKey.ORDER, "C")
    wide = filter_of({"filter": "order"}, {"filter": "order", "rules": ["B"]})
    assert wide.passes(FilterKey.ORDER, "C")


def test_rules_of_assets_mean_nothing():
    assert filter_of({"filter": "asset", "rules": ["A"]}).passes(FilterKey.ASSET, None)


def test_no_filters_are_everything_and_nothing_passes_nothing():
    assert filter_of() is EVERYTHING
    assert EVERYTHING.passes(None, None)
    assert not NOTHING.passes(FilterKey.ORDER, "A")


@pytest.mark.parametrize("param", [None, {}, {"filters": {}}, {"filters": [{"filter": "deal"}]}])
def test_a_wrong_filter_is_a_bad_frame(param):
    with pytest.raises(BadFrameError):
        read_filter(param)


def test_every_kind_that_the_venue_names_can_be_filtered():
    names = "order order.deal position plan.order stop.order stop.planorder risk.limit adl.level"
    assert {str(key) for key in FilterKey} == {*names.split(), "asset"}


def test_topics_are_told_apart_by_their_detail():
    def topic(kind, **param):
        return read_topic(kind, {"symbol": "BTC_USDT"} | param, CONTRACTS)

    assert topic("kline", interval="Min5") == Topic("kline", "BTC_USDT", "Min5")
    assert topic("depth.full") == topic("depth.full", limit=20) == topic("depth.full", limit="20")
    assert topic("depth.step", step="0.1") == topic("depth.step")
    assert topic("depth.step", step=0.1) == topic("depth.step")
    assert topic("depth.step", symbol="PEPE_USDT", step=1e-10).detail == "0.0000000001"
    assert topic("ticker", interval="Min5") == Topic("ticker", "BTC_USDT")
    assert read_topic("tickers", None, CONTRACTS) == Topic("tickers")


def test_an_unsub_covers_what_it_names():
    minute = Topic("kline", "BTC_USDT", "Min1")
    assert is_covered(minute, kind="kline", param={"symbol": "BTC_USDT"})
    assert is_covered(minute, kind="kline", param={"symbol": "BTC_USDT", "interval": "Min1"})
    assert not is_covered(minute, kind="kline", param={"symbol": "BTC_USDT", "interval": "Min5"})
    assert not is_covered(minute, kind="kline", param={"symbol": "ETH_USDT"})
    assert not is_covered(minute, kind="ticker", param={"symbol": "BTC_USDT"})
    assert not is_covered(minute, kind="kline", param=None)
    assert is_covered(Topic("tickers"), kind="tickers", param=None)


async def test_a_line_delivers_at_once_where_nothing_waits_and_keeps_the_order():
    got = []
    line = Line(got.append)
    line.put(b"1", delay_s=0)
    assert got == [b"1"]
    line.put(b"2", delay_s=0.03)
    line.put(b"3", delay_s=0)
    line.put(b"4", delay_s=0.01)
    assert got == [b"1"]
    assert line.size > 3
    while len(got) < 4:
        await asyncio.sleep(0.005)
    assert got == [b"1", b"2", b"3", b"4"]
    assert line.size == 0
    line.put(b"5", delay_s=0)
    assert got[-1] == b"5"


async def test_a_line_that_was_cleared_delivers_nothing():
    got = []
    line = Line(got.append)
    line.put(b"1", delay_s=0.01)
    line.clear()
    assert line.size == 0
    await asyncio.sleep(0.03)
    assert got == []


def test_by_default_half_of_the_pushes_are_late_by_a_few_milliseconds():
    chance = random.Random(7)
    drawn = [PushDelay().draw_s(chance) for _ in range(2000)]
    late = [delay for delay in drawn if delay]
    assert 900 < len(late) < 1100
    assert min(late) >= 0.001
    assert max(late) <= 0.005


def test_a_delay_is_a_number_or_a_range():
    chance = random.Random(7)
    assert PushDelay(delay_ms=20).draw_s(chance) == 0.02
    assert PushDelay(delay_ms=0).draw_s(chance) == 0
    drawn = [PushDelay(delay_ms=(10, 20)).draw_s(chance) for _ in range(100)]
    assert 0.01 <= min(drawn) < 0.012
    assert 0.018 < max(drawn) <= 0.02


def faults(*kept, now_ms=0.0):
    made = SocketFaults(random.Random(7))
    made.replace(list(kept), now_ms=now_ms)
    return made


def gap(**fields):
    return Fault(**({"path": "/edge", "kind": FaultKind.WS_GAP} | fields))


def test_a_gap_is_used_up_by_count_or_by_time():
    counted = faults(gap(count=2))
    assert [counted.loses_push("/edge", now_ms=0) for _ in range(3)] == [True, True, False]
    timed = faults(gap(ms=50), now_ms=1000)
    seen = [timed.loses_push("/edge", now_ms=now) for now in (1000, 1049.9, 1050)]
    assert seen == [True, True, False]
    endless = faults(gap(count=None))
    assert all(endless.loses_push("/edge", now_ms=0) for _ in range(10))


def test_faults_reach_the_sockets_below_their_path():
    assert socket_path(None) == "/edge"
    mine = faults(gap(path="/edge/mine", count=None))
    assert mine.loses_push(socket_path("mine"), now_ms=0)
    assert not mine.loses_push(socket_path("other"), now_ms=0)
    assert not mine.loses_push(socket_path(None), now_ms=0)
    assert not mine.refuses(socket_path("mine"), now_ms=0), "each kind is for itself"


def test_a_fault_of_some_probability_befalls_some():
    some = faults(gap(count=None, probability=0.3))
    lost = sum(some.loses_push("/edge", now_ms=0) for _ in range(1000))
    assert 250 < lost < 350


@pytest.mark.parametrize("path", ["/", "/edges", "/api/v1/private"])
def test_socket_faults_take_no_other_path(path):
    with pytest.raises(ValueError, match="/edge"):
        gap(path=path)
