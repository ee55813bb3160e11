"""`alertwire changes` against a scripted console; its table is in docs/command-line.md."""

import json

import pytest

from tests.unit.cli_stand import run

CHANGE = {
    "at": "2026-11-23T12:00:00.123456Z",
    "made_by": None,
    "kind": "route",
    "scope": None,
    "id": "demo",
    "how": "deleted",
    "fields": [],
    "revision": 17,
}


def answers(server, query, *changes, next_=None):
    page = {"changes": list(changes), "next": next_}
    server.answers[f"GET /api/changes?{query}"] = [(200, page)]
    return page


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ([], "limit=20"),
        (["--account", "a&b"], "limit=20&account=a%26b"),
        (["--limit", "5", "--before", "1-KV_routes-2"], "limit=5&before=1-KV_routes-2"),
    ],
)
def test_what_is_asked_for_is_handed_on(options, query, stack, server):
    answers(server, query)
    assert run("changes", *options, stack=stack).output == "nothing was changed\n"


def test_json_is_the_consoles_answer(stack, server):
    page = answers(server, "limit=20", CHANGE, next_="1-KV_routes-2")
    assert json.loads(run("changes", "--json", stack=stack).output) == page


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "route demo deleted"),
        ({"kind": "secret", "id": "main", "how": "created"}, "secret main created"),
        ({"kind": "control", "scope": "all", "id": None}, "everything resumed"),
        ({"kind": "control", "scope": "account", "id": "a", "how": "created"}, "account a halted"),
        (
            {"kind": "control", "scope": "all", "id": None, "how": "changed"},
            "everything halted anew",
        ),
    ],
)
def test_a_change_is_told_in_words(change, told, stack, server):
    answers(server, "limit=20", {**CHANGE, **change})
    line = run("changes", stack=stack).output.splitlines()[2]
    assert line.startswith("2026-11-23T12:00:00Z   -")
    assert line.rstrip().endswith(f"   {told}")


def test_what_a_terminal_would_obey_is_not_printed(stack, server):
    field = {"field": "x\x1b[31m", "old": None, "new": "\x1b[0m", "hidden": False}
    answers(server, "limit=20", {**CHANGE, "made_by": "eve\x1b]0;", "fields": [field]})
    assert "\x1b" not in run("changes", stack=stack).output
