"""What a change by hand has changed, and what is never shown of it."""

import json
from hashlib import sha256

import msgspec
import pytest

from libs.common.contracts.route import Route, Symbols, TokenHash
from services.console.differences import ChangeKind, Revision, difference, how
from tests.factories import D, make_settings

HASH, OTHER_HASH = sha256(b"1").hexdigest(), sha256(b"2").hexdigest()
GONE = Revision(body=b"", deleted=True)


def revision(document):
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return Revision(body=body, deleted=False)


def route(**settings):
    return Route(settings=make_settings(**settings), tokens=(TokenHash(sha256=HASH),))


def shown(now, before, kind=ChangeKind.ROUTE):
    found = difference(kind, now, before)
    return {each["field"]: (each["old"], each["new"]) for each in found}


def test_a_change_tells_the_fields_that_differ():
    before = route(leverage=10, max_age_s=30)
    now = route(leverage=3, max_age_s=30, symbols=Symbols(allow=("BTC_USDT",)))
    assert shown(revision(now), revision(before)) == {
        "leverage": (10, 3),
        "symbols.allow": ([], ["BTC_USDT"]),
    }


def test_what_is_created_tells_all_that_was_written():
    made = revision({"id": "main", "base_url": "https://x.example", "position_mode": "one_way"})
    expected = {"base_url": (None, "https://x.example"), "position_mode": (None, "one_way")}
    assert shown(made, None) == expected
    assert shown(made, GONE) == expected
    assert shown(GONE, made) == {}


@pytest.mark.parametrize(
    ("now", "before", "word"),
    [
        (revision({}), None, "created"),
        (revision({}), GONE, "created"),
        (revision({}), revision({}), "changed"),
        (GONE, revision({}), "deleted"),
        (GONE, None, "deleted"),
    ],
)
def test_how(now, before, word):
    assert how(now, before) == word


def test_hashes_and_sealed_keys_show_only_that_they_changed():
    before = msgspec.structs.replace(route(), body_secret_sha256=HASH)
    now = msgspec.structs.replace(
        before, tokens=(TokenHash(sha256=OTHER_HASH),), body_secret_sha256=OTHER_HASH
    )
    found = difference(ChangeKind.ROUTE, revision(now), revision(before))
    assert found == [
        {"field": "body_secret", "old": "***", "new": "***", "hidden": True},
        {"field": "token", "old": "***", "new": "***", "hidden": True},
    ]
    sealed = revision({"type": "secret.sealed", "sha256": HASH})
    replaced = revision({"type": "secret.sealed", "sha256": OTHER_HASH})
    secret = ChangeKind.SECRET
    assert shown(sealed, None, secret) == {"secret_key": (None, "***")}
    assert shown(replaced, sealed, secret) == {"secret_key": ("***", "***")}
    created = difference(ChangeKind.ROUTE, revision(now), None)
    for each in (found, created, difference(secret, replaced, sealed)):
        assert HASH not in json.dumps(each)
        assert OTHER_HASH not in json.dumps(each)


def test_an_access_key_is_shown_by_its_end():
    before, now = {"access_key": "mx0vglABCD1234"}, {"access_key": "mx0vglEFGH9876"}
    found = shown(revision(now), revision(before), ChangeKind.ACCOUNT)
    assert found == {"access_key": ("***1234", "***9876")}


def test_numbers_of_a_route_are_as_they_were_written():
    now = route(sizing=msgspec.structs.replace(make_settings().sizing, multiplier=D("0.10")))
    assert shown(revision(now), revision(route())) == {"sizing.multiplier": ("1", "0.10")}


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b"\xff", b"3", b"[" * 100_000])
def test_what_cannot_be_read_differs_in_what_can(body):
    odd = revision(body)
    assert shown(odd, odd) == {}
    assert shown(revision({"leverage": 3}), odd) == {"leverage": (None, 3)}
    assert shown(odd, revision({"leverage": 3})) == {"leverage": (3, None)}
