"""Who may send, by tables; and problem documents."""

from datetime import timedelta
from hashlib import sha256

import msgspec
import pytest

from libs.common.contracts.reasons import EXPLANATIONS, Reason
from libs.common.contracts.route import TokenHash
from libs.common.contracts.words import AlertId, RouteId
from services.ingest.admission import (
    BODY_BYTES_MAX,
    RateLimits,
    Tokens,
    check_address,
    check_size,
)
from services.ingest.problems import plain_problem, problem_of
from services.ingest.refusals import Refusal, shortened
from services.ingest.requests import Request
from services.ingest.senders import Senders
from tests.factories import NOW, make_route


def hash_of(token):
    return sha256(token.encode()).hexdigest()


def test_a_token_opens_its_route_and_no_other():
    one, two = make_route(token="one", id="one"), make_route(token="two", id="two")
    tokens = Tokens([one, two])
    assert tokens.route("one", now=NOW) is one
    assert tokens.route("two", now=NOW) is two
    for wrong in ("", "three", hash_of("one"), "One", "\udcff"):
        assert tokens.route(wrong, now=NOW) is None


def test_two_tokens_while_one_is_rotated_out():
    until = NOW + timedelta(minutes=5)
    hashes = (TokenHash(sha256=hash_of("new")), TokenHash(sha256=hash_of("old"), expires_at=until))
    route = msgspec.structs.replace(make_route(), tokens=hashes)
    tokens = Tokens([route])
    assert tokens.route("old", now=until - timedelta(seconds=1)) is route
    assert tokens.route("old", now=until) is None
    assert tokens.route("new", now=until) is route


@pytest.mark.parametrize(
    ("allowed", "address", "admitted"),
    [
        ((), "203.0.113.9", True),
        (("52.89.214.238",), "52.89.214.238", True),
        (("52.89.214.238",), "::ffff:52.89.214.238", True),
        (("52.89.214.238",), "52.89.214.239", False),
        (("10.0.0.0/8", "2001:db8::/32"), "10.20.30.40", True),
        (("10.0.0.0/8", "2001:db8::/32"), "2001:db8::1", True),
        (("10.0.0.0/8", "2001:db8::/32"), "11.0.0.1", False),
        (("10.0.0.1/8",), "10.2.3.4", True),
        (("nonsense",), "10.2.3.4", False),
        (("10.0.0.0/8",), "", False),
    ],
)
def test_addresses(allowed, address, admitted):
    refusal = check_address(make_route(allow_addresses=allowed), address=address)
    assert (refusal is None) == admitted
    if refusal is not None:
        assert (refusal.status, refusal.reason) == (403, Reason.ADDRESS_NOT_ALLOWED)


@pytest.mark.parametrize(
    ("size", "status"), [(None, None), (0, None), (BODY_BYTES_MAX, None), (BODY_BYTES_MAX + 1, 413)]
)
def test_sizes(size, status):
    refusal = check_size(size)
    assert (None if refusal is None else refusal.status) == status


def test_a_bucket_gives_its_burst_and_then_its_rate():
    limits, route = RateLimits(per_s=2, burst=3), RouteId("demo")
    assert [limits.take(route, now_s=10) for _ in range(3)] == [None] * 3
    assert limits.take(route, now_s=10) == 0.5
    assert limits.take(RouteId("other"), now_s=10) is None
    assert limits.take(route, now_s=10.25) == 0.25
    assert limits.take(route, now_s=10.5) is None
    assert limits.take(route, now_s=10.5) is not None


def test_a_bucket_holds_no_more_than_its_burst():
    limits, route = RateLimits(per_s=100, burst=2), RouteId("demo")
    limits.take(route, now_s=0)
    waits = [limits.take(route, now_s=1_000_000) for _ in range(3)]
    assert [wait is None for wait in waits] == [True, True, False]


def test_a_rate_of_nothing_is_no_limit():
    limits = RateLimits(per_s=0, burst=1)
    assert all(limits.take(RouteId("demo"), now_s=0) is None for _ in range(100))


def test_a_deleted_route_leaves_no_bucket():
    limits = RateLimits(per_s=1, burst=1)
    limits.take(RouteId("gone"), now_s=0)
    limits.keep([])
    assert limits.take(RouteId("gone"), now_s=0) is None


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/hook/abc", "abc"),
        ("/hook/abc/", "abc"),
        ("/abc", "abc"),
        ("/abc/", "abc"),
        ("/hook", "hook"),
        ("/", None),
        ("//", None),
        ("/hook/", "hook"),
        ("/hook/a/b", None),
        ("/other/abc", None),
        ("/hook//", None),
    ],
)
def test_where_the_token_is(path, token):
    scope = {"method": "POST", "path": path, "headers": [], "client": None}
    assert Request(scope, None, senders=Senders()).token == token


def test_a_problem_says_everything_and_no_more():
    refusal = Refusal(
        status=422,
        reason=Reason.FIELD_INVALID,
        message="leverage must be a whole number.",
        field="leverage",
        value="9" * 200,
    )
    document = msgspec.json.decode(
        msgspec.json.encode(problem_of(refusal, alert_id=AlertId("the id")))
    )
    assert document == {
        "type": "urn:alertwire:reason:field_invalid",
        "title": EXPLANATIONS[Reason.FIELD_INVALID],
        "status": 422,
        "detail": "leverage must be a whole number.",
        "reason": "field_invalid",
        "field": "leverage",
        "value": shortened("9" * 200),
        "alert_id": "the id",
    }
    assert len(document["value"]) == 100


def test_a_problem_without_a_reason_names_its_status():
    document = msgspec.json.decode(msgspec.json.encode(plain_problem(status=404, detail="none")))
    assert document == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "none",
    }
