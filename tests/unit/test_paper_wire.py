"""The paper exchange's edges: signatures, numbers, faults, limits, records, catalogue, settings."""

import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from libs.common.settings import SettingsError, from_env
from tests.paper_client import sign
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.control.faults import Fault, FaultKind, Faults
from tools.paper_exchange.control.recording import Record, Requests
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Key
from tools.paper_exchange.numbers import number, plain
from tools.paper_exchange.rest.authentication import authenticate
from tools.paper_exchange.rest.bodies import order_body, order_ids
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.errors import message_of
from tools.paper_exchange.rest.limits import Limits, LimitsChange, Rule
from tools.paper_exchange.settings import PaperExchangeSettings

ACCESS, SECRET = "mx0vglTESTKEY0001", "0123456789abcdef0123456789abcdef"
TIME = 1_760_000_000_000
ORDER = (
    '{"symbol":"BTC_USDT","price":50000.5,"vol":3,"leverage":10,"side":1,"type":1,"openType":1,'
    '"positionMode":2,"externalOid":"bot-0001"}'
)
VECTORS = [
    (
        "GET",
        "page_num=1&page_size=20&symbol=BTC_USDT",
        "328e50bf3bed9eaccac34984bd1f8e5d81172f12492dced099d9a569387166c9",
    ),
    ("POST", ORDER, "576f90d7999adfad1938d26eb1b06ee99e66ebe2427490ac1b59f99381ae9630"),
    (
        "GET",
        "order_ids=1%2C2%2C3",
        "e0c0a1aecfb123190c52f833160592036de0c9ade4fa4f5991c93dc72bcf9edb",
    ),
    (
        "GET",
        "order_ids=1,2,3",
        "956c4cfb75025c7e0b2923043638adb65033f5af694c857a33a3400107419f64",
    ),
    ("GET", "", "382ff20a2cacbd87f2f857794ee47b108aca4714054df5dcb514a5326c168517"),
    (
        "POST",
        "[101716841474621953]",
        "fd213ed4caf7a7985ffd2822e66a92b38a4d4c9e0b4047c7d4a584f6329e4a54",
    ),
]


def make_key(**changes):
    fields: dict[str, Any] = {
        "access_key": ACCESS,
        "secret_key": SECRET,
        "account_id": 1,
        "permissions": [],
        "ip_whitelist": [],
        "created_ms": 0,
        "expires_ms": None,
    }
    return Key(**(fields | changes))


def make_call(*, method="GET", payload="", signature, peer="127.0.0.1", now=TIME, **headers):
    return Call(
        method=method,
        path="/",
        raw_query=payload if method == "GET" else "",
        body=payload.encode() if method == "POST" else b"",
        headers={"ApiKey": ACCESS, "Request-Time": str(TIME), "Signature": signature} | headers,
        peer=peer,
        now_ms=now,
        told_ms=now,
    )


def code_of(call, key=None):
    try:
        authenticate({ACCESS: key or make_key()}, call)
    except Refused as refused:
        return refused.code
    return 0


@pytest.mark.parametrize(("method", "payload", "signature"), VECTORS)
def test_published_vectors(method, payload, signature):
    call = make_call(method=method, payload=payload, signature=signature)
    assert code_of(call) == 0
    assert sign(ACCESS, SECRET, request_time=str(TIME), payload=payload) == signature


def test_a_query_is_signed_sorted_and_may_be_signed_decoded():
    sorted_signature, raw_comma = VECTORS[0][2], VECTORS[3][2]
    unsorted = "symbol=BTC_USDT&page_size=20&page_num=1"
    assert code_of(make_call(payload=unsorted, signature=sorted_signature)) == 0
    assert code_of(make_call(payload="order_ids=1%2C2%2C3", signature=raw_comma)) == 0
    wrong = sign(ACCESS, SECRET, request_time=str(TIME), payload=unsorted)
    assert code_of(make_call(payload=unsorted, signature=wrong)) == 602


def test_checks_of_the_caller_come_in_order():
    """Key, expiry, address, time, signature: each call below also fails all that come later."""
    wrong = make_call(signature="nonsense", peer="10.0.0.9", now=TIME + 10_001)
    here, old = {"ip_whitelist": ["127.0.0.1"]}, {"expires_ms": TIME}
    assert code_of(make_call(signature="", ApiKey="unknown")) == 401
    assert code_of(wrong, make_key(**here, **old)) == 402
    assert code_of(wrong, make_key(**here)) == 406
    assert code_of(wrong) == 513
    assert code_of(make_call(signature="nonsense", now=TIME + 10_000)) == 602


@pytest.mark.parametrize(
    ("window", "late_ms", "code"),
    [
        ("", 10_000, 602),
        ("", 10_001, 513),
        ("5", 5_000, 602),
        ("5", 5_001, 513),
        ("60", 60_000, 602),
        ("20000", 20_000, 602),
        ("20000", 20_001, 513),
        ("90000", 60_001, 513),
        ("soon", 0, 513),
    ],
)
@pytest.mark.parametrize("sign_of_late", [1, -1])
def test_receive_window(window, late_ms, code, sign_of_late):
    """A number up to 60 is seconds, above it milliseconds; never more than a minute."""
    now = TIME + sign_of_late * late_ms
    headers = {"Recv-Window": window} if window else {}
    assert code_of(make_call(signature="nonsense", now=now, **headers)) == code


@pytest.mark.parametrize("time", ["", "abc", "-5", "9" * 5000, "²"])
def test_a_request_time_that_is_none(time):
    assert code_of(make_call(signature="x", **{"Request-Time": time})) == 513


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E-10", "0.0000000001"),
        ("1E+3", "1000"),
        ("50000.500", "50000.5"),
        ("-0.00", "0"),
        ("100", "100"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
    ],
)
def test_numbers_go_out_plain(value, text):
    assert plain(Decimal(value)) == text
    assert msgspec.json.encode([number(Decimal(value))]) == f"[{text}]".encode()


@pytest.mark.parametrize("vol", ["3", '"3"', "3.0", '"3.00"'])
def test_numbers_and_numeric_strings_are_read_alike(vol):
    raw = f'{{"symbol":"X","vol":{vol},"side":"1","type":5,"openType":"2","price":"0.1"}}'
    body = order_body(raw.encode())
    assert [body.side, body.open_type] == [1, 2]
    assert [body.vol, body.price] == [Decimal(3), Decimal("0.1")]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ('{"symbol":"X","vol":"NaN","side":1,"type":5,"openType":2}', 600),
        ('{"symbol":"X","vol":"Infinity","side":1,"type":5,"openType":2}', 600),
        ('{"symbol":"X","vol":1e400,"side":1,"type":5,"openType":2}', 600),
        ('{"symbol":"X","vol":1,"side":1,"type":5,"openType":2,"price":"1e-400"}', 600),
        ('{"symbol":"X","vol":1,"side":1,"type":5,"openType":2,"stopLossPrice":-1}', 2007),
        ('{"symbol":"X","side":1,"type":5,"openType":2}', 600),
        ('{"symbol":"X","vol":"many","side":1,"type":5,"openType":2}', 600),
        ("[1]", 600),
        ("{", 601),
        ("", 601),
    ],
)
def test_bodies_that_are_refused(raw, code):
    with pytest.raises(Refused) as caught:
        order_body(raw.encode()).attached()
    assert caught.value.code == code


def test_both_forms_of_a_cancel_body():
    assert order_ids(b'[101716841474621953,"5"]') == [101716841474621953, 5]
    assert order_ids(b' {"orderIds":["101716841474621953"]}') == [101716841474621953]
    with pytest.raises(Refused):
        order_ids(str(list(range(51))).encode())


def test_faults_are_used_up_by_the_calls_they_befall():
    faults = Faults(random.Random(1))
    first = Fault(path="/a", kind=FaultKind.LOSE_REPLY)
    second = Fault(path="/a", kind=FaultKind.CODE, code=510, count=2)
    hiding = Fault(path="/a", kind=FaultKind.HIDE_ORDER, ms=5)
    faults.replace([first, second, hiding])
    assert faults.draw("/other").call is None
    assert faults.draw("/ab").call is None
    drawn = faults.draw("/a")
    assert (drawn.call, drawn.hiding, drawn.order) == (first, hiding, None)
    assert [faults.draw("/a/below").call for _ in range(3)] == [second, second, None]


def test_probability_of_a_fault():
    faults = Faults(random.Random(1))
    faults.replace([Fault(path="/a", kind=FaultKind.HANG, count=None, probability=0.25)])
    befallen = sum(faults.draw("/a").call is not None for _ in range(1000))
    assert 200 < befallen < 300


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "a", "kind": "hang"},
        {"path": "/a", "kind": "code"},
        {"path": "/a", "kind": "delay_before"},
        {"path": "/a", "kind": "hang", "count": 0},
        {"path": "/a", "kind": "hang", "probability": 1.5},
        {"path": "/a", "kind": "hang", "ms": -1},
        {"path": "/a", "kind": "hang", "typo": 1},
        {"path": "/a", "kind": "unheard_of"},
    ],
)
def test_faults_that_make_no_sense(fault):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fault, Fault)


def test_four_orders_in_any_two_seconds_and_refused_ones_do_not_count():
    limits = Limits()
    times = [0, 500, 1000, 1500, 1999, 2000, 2001, 2500]
    codes = {}
    for now in times:
        try:
            limits.admit(Rule.ORDER_CREATE, access_key="a", now_ms=now)
            codes[now] = 0
        except Refused as refused:
            codes[now] = refused.code
    assert list(codes.values()) == [0, 0, 0, 0, 510, 0, 510, 0]
    limits.admit(Rule.ORDER_CREATE, access_key="another", now_ms=2500)
    limits.change(LimitsChange(order_create_per_2s=None))
    for _ in range(100):
        limits.admit(Rule.ORDER_CREATE, access_key="a", now_ms=2500)


def test_the_record_is_bounded_per_path():
    requests = Requests()
    for number_ in range(100_001):
        requests.note(
            Record(path="/p", method="POST", received_ns=number_, raw=b"1", access_key="k"),
            pattern="/p",
        )
    shown = requests.of("/p")
    assert (len(shown), shown[0]["received_ns"]) == (100_000, 1)
    assert requests.of("/q") == []


def test_the_catalogue_holds_the_real_rows_and_four_made_ones():
    catalogue = load_catalogue()
    assert set(catalogue.rows) == set(catalogue.starting_prices) == set(catalogue.funding_rates)
    sizes = {
        symbol: str(contract.contract_size) for symbol, contract in catalogue.contracts.items()
    }
    assert sizes == {
        "BTC_USDT": "0.0001",
        "PEPE_USDT": "10000000",
        "1000BONK_USDT": "10000",
        "ONE_USDT": "1",
        "1000000MOG_USDT": "1",
        "1INCH_USDT": "1",
        "BTC_USDC": "0.0001",
        "EMBER_USDT": "10",
        "ETH_USDT": "0.01",
        "SOL_USDT": "0.1",
        "XRP_USDT": "1",
        "DOGE_USDT": "100",
    }
    allowed = {s for s, contract in catalogue.contracts.items() if contract.api_allowed}
    assert set(sizes) - allowed == {"EMBER_USDT"}
    assert b'"priceUnit":0.0000000001,' in bytes(catalogue.rows["PEPE_USDT"])


def test_price_bands_are_those_of_the_live_recording():
    """Checked on MEXC's own ticker: maxBidPrice and minAskPrice of 2026-09-13."""
    contracts, prices = load_catalogue().contracts, load_catalogue().starting_prices
    bands = {
        symbol: (
            plain(contracts[symbol].max_bid_price(prices[symbol].index)),
            plain(contracts[symbol].min_ask_price(prices[symbol].index)),
        )
        for symbol in ("BTC_USDT", "PEPE_USDT", "1INCH_USDT")
    }
    assert bands == {
        "BTC_USDT": ("84876.9", "69444.8"),
        "PEPE_USDT": ("0.0000040807", "0.0000027204"),
        "1INCH_USDT": ("0.11078", "0.07385"),
    }


def test_messages_fill_their_placeholders():
    assert message_of(510) == "Requests are too frequent, please try again later"
    assert "55000" in message_of(2003, amount=Decimal(55000), currency="USDT")
    assert message_of(77) == "Error 77"


def test_settings():
    settings = from_env(PaperExchangeSettings, {"ALERTWIRE_PORT": "8402"})
    assert (settings.host, settings.port, settings.state_dir) == ("127.0.0.1", 8402, None)
    with pytest.raises(SettingsError, match="ALERTWIRE_PORT"):
        from_env(PaperExchangeSettings, {})


def test_a_signature_of_odd_bytes_is_a_wrong_signature():
    """As a header with the byte 0xff reaches us."""
    assert code_of(make_call(signature="\udcff")) == 602
