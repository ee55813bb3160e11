"""docs/paper-exchange.md names everything that the paper exchange answers, and nothing else."""

import re
from pathlib import Path

import msgspec
import pytest

from tools.paper_exchange.control.answering import described
from tools.paper_exchange.control.behaviour import Behaviour
from tools.paper_exchange.control.faults import FaultKind
from tools.paper_exchange.edge.pushes import PUSHES
from tools.paper_exchange.edge.topics import read_kind
from tools.paper_exchange.rest.limits import Rule
from tools.paper_exchange.rest.routes import PRIVATE, PUBLIC, ROUTES

PAGE = (Path(__file__).parents[2] / "docs" / "paper-exchange.md").read_text()
NAMED = set(re.findall(r"`([^`\s]+)`", PAGE))
ENDPOINTS = {route.pattern.removeprefix(PRIVATE).removeprefix(PUBLIC) for route in ROUTES}


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("endpoint", sorted(ENDPOINTS))
def test_every_endpoint_is_named(endpoint):
    assert endpoint in NAMED


def test_no_endpoint_is_made_up():
    rows = [row for row in section("REST").splitlines() if row.startswith("| ")]
    named = {word for row in rows for word in re.findall(r"`([^`\s]+)`", row.split(" | ")[0])}
    absent = {"/api/v3/capital/transfer", "account/contract/fee_rate"}
    assert {word for word in named if "/" in word} - absent <= ENDPOINTS


@pytest.mark.parametrize("push", sorted({push.channel for push in PUSHES.values()}))
def test_every_private_push_is_named(push):
    assert push in re.findall(r"`([^`\s]+)`", section("WebSocket `/edge`"))


def test_every_topic_that_is_named_exists():
    row = next(line for line in section("WebSocket `/edge`").splitlines() if "`sub.`" in line)
    named = re.findall(r"`([^`\s]+)`", row.split(" | ")[0])
    for kind in named:
        if kind not in {"sub.", "unsub."}:
            assert read_kind(kind) == kind
    assert len(named) > 10


@pytest.mark.parametrize("switch", msgspec.structs.fields(Behaviour), ids=lambda field: field.name)
def test_every_switch_is_named(switch):
    assert switch.name in NAMED


@pytest.mark.parametrize("kind", FaultKind)
def test_every_fault_is_named(kind):
    assert kind in NAMED


@pytest.mark.parametrize("call", msgspec.json.decode(described().body)["control"])
def test_every_control_call_is_named(call):
    method, path = call.replace("/_paper/", "").split(" ", 1)
    text = section("Control")
    assert f"{method} {path.partition('?')[0]}" in text or f"{method} {path.split('/')[0]}`" in text


@pytest.mark.parametrize("rule", Rule)
def test_every_limit_is_named(rule):
    assert rule in PAGE
