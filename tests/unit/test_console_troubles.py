"""What counts as wrong with the installation, and where it leads."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from libs.common.contracts.presence import Role
from libs.common.topology import AUDITOR, ROUTER
from services.console import troubles
from services.console.presences import SERVICES
from services.console.troubles import AccountSeen, Seen, TrailState, state_of, troubles_of
from services.console.vitals import document
from tests.diagnosed import make_checkup, make_finding
from tests.factories import NOW
from tests.vital_signs import ALL, LAGS, WELL, ago, lag, process, without

ROOT = Path(__file__).parents[2]


def told(**changes):
    return [
        (each.weight.value, each.part, each.what, each.text)
        for each in troubles_of(replace(WELL, **changes))
    ]


def test_where_all_is_well_nothing_is_told():
    assert told() == []
    assert document(WELL)["state"] == "ok"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_nobody_answers_for_is_told_once(service):
    assert told(presences=without(service)) == [("wrong", "services", service, "nobody answers")]


def test_who_is_not_ready_says_why():
    alone = process("ingest", ready=False, missing={"log": "not connected to NATS"})
    text = "not ready: log: not connected to NATS"
    assert told(presences=[*without("ingest"), alone]) == [("wrong", "services", "ingest", text)]
    beside = process("ingest", 2, ready=False, missing={"log": "not connected to NATS"})
    assert told(presences=[*ALL, beside]) == [("warning", "services", "ingest node:2", text)]


@pytest.mark.parametrize("role", [Role.STANDS_BY, Role.WAITS])
def test_work_that_nobody_owns_is_wrong(role):
    bystander = process("executor", role=role)
    assert told(presences=[*without("executor"), bystander]) == [
        ("wrong", "services", "executor-0", "nobody works at it")
    ]


def test_a_shard_without_a_router_is_found_among_several():
    names = [f"router-{shard}-of-3" for shard in range(3)]
    first = process("router", 1, work=names[0], leases={names[0]: Role.OWNER, names[1]: Role.WAITS})
    second = process("router", 2, work=names[2], leases={names[2]: Role.OWNER})
    lags = [*(lag(name) for name in names), *LAGS[1:]]
    assert told(presences=[*without("router"), first, second], lags=lags) == [
        ("wrong", "services", names[1], "nobody works at it")
    ]


def test_a_shard_without_an_executor_is_found():
    assert told(lags=[*LAGS, lag("executor-1")]) == [
        ("wrong", "services", "executor-1", "nobody works at it")
    ]


@pytest.mark.parametrize(
    ("late", "weights"),
    [
        (lag(ROUTER, waiting=200), []),
        (lag(ROUTER, waiting=201), ["warning"]),
        (lag("executor-0", oldest_at=ago(60)), []),
        (lag("executor-0", oldest_at=ago(61)), ["wrong"]),
        (lag(AUDITOR, waiting=100_000), []),
        (lag(AUDITOR, oldest_at=ago(61)), ["warning"]),
        # Two clocks.
        (lag("executor-0", oldest_at=ago(-500)), []),
    ],
    ids=[
        *("as many as may", "too many", "as old as may", "stuck", "auditor busy"),
        *("auditor behind", "from the future"),
    ],
)
def test_a_reader_that_is_behind(late, weights):
    place = (late.stream, late.name)
    lags = [late if (each.stream, each.name) == place else each for each in LAGS]
    assert [weight for weight, *_ in told(lags=lags)] == weights


def test_the_trail():
    away = TrailState(problem="ConnectionRefusedError")
    assert told(trail=away)[0][:3] == ("wrong", "trail", "postgres")
    behind = TrailState(seq=3, stored_at=NOW, behind_messages=14, oldest_missing_at=ago(61))
    assert told(trail=behind) == [
        ("warning", "trail", "postgres", "the trail is 61 s behind the log")
    ]
    assert told(trail=replace(behind, oldest_missing_at=ago(59))) == []


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        (None, []),
        (make_checkup(make_finding("clock", "wrong"), make_finding("balance", "wrong")), ["wrong"]),
        (make_checkup(make_finding("clock", "warning")), ["warning"]),
        (make_checkup(make_finding("clock", "unknown")), ["warning"]),
        (make_checkup(make_finding("clock"), key_days_left=14), []),
        (make_checkup(make_finding("key_days", "warning"), key_days_left=13), ["warning"]),
        (make_checkup(make_finding("linked_ip", "wrong"), stopped=True), ["wrong"]),
    ],
    ids=["unchecked", "wrong", "warning", "unknown", "14 days", "13 days", "stopped"],
)
def test_an_accounts_last_checkup(checked, expected):
    found = told(accounts=[AccountSeen(account="paper", checked=checked)])
    assert [weight for weight, *_ in found] == expected
    assert {what for _, _, what, _ in found} <= {"paper"}


def test_without_the_log_each_part_says_so_and_the_trail_stands():
    away = Seen(
        at=NOW,
        presences_problem="not connected",
        log_problem="not connected",
        lags_problem="not connected",
        accounts_problem="not connected",
        trail=TrailState(seq=17, stored_at=NOW),
    )
    found = document(away)
    assert found["state"] == "wrong"
    assert {each["part"] for each in found["troubles"]} == {"services", "log", "accounts"}
    # Nobody was asked, so nobody was silent.
    assert found["services"]["silent"] is None
    assert found["trail"]["reachable"]
    assert found["trail"]["behind_messages"] is None


def test_the_worst_comes_first():
    found = troubles_of(
        replace(WELL, presences=without("ingest"), lags=[lag(ROUTER, waiting=999), *LAGS[1:]])
    )
    assert [each.weight.value for each in found] == ["wrong", "warning"]
    assert state_of(found) == "wrong"
    assert state_of(found[1:]) == "warning"


def test_every_trouble_leads_to_a_section_of_the_runbook():
    source = Path(troubles.__file__).read_text()
    named = set(re.findall(r'"(alertwire[a-z]+)"', source))
    page = (ROOT / "docs/runbook.md").read_text()
    headings = re.findall(r"^## (Alertwire\w+)$", page, re.MULTILINE)
    assert len(named) >= 9
    assert named <= {heading.lower() for heading in headings}
