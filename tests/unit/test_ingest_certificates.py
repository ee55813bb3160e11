"""Whether a certificate is TradingView's, by tables: as TLS, nginx and Envoy tell of it."""

import pytest

from libs.common.contracts.reasons import Reason
from services.ingest.certificates import (
    Holder,
    check_certificate,
    holder_by_envoy,
    holder_by_name,
    holder_by_tls,
)

NAME = "CN=TradingView Webhooks,O=TradingView\\, Inc.,L=Westerville,ST=Ohio,C=US"
EMAIL = ("email", "webhook-server@tradingview.com")


def peer(*, cn=("TradingView Webhooks",), o=("TradingView, Inc.",), names=(EMAIL,)):
    subject = [(("countryName", "US"),), *((("organizationName", each),) for each in o)]
    subject += [(("commonName", each),) for each in cn]
    return {"subject": tuple(subject), "subjectAltName": tuple(names)}


def test_tradingviews_own_is_right_whoever_tells():
    envoy = f'Hash=468e;Subject="{NAME}";URI=;DNS=a.example'
    for holder in (holder_by_tls(peer()), holder_by_name(NAME), holder_by_envoy(envoy)):
        assert check_certificate(holder) is None


@pytest.mark.parametrize(
    "certificate",
    [
        None,
        {},
        peer(cn=()),
        peer(o=()),
        peer(names=()),
        peer(cn=("TradingView Webhooks ",)),
        peer(cn=("tradingview webhooks",)),
        peer(cn=("TradingView Webhooks", "TradingView Webhooks")),
        peer(cn=("Somebody", "TradingView Webhooks")),
        peer(o=("TradingView, Inc.", "Somebody")),
        peer(names=(("email", "me@tradingview.com"),)),
        peer(names=(("DNS", "webhook-server@tradingview.com"),)),
    ],
    ids=[
        *("none", "empty", "no-cn", "no-o", "no-email", "blank", "case", "twice", "cn-behind"),
        *("two-o", "other-email", "dns"),
    ],
)
def test_any_other_is_refused_and_told_what_would_be_right(certificate):
    refusal = check_certificate(holder_by_tls(certificate))
    assert (refusal.status, refusal.reason) == (403, Reason.CLIENT_CERTIFICATE_WRONG)
    for part in ("TradingView Webhooks", "TradingView, Inc.", "webhook-server@tradingview.com"):
        assert part in refusal.message


def test_a_refusal_shows_whom_it_saw_and_no_more_than_a_line():
    refusal = check_certificate(Holder(common_names=("x" * 500,), organizations=()))
    assert refusal.value.startswith("CN=xxx")
    assert len(refusal.value) == 100


@pytest.mark.parametrize(
    "name",
    [
        "emailAddress=a@b.example,CN=TradingView Webhooks,O=TradingView\\, Inc.",
        "O=TradingView\\, Inc.,CN=TradingView Webhooks",
        "O=TradingView\\2C Inc.+CN=TradingView Webhooks",
        "cn=TradingView Webhooks, o=TradingView\\, Inc.",
        "1.2.3.4=\\#0402,CN=TradingView Webhooks,O=TradingView\\, Inc.",
    ],
    ids=["email", "turned", "hex-and-plus", "small", "unknown-type"],
)
def test_a_subject_may_be_written_in_many_ways(name):
    assert check_certificate(holder_by_name(name)) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "CN=TradingView Webhooks",
        "CN=x\\,O=TradingView\\, Inc.,CN=TradingView Webhooks",
        "CN=TradingView Webhooks,O=TradingView, Inc.",
        'CN=TradingView Webhooks,O="TradingView, Inc."',
        "/C=US/O=TradingView, Inc./CN=TradingView Webhooks",
        "CN=TradingView Webhooks\\,O=TradingView\\, Inc.",
        "O=TradingView\\, Inc.,CN=TradingView Webhooks,CN=Somebody",
        "CN=TradingView Webhooks,O=TradingView\\, Inc.,",
        "CN=TradingView Webhooks,O=TradingView\\, Inc.\\",
        "CN=" + "x" * 5_000,
    ],
    ids=[
        *("empty", "no-o", "hidden-o", "bare-comma", "quoted", "slashes", "one-value", "two-cn"),
        *("open-end", "open-escape", "endless"),
    ],
)
def test_a_subject_that_is_not_tradingviews_or_could_be_two_things(name):
    assert check_certificate(holder_by_name(name)) is not None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Hash=468e",
        f'Subject="{NAME}",Subject="CN=Somebody"',
        f'Subject="{NAME}",By=x',
        f'Subject="{NAME}";Subject="{NAME}"',
        f'By="a;Subject=\\"{NAME}\\""',
        f'Subject="{NAME}',
        f'Subject="CN=x\\";Subject={NAME}"',
        "garbage",
        ";;;",
    ],
    ids=[
        *("empty", "no-subject", "two-elements", "appended", "twice", "quoted-inside", "open"),
        *("escaped", "garbage", "nothing"),
    ],
)
def test_what_envoy_tells_has_to_be_one_certificate(header):
    assert check_certificate(holder_by_envoy(header)) is not None
