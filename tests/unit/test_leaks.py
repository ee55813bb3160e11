"""The search for secrets finds them: planted in every spelling, whole or in part, at any place."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from tests.leaks import Leaks, files_below

SECRET = 's3cret/+"key<é>&more-of-it'
OTHER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
LEAKS = Leaks(
    secrets={"key": SECRET, "token": OTHER}, known={"credentials.json": frozenset({"token"})}
)


def b64(text, before=""):
    return base64.b64encode(f"{before}{text}{before}".encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        SECRET[:20] + "***",
        "***" + SECRET[-20:],
        SECRET[::-1],
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        html.escape(SECRET),
        json.dumps({"key": SECRET}),
        json.dumps({"key": SECRET}, ensure_ascii=False),
        json.dumps({"body": json.dumps({"key": SECRET})}),
        repr({"key": SECRET}),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        b64(SECRET),
        b64(SECRET, "a:"),
        b64(SECRET, "b"),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        SECRET.encode("utf-16-le"),
    ],
    ids=[
        *("plain", "begin", "end", "reversed", "quoted", "quoted-all", "quoted-plus", "html"),
        *("json", "json-text", "json-in-json", "repr", "hex", "HEX", "base64", "base64-inside"),
        *("base64-odd", "base64-url", "utf-16"),
    ],
)
def test_a_planted_secret_is_found(text):
    planted = text if isinstance(text, bytes) else text.encode()
    content = b"2026-11-29 a line before " + planted + b" and behind"
    (found,) = LEAKS.within("some.log", content)
    assert (found.place, found.secret) == ("some.log", "key")
    assert SECRET not in str(found), "what tells of a leak is none"


def test_what_is_no_secret_is_not_found():
    assert LEAKS.within("some.log", f"s3cret key {OTHER[:8]} ***it é") == []


def test_a_place_may_hold_what_belongs_there_and_nothing_else():
    assert LEAKS.within("credentials.json", OTHER) == []
    assert [found.secret for found in LEAKS.within("credentials.json", SECRET)] == ["key"]
    assert [found.secret for found in LEAKS.within("logs/credentials.json", OTHER)] == ["token"]


def test_any_seed_of_a_nats_key_is_one():
    seed = "SU" + "A2" * 28
    assert [found.secret for found in LEAKS.within("nats.conf", f"seed {seed}")] == ["nkey seed"]
    assert LEAKS.within("nats.conf", f"public {'U' + 'A2' * 27 + 'A'}") == []


def test_files_are_read_to_their_end_and_across_their_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.leaks._PIECE_BYTES", 100)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.log").write_bytes(b"x" * 90 + SECRET.encode() + b"y" * 300)
    (tmp_path / "b.log").write_bytes(b"nothing")
    found = LEAKS.among(files_below(tmp_path, named="state"))
    assert {(one.place, one.secret) for one in found} == {("state/deep/a.log", "key")}


def test_a_secret_that_is_too_short_is_none_that_can_be_looked_for():
    with pytest.raises(AssertionError):
        Leaks(secrets={"pin": "1234"})
