"""Where a request comes from and whose certificate it shows: what is believed of whom."""

from pathlib import Path

import pytest

from libs.common.addresses import read_proxies, read_senders
from libs.common.http_limits import PEER_CERTIFICATE
from libs.common.settings import SettingsError
from services.ingest.admission import AddressRates
from services.ingest.door import door_of
from services.ingest.senders import ClientCertificate, Senders
from services.ingest.settings import Settings
from tests.unit.test_ingest_certificates import NAME, peer

PROXIES = read_proxies("10.0.0.0/24,::1/128")


def scope(address, *headers, **more):
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {"client": (address, 1) if address else None, "headers": raw, **more}


@pytest.mark.parametrize(
    ("address", "forwarded", "found"),
    [
        ("10.0.0.7", ["52.89.214.238"], "52.89.214.238"),
        ("10.0.0.7", ["52.89.214.238, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["52.89.214.238", "192.0.2.1, 10.0.0.8"], "192.0.2.1"),
        ("10.0.0.7", ["52.89.214.238, \x1b[31m"], "10.0.0.7"),
        ("10.0.0.7", [], "10.0.0.7"),
        ("::ffff:10.0.0.7", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("192.0.2.9", ["52.89.214.238"], "192.0.2.9"),
        ("10.0.1.1", ["52.89.214.238"], "10.0.1.1"),
        ("", ["52.89.214.238"], ""),
        ("/run/socket", ["52.89.214.238"], ""),
    ],
    ids=[
        *("hop", "forged-left", "two-lines", "garbage", "none", "mapped", "stranger"),
        *("other-network", "no-client", "no-address"),
    ],
)
def test_a_forwarded_address_counts_from_a_trusted_proxy_alone(address, forwarded, found):
    told = scope(address, *(("X-Forwarded-For", line) for line in forwarded))
    assert Senders(trusted=PROXIES).address(told) == found


@pytest.mark.parametrize("name", ["Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"])
def test_no_other_header_says_where_a_request_comes_from(name):
    told = scope("10.0.0.7", (name, "for=52.89.214.238"))
    assert Senders(trusted=PROXIES).address(told) == "10.0.0.7"


def test_without_trusted_proxies_nobody_is_believed():
    told = scope("127.0.0.1", ("X-Forwarded-For", "52.89.214.238"))
    assert Senders().address(told) == "127.0.0.1"
    assert Senders().address(scope("::ffff:192.0.2.1")) == "192.0.2.1"


def test_who_is_let_in():
    senders = Senders(allowed=read_senders("tradingview,192.0.2.0/24"))
    for address in ("52.89.214.238", "52.32.178.7", "192.0.2.200", "::ffff:192.0.2.1"):
        assert senders.is_allowed(address)
    for address in ("52.89.214.239", "198.51.100.1", "", "nonsense", "::1"):
        assert not senders.is_allowed(address)
    assert Senders().is_allowed("198.51.100.1"), "no list lets everybody in"


def test_off_asks_for_no_certificate():
    assert Senders().holder(scope("192.0.2.1", **{PEER_CERTIFICATE: peer()})) is None


def test_over_tls_the_connections_own_certificate_counts_and_no_header():
    senders = Senders(certificate=ClientCertificate.TLS, trusted=PROXIES)
    assert senders.holder(scope("192.0.2.1", **{PEER_CERTIFICATE: peer()})) is not None
    told = (("ssl-client-verify", "SUCCESS"), ("ssl-client-subject-dn", NAME))
    assert senders.holder(scope("10.0.0.7", *told)) is None


VERIFIED = ("ssl-client-verify", "SUCCESS")
SUBJECT = ("ssl-client-subject-dn", NAME)


@pytest.mark.parametrize(
    ("address", "headers", "is_known"),
    [
        ("10.0.0.7", [VERIFIED, SUBJECT], True),
        ("192.0.2.1", [VERIFIED, SUBJECT], False),
        ("10.0.0.7", [SUBJECT], False),
        ("10.0.0.7", [("ssl-client-verify", "FAILED:unable to verify"), SUBJECT], False),
        ("10.0.0.7", [("ssl-client-verify", "NONE"), SUBJECT], False),
        ("10.0.0.7", [VERIFIED, ("ssl-client-verify", "NONE"), SUBJECT], False),
        ("10.0.0.7", [VERIFIED], False),
        ("10.0.0.7", [VERIFIED, SUBJECT, SUBJECT], False),
        ("10.0.0.7", [VERIFIED, ("X-Forwarded-Client-Cert", f'Subject="{NAME}"')], False),
        ("", [VERIFIED, SUBJECT], False),
    ],
    ids=[
        *("verified", "stranger", "unverified", "failed", "none-shown", "two-verdicts", "nobody"),
        *("twice", "other-header", "no-client"),
    ],
)
def test_a_proxys_word_about_a_certificate(address, headers, is_known):
    senders = Senders(
        trusted=PROXIES, certificate=ClientCertificate.HEADER, header=b"ssl-client-subject-dn"
    )
    assert (senders.holder(scope(address, *headers)) is not None) == is_known


def test_envoys_header_needs_no_verdict_beside_it():
    senders = Senders(
        trusted=PROXIES, certificate=ClientCertificate.HEADER, header=b"x-forwarded-client-cert"
    )
    told = ("X-Forwarded-Client-Cert", f'Hash=1;Subject="{NAME}"')
    assert senders.holder(scope("10.0.0.7", told)) is not None
    assert senders.holder(scope("10.0.0.7", told, told)) is None


def rates(**options):
    chosen = {"per_s": 10, "burst": 30, "is_unlimited": lambda _: False, **options}
    return AddressRates(**chosen)


def test_an_address_has_its_burst_and_its_rate():
    limits = rates(burst=3)
    assert [limits.take("192.0.2.1", now_s=5) for _ in range(4)] == [None] * 3 + [
        pytest.approx(0.1)
    ]
    assert limits.take("192.0.2.2", now_s=5) is None
    assert limits.take("192.0.2.1", now_s=5.2) is None


def test_an_ipv6_network_is_one_sender():
    limits = rates(burst=1)
    assert limits.take("2001:db8::1", now_s=0) is None
    assert limits.take("2001:db8::2", now_s=0) is not None
    assert limits.take("2001:db8:0:1::2", now_s=0) is None


def test_after_wrong_tokens_the_right_one_has_to_wait_too():
    """Or many could be tried, and the right one among them would be taken."""
    limits = rates()
    waits_s = [limits.take("192.0.2.1", now_s=0, cost=20) for _ in range(3)]
    assert waits_s == [None, None, pytest.approx(1.1)]
    assert limits.take("192.0.2.1", now_s=0) == pytest.approx(1.1)
    assert limits.take("192.0.2.1", now_s=1.2) is None


def test_known_senders_are_not_counted():
    """Few addresses carry all of TradingView's alerts."""
    senders = Senders(allowed=read_senders("192.0.2.0/24"))
    limits = rates(burst=1, is_unlimited=senders.is_unlimited)
    for address in ("192.0.2.1", "52.89.214.238"):
        assert all(limits.take(address, now_s=0, cost=20) is None for _ in range(100))
    assert limits.take("198.51.100.1", now_s=0) is None
    assert limits.take("198.51.100.1", now_s=0) is not None


def test_many_addresses_fill_no_memory_and_the_busy_one_is_remembered():
    limits = rates(burst=1, addresses_max=100)
    limits.take("192.0.2.1", now_s=0)
    for number in range(5_000):
        limits.take(f"10.1.{number // 250}.{number % 250}", now_s=0)
        assert limits.take("192.0.2.1", now_s=0) is not None
    assert len(limits) == 100


def test_no_rate_is_no_limit_and_remembers_nobody():
    limits = rates(per_s=0)
    assert all(limits.take("192.0.2.1", now_s=0, cost=20) is None for _ in range(100))
    assert len(limits) == 0


def settings(**chosen):
    return Settings(nats_url=None, health_port=1, port=2, **chosen)


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ({"trusted_proxies": "proxy.example"}, "ALERTWIRE_TRUSTED_PROXIES"),
        ({"trusted_proxies": "0.0.0.0/0"}, "ALERTWIRE_TRUSTED_PROXIES"),
        ({"allow_addresses": "tradingviews"}, "ALERTWIRE_ALLOW_ADDRESSES"),
        ({"client_certificate": "on"}, "ALERTWIRE_CLIENT_CERTIFICATE"),
        ({"client_certificate_header": "a b"}, "ALERTWIRE_CLIENT_CERTIFICATE_HEADER"),
        ({"client_certificate": "header"}, "ALERTWIRE_TRUSTED_PROXIES"),
        ({"client_certificate": "tls"}, "ALERTWIRE_CLIENT_CA_FILE"),
        ({"tls_cert_file": Path("x.pem")}, "ALERTWIRE_TLS_KEY_FILE"),
        ({"tls_key_file": Path("x.key")}, "ALERTWIRE_TLS_CERT_FILE"),
        ({"tls_cert_file": Path("x.pem"), "tls_key_file": Path("x.key")}, "ALERTWIRE_TLS_"),
    ],
    ids=[
        *("no-network", "everybody", "misspelt", "no-word", "no-header", "no-proxies", "no-files"),
        *("no-key", "no-cert", "no-such-files"),
    ],
)
def test_a_door_that_would_check_nothing_is_told_at_the_start(chosen, named):
    with pytest.raises(SettingsError, match=named):
        door_of(settings(**chosen))


def test_the_door_as_it_comes():
    door = door_of(settings())
    assert door.senders == Senders(header=b"ssl-client-subject-dn")
    assert door.tls is None
    assert not door.limits.is_unlimited("192.0.2.1")
    assert door.limits.is_unlimited("52.89.214.238")
