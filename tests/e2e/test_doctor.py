"""`alertwire doctor` on the whole stack."""

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

WELL = {"ok", "warning"}
OF_THE_KEY = ("access_key", "linked_ip", "secret_key", "permissions", "key_days", "position_mode")


def logs_with(stack, text):
    logs = (stack.directory / "logs").iterdir()
    return [log.name for log in logs if text in log.read_text(errors="replace")]


async def test_a_stack_in_order_is_ok_and_no_secret_is_shown(stack, trader):
    answer = stack.cli("doctor", "paper", "--json")
    document = json.loads(answer.stdout)
    assert answer.returncode == 0, document
    assert {line["line"]: line["state"] for line in document["system"]} == dict.fromkeys(
        ["console", "log", "trail", "clock", "ingest", "router", "executor", "auditor", "lag"], "ok"
    )
    (account,) = document["accounts"]
    states = {found["line"]: found["state"] for found in account["findings"]}
    assert set(states.values()) <= WELL, account
    assert {states[line] for line in OF_THE_KEY} == {"ok"}
    assert 0 < account["key_days_left"] <= 90
    status, latest = await trader.api("GET", "/api/accounts/paper/check")
    assert (status, latest) == (200, account), "what the API says"
    secret = stack.description["demo"]["secret_key"]
    assert secret not in answer.stdout + answer.stderr
    assert logs_with(stack, secret) == []


async def test_what_is_wrong_ends_with_1_and_is_mended_by_what_it_says(stack, trader):
    """The mend is a command, and does what it promises."""
    assert stack.cli("accounts", "edit", "paper", "--position-mode", "one_way").returncode == 0
    try:
        answer = stack.cli("doctor", "paper", "--json")
        (account,) = json.loads(answer.stdout)["accounts"]
        (found,) = (one for one in account["findings"] if one["line"] == "position_mode")
        assert (answer.returncode, found["state"]) == (1, "wrong")
        mend = found["mend"].partition("alertwire ")[2].split()
    finally:
        mended = stack.cli("accounts", "edit", "paper", "--position-mode", "hedge")
    assert mend == ["accounts", "edit", "paper", "--position-mode", "hedge"]
    assert mended.returncode == 0
    assert stack.cli("doctor", "paper").returncode == 0
