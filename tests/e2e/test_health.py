"""`alertwire health` on the whole stack."""

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


async def test_every_process_answers_for_itself(stack, trader):
    answer = stack.cli("health", "--json")
    found = json.loads(answer.stdout)
    services = found["services"]
    assert services["silent"] == []
    assert {(each["service"], each["role"], each["work"]) for each in services["processes"]} == {
        ("ingest", "works", None),
        ("router", "owner", "router"),
        ("executor", "owner", "executor-0"),
        ("auditor", "works", None),
        ("console", "works", None),
    }
    pids = {
        each["service"]: int(each["instance"].rpartition(":")[2]) for each in services["processes"]
    }
    known = stack.description["processes"]
    assert pids == {service: known[service] for service in pids}
    assert all(each["ready"] for each in services["processes"])
    assert found["trail"]["reachable"]
    assert answer.returncode == (1 if found["state"] == "wrong" else 0)
