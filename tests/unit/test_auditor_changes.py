"""The projection of what is changed by hand: revisions of the buckets' keys."""

import json
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts import subjects
from services.auditor.changes import to_change
from services.auditor.rows import TEXT_CHARS_MAX
from tests.factories import ALERT_ID, NOW
from tests.golden import CONTROL

SEALED = b"\x8bsealed box of very-secret"


def row_of(bucket, key, data=b"{}", **headers):
    return to_change(
        stream=subjects.bucket_stream(bucket),
        seq=3,
        subject=subjects.bucket_subject(bucket=bucket, key=key),
        stored_at=NOW,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        data=data,
    )


@pytest.mark.parametrize(
    ("bucket", "key", "noun", "route", "account"),
    [
        ("routes", "btc-trend", "route", "btc-trend", None),
        ("accounts", "main", "account", None, "main"),
        ("secrets", "main", "secret", None, "main"),
        ("controls", "all", "control", None, None),
        ("controls", subjects.control_key(scope="route", name="a.b ü"), "control", "a.b ü", None),
        ("controls", subjects.control_key(scope="account", name="m=1"), "control", None, "m=1"),
    ],
)
def test_a_change_is_found_by_what_was_changed(bucket, key, noun, route, account):
    changed = row_of(bucket, key)
    deleted = row_of(bucket, key, b"", KV_Operation="DEL")
    purged = row_of(bucket, key, b"", KV_Operation="PURGE")
    for row, how in ((changed, "changed"), (deleted, "deleted"), (purged, "deleted")):
        assert (row.stage, row.route, row.account) == (f"{noun}.{how}", route, account)
        assert (row.stream, row.seq, row.at) == (f"KV_{bucket}", 3, NOW)


def test_a_documents_own_fields_do_not_pass_for_the_changes():
    """A halt tells when it began and whom it is about, also where its key says something else."""
    body = msgspec.json.encode(
        {"at": "2001-01-01T00:00:00Z", "route": "x", "account": "y", "alert_id": ALERT_ID}
    )
    row = row_of("controls", "all", body)
    assert (row.at, row.route, row.account, row.alert_id) == (NOW, None, None, None)
    assert row.body == body
    control = row_of("controls", "all", msgspec.json.encode(CONTROL))
    assert control.doc is not None
    assert json.loads(control.doc)["reason"] == CONTROL.reason


@pytest.mark.parametrize(
    "place",
    [
        ("KV_secrets", "$KV.secrets.main"),
        ("KV_secrets", "odd"),
        ("KV_secrets", "$KV.routes.main"),
        ("anything", "$KV.secrets.main"),
    ],
)
def test_a_sealed_secret_stands_as_its_hash_whatever_its_address(place):
    stream, subject = place
    row = to_change(stream=stream, seq=1, subject=subject, stored_at=NOW, headers=None, data=SEALED)
    assert json.loads(row.body) == {
        "type": "secret.sealed",
        "sha256": sha256(SEALED).hexdigest(),
    }
    assert b"sealed box" not in repr(row).encode()


def test_a_removed_secret_has_no_hash():
    row = row_of("secrets", "main", b"", KV_Operation="PURGE")
    assert (row.stage, row.body, row.doc) == ("secret.deleted", b"", None)


@given(subject=st.text(), data=st.binary(), operation=st.text())
def test_whatever_comes_becomes_a_row(subject, data, operation):
    row = to_change(
        stream="KV_routes",
        seq=1,
        subject=subject,
        stored_at=NOW,
        headers={"KV-Operation": operation},
        data=data,
    )
    assert row.stage.endswith((".changed", ".deleted"))
    for text in (row.stage, row.route, row.account):
        (text or "").encode()
        assert "\0" not in (text or "")


def test_a_key_of_any_length_fits_its_column():
    row = row_of("routes", "x" * 10_000)
    assert row.route == "x" * TEXT_CHARS_MAX
