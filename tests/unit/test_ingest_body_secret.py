"""The secret inside a body: it must match, and it stays nowhere."""

import json
from hashlib import sha256

import msgspec
import pytest

from libs.common.contracts.reasons import Reason
from services.ingest.parsing import Unparsed, parse_alert
from tests.factories import make_route

GUIDE = {"ticker": "BTCUSDT.P", "order_contracts": 0.001, "order_action": "buy"}
SECRET = "s3cret-words"
SECURED = msgspec.structs.replace(
    make_route(), body_secret_sha256=sha256(SECRET.encode()).hexdigest()
)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('{"secret":"s3cret-words","q":1}', '{"secret":"***","q":1}'),
        ('{ "SECRET" : "s3cret-words" }', '{ "SECRET" : "***" }'),
        ('{"a":"s3cret-words","secret":"s3cret-words"}', '{"a":"s3cret-words","secret":"***"}'),
        ('{"secret":"old","secret":"s3cret-words"}', '{"secret":"***"}'),
        ('{"\\u0073ecret":"s3cret-words"}', '{"secret":"***"}'),
        ('{"secret":"open barley","q":1}', '{"secret":"***","q":1}'),
        ('{"secret":1,"q":1}', '{"secret":"***","q":1}'),
        ('{"q":1}', '{"q":1}'),
        # Broken JSON: the value goes, or else all of it.
        ('{"secret":"s3cret-words","q":', '{"secret":"***","q":'),
        ('{"secret":"s3cret-wor', '{"secret":"***"'),
        ("secret=s3cret-words q=1", 'secret="***" q=1'),
        # An object in a form's encoding is read, so that its secret is found.
        ("%7B%22secret%22%3A%22s3cret-words%22%7D", '{"secret":"***"}'),
        ("%7B%22secret%22%3A%22s3cret-wor", '{"secret":"***"'),
        ('{"secret" "s3cret-words"}', ""),
    ],
)
def test_a_body_secret_is_not_kept(body, kept):
    found = parse_alert(body.encode(), route=SECURED)
    assert isinstance(found, Unparsed)
    assert found.body == kept
    assert "barley" not in str(found)
    assert kept.startswith('{"a"') or "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("member", "status"),
    [
        ('"secret":"s3cret-words"', None),
        ('"Secret":"s3cret-words"', None),
        ('"secret":"s3cret-words "', 401),
        ('"secret":""', 401),
        ('"secret":null', 401),
        ('"secret":["s3cret-words"]', 401),
        ('"secret":"other","secret":"s3cret-words"', 401),
        ('"other":"s3cret-words"', 401),
    ],
)
def test_the_body_secret_must_match(member, status):
    body = json.dumps(GUIDE)[:-1] + f",{member}}}"
    found = parse_alert(body.encode(), route=SECURED)
    assert (found.refusal.status if isinstance(found, Unparsed) else None) == status


def test_a_wrong_secret_learns_nothing_about_the_fields():
    found = parse_alert(b'{"order_action":"hold"}', route=SECURED)
    assert isinstance(found, Unparsed)
    assert found.refusal.reason is Reason.BODY_SECRET_WRONG


def test_an_absent_secret_is_wrong_even_where_an_empty_one_is_right():
    empty = msgspec.structs.replace(make_route(), body_secret_sha256=sha256(b"").hexdigest())
    found = parse_alert(json.dumps(GUIDE).encode(), route=empty)
    assert isinstance(found, Unparsed)
    assert found.refusal.status == 401
