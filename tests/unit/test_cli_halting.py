"""`alertwire halt`, `resume` and `halts` against a scripted console."""

import json

import pytest

from tests.unit.cli_stand import run
from tools.cli.calling import BY_HEADER

HALT_ID = "019ab0a2-8da0-7000-8000-000000000309"


def control(**changes):
    return {
        "scope": "all",
        "id": None,
        "halt_id": HALT_ID,
        "at": "2026-11-23T12:00:00Z",
        "reason": "",
        "by": "",
        "flatten": False,
        "accounts": ["paper", "second"],
        **changes,
    }


def answers(server, request, document, status=200):
    server.answers[request] = [(status, document)]


def sent(server):
    return json.loads(server.asked[-1][2])


@pytest.mark.parametrize(
    ("options", "scope"),
    [
        ([], {"scope": "all", "id": None}),
        (["--account", "main"], {"scope": "account", "id": "main"}),
        (["--route", "btc"], {"scope": "route", "id": "btc"}),
    ],
)
def test_halt_and_resume_name_what_is_meant(options, scope, stack, server, monkeypatch):
    monkeypatch.setenv("USER", "anna")
    answers(server, "POST /api/halt", {"halt": control(**scope), "new": True})
    answers(server, "POST /api/resume", {"resumed": control(**scope), "halts": []})
    halted = run("halt", *options, "--reason", "enough", stack=stack)
    assert halted.exit_code == 0, halted.output
    assert sent(server) == {**scope, "flatten": False, "reason": "enough", "by": "anna"}
    assert "is halted: entries are denied" in halted.output
    assert run("resume", *options, stack=stack).exit_code == 0
    assert sent(server) == scope


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"ALERTWIRE_BY": "Jürgen\n", "USER": "anna"}, "Jürgen"),
        ({"USER": "anna"}, "anna"),
        ({"LOGNAME": "ben"}, "ben"),
    ],
)
def test_the_console_is_told_who_asks(environ, name, stack, server, monkeypatch):
    for variable in ("ALERTWIRE_BY", "USER", "LOGNAME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    answers(server, "POST /api/resume", {"resumed": control(), "halts": []})
    run("resume", stack=stack)
    sent_name = server.asked[-1][1][BY_HEADER]
    assert sent_name.encode("latin-1").decode() == name


def test_a_flatten_says_how_to_follow_it(stack, server):
    answers(server, "POST /api/halt", {"halt": control(flatten=True), "new": True})
    answer = run("halt", "--flatten", stack=stack)
    assert sent(server)["flatten"] is True
    assert f"closing what paper, second holds: alertwire trace {HALT_ID}" in answer.output


def test_what_was_halted_before_is_told_as_such(stack, server):
    answers(server, "POST /api/halt", {"halt": control(), "new": False})
    answer = run("halt", stack=stack)
    assert "everything is halted since 2026-11-23T12:00:00Z" in answer.output


@pytest.mark.parametrize(
    ("options", "said", "halted"),
    [
        (["--flatten"], "n\n", False),
        (["--flatten"], "y\n", True),
        (["--flatten", "--yes"], "", True),
        (["--flatten", "--route", "btc"], "", True),
        ([], "", True),
    ],
)
def test_closing_everything_is_asked_for_once_more_at_a_terminal(
    options, said, halted, stack, server, monkeypatch
):
    monkeypatch.setattr("tools.cli.halting.is_terminal", lambda: True)
    answers(server, "POST /api/halt", {"halt": control(flatten=True), "new": True})
    answer = run("halt", *options, stack=stack, input=said)
    assert (answer.exit_code, len(server.asked)) == ((0, 1) if halted else (1, 0))


def test_a_script_is_not_asked(stack, server):
    answers(server, "POST /api/halt", {"halt": control(flatten=True), "new": True})
    assert run("halt", "--flatten", stack=stack).exit_code == 0


@pytest.mark.parametrize("command", ["halt", "resume"])
def test_two_scopes_are_wrong_use(command, stack, server):
    answer = run(command, "--account", "a", "--route", "b", stack=stack)
    assert (answer.exit_code, server.asked) == (2, [])


def test_a_resume_tells_what_is_halted_still(stack, server):
    still = [control(scope="route", id="btc\x1b[31m")]
    answers(server, "POST /api/resume", {"resumed": control(), "halts": still})
    answer = run("resume", stack=stack)
    assert answer.output.startswith("everything is resumed\nstill halted: route btc")
    assert "\x1b" not in answer.output


def test_what_is_not_halted_is_an_error(stack, server):
    answers(server, "POST /api/resume", {"detail": "everything is not halted"}, status=404)
    answer = run("resume", stack=stack)
    assert (answer.exit_code, "not halted" in answer.output) == (1, True)


def test_halts_lists_what_is_halted(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    answers(server, "GET /api/halt", {"halts": []})
    assert run("halts", stack=stack).output == "nothing is halted\n"
    one = control(scope="account", id="main", flatten=True, by="anna", reason="enough")
    answers(server, "GET /api/halt", {"halts": [one]})
    printed = run("halts", stack=stack).output
    assert all(word in printed for word in ("account main", HALT_ID, "anna", "enough"))


@pytest.mark.parametrize(
    ("command", "request_", "document"),
    [
        ("halt", "POST /api/halt", {"halt": control(), "new": True}),
        ("resume", "POST /api/resume", {"resumed": control(), "halts": []}),
        ("halts", "GET /api/halt", {"halts": [control()]}),
    ],
)
def test_json_is_the_consoles_answer(command, request_, document, stack, server):
    answers(server, request_, document)
    assert json.loads(run(command, "--json", stack=stack).output) == document
