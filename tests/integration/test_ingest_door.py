"""Who gets in at the webhook, over real HTTP and TLS on a real log; what is kept of the others."""

import ssl
from hashlib import sha256

import aiohttp
import pytest
import structlog

from libs.common.contracts.alert import Alert, AlertRefused
from tests.client_certificates import TRADINGVIEW, Authority
from tests.integration.ingest_stand import BUY, stand_on
from tests.raw_http import raw
from tests.unit.test_ingest_certificates import NAME

pytestmark = pytest.mark.integration

HERE = "127.0.0.1/32"
VERIFIED = {"ssl-client-verify": "SUCCESS", "ssl-client-subject-dn": NAME}


@pytest.fixture
async def stand(nats_url):
    async with stand_on(nats_url) as stand:
        await stand.put_route({}, token="t0ken")
        yield stand


def body(number):
    return BUY.replace(b"0.001", f"0.00{number}".encode())


async def test_behind_a_trusted_proxy_the_senders_own_address_counts(stand):
    address = await stand.start(trusted_proxies=HERE, allow_addresses="tradingview")
    hook = f"{address}/hook/t0ken"
    ours = {"x-forwarded-for": "6.6.6.6, 52.89.214.238"}
    theirs = {"x-forwarded-for": "52.89.214.238, 6.6.6.6"}
    assert (await stand.post(hook, body(1), headers=ours)).status == 200
    refused = await stand.post(hook, body(2), headers=theirs)
    assert (refused.status, refused.body["reason"]) == (403, "address_not_allowed")
    assert refused.body["value"] == "6.6.6.6"
    assert (await stand.post(hook, body(3))).body["value"] == "127.0.0.1"
    alert, *others = await stand.entries()
    assert (type(alert), alert.source_address) == (Alert, "52.89.214.238")
    assert [(type(each), each.source_address) for each in others] == [
        (AlertRefused, "6.6.6.6"),
        (AlertRefused, "127.0.0.1"),
    ]


async def test_a_strangers_word_about_its_address_counts_nothing(stand):
    address = await stand.start(trusted_proxies="192.0.2.0/24", allow_addresses="tradingview")
    headers = {"x-forwarded-for": "52.89.214.238", "forwarded": "for=52.89.214.238"}
    reply = await stand.post(f"{address}/hook/t0ken", BUY, headers=headers)
    assert (reply.status, reply.body["value"]) == (403, "127.0.0.1")


async def test_the_routes_own_list_holds_beside_ingests(stand):
    await stand.put_route({"allow_addresses": ["192.0.2.1"]}, token="t0ken")
    address = await stand.start(trusted_proxies=HERE, allow_addresses="192.0.2.0/24,tradingview")
    hook = f"{address}/hook/t0ken"
    statuses = [
        (await stand.post(hook, BUY, headers={"x-forwarded-for": sender})).status
        for sender in ("52.89.214.238", "192.0.2.2", "192.0.2.1")
    ]
    assert statuses == [403, 403, 200]


async def test_a_certificate_that_a_trusted_proxy_has_verified(stand):
    address = await stand.start(trusted_proxies=HERE, client_certificate="header")
    hook = f"{address}/hook/t0ken"
    other = VERIFIED | {"ssl-client-subject-dn": "CN=Somebody,O=Else"}
    assert (await stand.post(hook, body(1), headers=VERIFIED)).status == 200
    assert (await stand.post(hook, body(2), headers={"ssl-client-verify": "NONE"})).status == 403
    refused = await stand.post(hook, body(3), headers=other)
    assert (refused.status, refused.body["reason"]) == (403, "client_certificate_wrong")
    assert refused.body["value"] == "CN=Somebody; O=Else"
    kept = [each for each in await stand.entries() if isinstance(each, AlertRefused)]
    assert [each.value for each in kept] == ["no certificate", "CN=Somebody; O=Else"]


async def test_a_strangers_word_about_its_certificate_counts_nothing(stand):
    address = await stand.start(trusted_proxies="192.0.2.0/24", client_certificate="header")
    reply = await stand.post(f"{address}/hook/t0ken", BUY, headers=VERIFIED)
    assert (reply.status, reply.body["reason"]) == (403, "client_certificate_wrong")


async def test_a_header_behind_the_body_is_no_word_of_a_proxy(stand):
    address = await stand.start(trusted_proxies=HERE, client_certificate="header")
    trailers = "".join(f"{name}: {value}\r\n" for name, value in VERIFIED.items()).encode()
    port = int(address.rpartition(":")[2])
    said = await raw(
        port,
        b"POST /hook/t0ken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n%x\r\n%s\r\n0\r\n%s\r\n" % (len(BUY), BUY, trailers),
    )
    assert said.status == 403


async def test_over_tls_tradingviews_own_certificate_is_asked_for(stand, tmp_path):
    authority = Authority(tmp_path)
    cert, key = authority.server()

    def shown(files=None):
        context = ssl.create_default_context(cafile=authority.file)
        if files:
            context.load_cert_chain(*files)
        return context

    address = await stand.start(
        ssl=shown(),  # Health is told to whoever asks: probes have no certificate.
        client_certificate="tls",
        tls_cert_file=cert,
        tls_key_file=key,
        client_ca_file=authority.file,
    )
    hook = f"{address}/hook/t0ken"
    right = authority.client("right", **TRADINGVIEW)
    other = authority.client("other", **TRADINGVIEW | {"email": "me@tradingview.com"})
    expired = authority.client("expired", **TRADINGVIEW, days=-1)
    assert (await stand.post(hook, body(1), ssl=shown(right))).status == 200
    none = await stand.post(hook, body(2), ssl=shown(), headers=VERIFIED)
    wrong = await stand.post(hook, body(3), ssl=shown(other))
    assert [(each.status, each.body["reason"]) for each in (none, wrong)] == [
        (403, "client_certificate_wrong")
    ] * 2
    assert [none.body["value"], wrong.body["value"]] == [
        "no certificate",
        "CN=TradingView Webhooks; O=TradingView, Inc.",
    ]
    with pytest.raises(aiohttp.ClientError):
        await stand.post(hook, body(4), ssl=shown(expired))
    kept = await stand.entries()
    assert [type(each) for each in kept] == [Alert, AlertRefused, AlertRefused]


async def test_who_tries_wrong_tokens_has_to_wait_with_the_right_one_too(stand):
    limits = {"address_rate_per_s": 0.5, "address_rate_burst": 40}
    address = await stand.start(trusted_proxies=HERE, **limits)
    stranger = {"headers": {"x-forwarded-for": "192.0.2.1"}}
    tried = [await stand.post(f"{address}/hook/wrong{turn}", BUY, **stranger) for turn in range(3)]
    assert [each.status for each in tried] == [404, 404, 429]
    assert int(tried[2].headers["retry-after"]) >= 1
    right = await stand.post(f"{address}/hook/t0ken", BUY, **stranger)
    assert (right.status, right.body["reason"]) == (429, "rate_exceeded")
    for sender in ("192.0.2.2", "52.89.214.238"):
        reply = await stand.post(f"{address}/hook/t0ken", BUY, headers={"x-forwarded-for": sender})
        assert reply.status == 200
    kept = [each for each in await stand.entries() if isinstance(each, AlertRefused)]
    assert [(each.status, each.source_address) for each in kept] == [(429, "192.0.2.1")]


async def test_refusals_fill_neither_log(stand):
    """Of what costs its sender nothing a part is kept; all of it is counted."""
    address = await stand.start(allow_addresses="tradingview")
    with structlog.testing.capture_logs() as lines:
        for turn in range(80):
            assert (await stand.post(f"{address}/hook/t0ken", BUY)).status == 403
            assert (await stand.post(f"{address}/hook/wrong{turn}", BUY)).status == 404
    told = [line for line in lines if line["event"] == "alert.refused"]
    assert 10 <= len([line for line in told if line["reason"] == "address_not_allowed"]) < 60
    assert 50 <= len([line for line in told if line["reason"] == "token_unknown"]) < 80
    assert len(await stand.entries()) < 60


async def test_two_tokens_open_a_route_while_one_is_rotated_out(stand):
    """Each compared by its hash: the log's bucket holds no token."""
    old, new = "o" * 32, "n" * 32
    await stand.put_route({}, token=old, more_tokens=[new])
    address = await stand.start()
    statuses = [
        (await stand.post(f"{address}/hook/{token}", body(number))).status
        for number, token in enumerate([old, new, sha256(new.encode()).hexdigest()], start=1)
    ]
    assert statuses == [200, 200, 404]


ODD_TARGETS = (
    *("/%00", "/hook/%00", "/hook/%ff%fe", "/hook/%0d%0a", "/hook/%E2%80%AE", "/%2e%2e/t0ken"),
    *("/hook/../t0ken", "//t0ken", "/hook//t0ken", "/hook/t0ken?x=%00", "/hook/t0ken%2Fmore", "*"),
    *("http://a/hook/wrong", "/" + "a/" * 2_000, "/hook/" + "%41" * 2_000, "/health/%6cive/x"),
    *("/hook/{token}", "/<a>", "/;", "/?", "/hook/t0ken#x", "/%", "/%zz", "/hook/%C0%AF"),
)
METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "M-SEARCH")


async def test_no_odd_request_is_a_failure_of_ours(stand):
    """A 5xx would be sent again."""
    port = int((await stand.start()).rpartition(":")[2])
    tail = f"Host: a\r\nConnection: close\r\nContent-Length: {len(BUY)}\r\n\r\n".encode() + BUY
    asked = [("POST", target) for target in ODD_TARGETS]
    asked += [(method, path) for method in METHODS for path in ("/hook/t0ken", "/health/live", "/")]
    for method, target in asked:
        said = await raw(port, f"{method} {target} HTTP/1.1\r\n".encode() + tail)
        assert len(said.statuses) == 1, (method, target)
        assert said.status < 500, (method, target)
        assert method != "POST" or said.status in {400, 404, 200}, (method, target, said.status)
    kept = [each for each in await stand.entries() if isinstance(each, Alert)]
    assert len(kept) <= 1
