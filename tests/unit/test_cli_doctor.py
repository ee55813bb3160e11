"""`alertwire doctor`: what it prints and exits with; its JSON is what the API says."""

import json
from datetime import UTC, datetime

import pytest

from tests.unit.cli_stand import run
from tools.cli.doctor import exit_status, worst
from tools.cli.doctor_system import clock_line, lag_line

READY = {"service": "console", "status": "ready", "missing": {}}
CHECK = "POST /api/accounts/main/check"
NOW = datetime(2026, 11, 23, 12, 0, 0, 400_000, tzinfo=UTC)


def found(line, state, evidence="seen", mend="", **more):
    empty = {"route": None, "symbol": None}
    return {"line": line, "state": state, "evidence": evidence, "mend": mend, **empty, **more}


def checked(account="main", *findings):
    findings = findings or (found("egress", "ok"),)
    return {
        "account": account,
        "state": worst(one["state"] for one in findings),
        "findings": [*findings],
    }


@pytest.fixture
def console(server):
    server.answers["GET /health/ready"] = [(200, READY)]
    server.answers["GET /api/accounts"] = [(200, {"accounts": [{"id": "main"}, {"id": "two"}]})]
    for name in ("main", "two"):
        server.answers[f"POST /api/accounts/{name}/check"] = [(200, checked(name))]
    return server


@pytest.mark.parametrize(
    ("state", "plain", "strict"),
    [("ok", 0, 0), ("warning", 0, 1), ("wrong", 1, 1), ("unknown", 1, 1), ("not_reached", 1, 1)],
)
def test_the_exit_status_is_the_worst_states(console, stack, state, plain, strict):
    assert (exit_status(state, strict=False), exit_status(state, strict=True)) == (plain, strict)
    console.answers[CHECK] = [(200, checked("main", found("egress", "ok"), found("clock", state)))]
    assert run("doctor", "main", stack=stack).exit_code == plain
    assert run("doctor", "main", "--strict", stack=stack).exit_code == strict


def test_the_worst_of_several_states_counts():
    assert worst(["ok", "warning", "not_reached", "unknown", "wrong"]) == "wrong"
    assert worst(["ok", "warning", "not_reached", "unknown"]) == "unknown"
    assert worst([]) == "ok"


def test_without_an_account_all_are_looked_at(console, stack):
    answer = run("doctor", "--json", stack=stack)
    document = json.loads(answer.stdout)
    assert [one["account"] for one in document["accounts"]] == ["main", "two"]
    assert document["accounts"][0] == checked("main"), "what the API says, to the letter"
    assert document["state"] == "ok"
    assert [line["line"] for line in document["system"]] == ["console", "log", "trail", "clock"]
    assert answer.exit_code == 0


def test_one_account_is_looked_at_alone(console, stack):
    document = json.loads(run("doctor", "two", "--json", stack=stack).stdout)
    assert [one["account"] for one in document["accounts"]] == ["two"]


def test_a_person_reads_mark_line_evidence_and_mend(console, stack):
    told = checked(
        "main",
        found("egress", "ok", "echo services see 203.0.113.9"),
        found("linked_ip", "wrong", "refused: code 406", "add 203.0.113.9"),
        found("permissions", "not_reached"),
        found("leverage", "not_reached"),
        found("symbol", "ok", "enabled", route="demo", symbol="BTC_USDT"),
    )
    console.answers[CHECK] = [(200, told)]
    answer = run("doctor", "main", stack=stack)
    lines = [" ".join(line.split()) for line in answer.stdout.splitlines()]
    assert "✓ egress echo services see 203.0.113.9" in lines
    assert lines[lines.index("✗ linked_ip refused: code 406") + 1] == "→ add 203.0.113.9"
    assert "✓ symbol BTC_USDT of demo: enabled" in lines
    assert "· not reached permissions, leverage" in lines
    assert lines[-1] == "wrong: 6 ok, 1 wrong, 2 not reached"
    assert answer.exit_code == 1


def test_an_executor_that_does_not_answer_is_told_and_the_others_are_looked_at(console, stack):
    console.answers[CHECK] = [(503, {"detail": "No executor has answered."})]
    answer = run("doctor", "--json", stack=stack)
    first, second = json.loads(answer.stdout)["accounts"]
    assert (first["state"], first["problem"]) == ("unknown", "No executor has answered.")
    assert (second["state"], answer.exit_code) == ("ok", 1)
    assert "No executor has answered." in run("doctor", "main", stack=stack).stdout


def test_an_account_that_is_not_there_is_said(console, stack):
    answer = run("doctor", "nobody", stack=stack)
    assert (answer.exit_code, "nobody" in answer.output) == (1, True)


def test_without_a_console_nothing_else_is_asked(stack, server):
    description = json.loads((stack / "stack.json").read_text())
    (stack / "stack.json").write_text(json.dumps({**description, "console": "http://127.0.0.1:1"}))
    answer = run("doctor", "--json", stack=stack)
    document = json.loads(answer.stdout)
    assert [(one["line"], one["state"]) for one in document["system"]] == [("console", "wrong")]
    assert (document["accounts"], answer.exit_code) == ([], 1)


def test_what_the_console_does_not_reach_is_told(console, stack):
    missing = {"log": "not connected to NATS", "trail": "away"}
    console.answers["GET /health/ready"] = [(503, {**READY, "missing": missing})]
    document = json.loads(run("doctor", "main", "--json", stack=stack).stdout)
    states = {one["line"]: one["state"] for one in document["system"]}
    assert states == {"console": "ok", "log": "wrong", "trail": "warning", "clock": "ok"}


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("Mon, 23 Nov 2026 12:00:00 GMT", "ok"),
        ("Mon, 23 Nov 2026 12:00:03 GMT", "warning"),
        ("Mon, 23 Nov 2026 11:59:20 GMT", "wrong"),
        ("", "ok"),
        ("nonsense", "ok"),
    ],
)
def test_the_two_clocks_are_compared(told, state):
    assert clock_line(told, now=NOW)["state"] == state


@pytest.mark.parametrize(
    ("metrics", "state"),
    [
        ("alertwire_audit_lag_messages 0.0\n", "ok"),
        (
            "".join(f'alertwire_audit_lag_messages{{stream="{s}"}} 700.0\n' for s in "AB"),
            "warning",
        ),
        ("# HELP\nalertwire_audit_lag_messages 1.5e+06\n", "warning"),
        ("", "unknown"),
    ],
)
def test_how_far_the_trail_is_behind_is_told(metrics, state):
    assert lag_line(metrics)["state"] == state


def test_it_is_known_which_option_is_wrong_use(stack):
    assert run("doctor", "--no-such", stack=stack).exit_code == 2


def test_an_account_is_edited_by_what_is_named(console, stack):
    console.answers["PATCH /api/accounts/main"] = [(200, {"id": "main"})]
    command = ["accounts", "edit", "main", "--position-mode", "one_way"]
    command += ["--expected-address", "203.0.113.9", "--secret-key-file", "-"]
    answer = run(*command, stack=stack, input="very-secret\n")
    assert answer.exit_code == 0, answer.output
    assert json.loads(console.asked[-1][2]) == {
        "position_mode": "one_way",
        "expected_addresses": ["203.0.113.9"],
        "secret_key": "very-secret",
    }
    assert "very-secret" not in answer.output
    assert run("accounts", "edit", "main", stack=stack).exit_code == 2


def test_expected_addresses_can_be_taken_back(console, stack):
    console.answers["PATCH /api/accounts/main"] = [(200, {"id": "main"})]
    edit = ("accounts", "edit", "main", "--any-address")
    assert run(*edit, stack=stack).exit_code == 0
    assert json.loads(console.asked[-1][2]) == {"expected_addresses": []}
    assert run(*edit, "--expected-address", "203.0.113.9", stack=stack).exit_code == 2
