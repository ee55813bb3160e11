"""Changes by hand in words."""

import pytest

from services.console.web.changes.telling import change_line


def change(**changes):
    document = {
        "at": "2026-11-29T14:00:00Z",
        "made_by": "anna from 192.0.2.7",
        "kind": "route",
        "scope": None,
        "id": "btc",
        "how": "changed",
        "fields": [],
        "revision": 1,
    }
    return {**document, **changes}


@pytest.mark.parametrize(
    ("told", "what", "how", "page"),
    [
        ({}, "route btc", "changed", "/routes/btc"),
        ({"how": "deleted"}, "route btc", "deleted", None),
        ({"kind": "account", "id": "main"}, "account main", "changed", "/accounts/main"),
        ({"kind": "secret", "id": "main"}, "secret key of main", "changed", None),
        (
            {"kind": "control", "scope": "all", "id": None, "how": "created"},
            *("everything", "halted", "/halts"),
        ),
        (
            {"kind": "control", "scope": "route", "how": "deleted"},
            *("route btc", "resumed", "/halts"),
        ),
    ],
    ids=["route", "deleted", "account", "secret", "halt", "resume"],
)
def test_what_was_changed_has_a_name_and_a_page(told, what, how, page):
    line = change_line(change(**told))
    assert (line.what, line.how, line.page) == (what, how, page)


def field(old, new, *, hidden=False):
    fields = [{"field": "x", "old": old, "new": new, "hidden": hidden}]
    [line] = change_line(change(fields=fields)).fields
    return line.old, line.new


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (10, 3, ("10", "3")),
        (None, "3", (None, "3")),
        (True, False, ("yes", "no")),
        ([], ["a", "b"], (None, "a, b")),
        ([{"account": "a", "multiplier": "1"}], None, ("account a multiplier 1", None)),
        ("", "x" * 400, (None, "x" * 300 + "…")),
    ],
    ids=["number", "new", "flags", "list", "parts", "long"],
)
def test_values_are_words(old, new, words):
    assert field(old, new) == words


def test_a_halts_own_clock_and_id_are_not_told_twice():
    fields = [
        {"field": name, "old": None, "new": "x", "hidden": False} for name in ("at", "by", "reason")
    ]
    halted = change(kind="control", scope="all", id=None, how="created", fields=fields)
    assert [line.field for line in change_line(halted).fields] == ["reason"]
    assert len(change_line(change(fields=fields)).fields) == 3
