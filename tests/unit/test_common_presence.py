"""What a process answers to the question who is there."""

import json
import os
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from libs.common.contracts import presence
from libs.common.contracts.presence import Presence, Role
from libs.common.health import Health
from libs.common.owning import Ownership
from libs.common.presence import presence_of
from tests.factories import NOW

GOLDEN = (
    b'{"type":"presence","service":"executor","instance":"node-1:17","version":"0.7.0",'
    b'"started_at":"2026-11-23T12:00:00Z","ready":false,"at":"2026-11-23T12:00:00Z",'
    b'"missing":{"log":"not connected"},"role":"stands_by","work":"executor-0"}'
)
EXECUTOR = Presence(
    service="executor",
    instance="node-1:17",
    version="0.7.0",
    started_at=NOW,
    ready=False,
    at=NOW,
    missing={"log": "not connected"},
    role=Role.STANDS_BY,
    work="executor-0",
)


def test_the_answer_is_what_it_was():
    """Processes of two releases ask each other while one is rolled out."""
    assert presence.encode(EXECUTOR) == GOLDEN
    assert presence.decode(GOLDEN) == EXECUTOR
    later = {**json.loads(GOLDEN), "added_later": [1]}
    assert presence.decode(msgspec.json.encode(later)) == EXECUTOR


def test_a_process_that_is_not_ready_says_what_it_misses():
    before = datetime.now(UTC)
    health = Health("router", starting=True)
    health.add("routes", lambda: "not read yet")
    told = presence_of(health, now=NOW)
    assert (told.service, told.ready, told.at) == ("router", False, NOW)
    assert told.missing == {"routes": "not read yet", "start": "still starting"}
    assert told.instance == f"{os.uname().nodename}:{os.getpid()}"
    assert before - timedelta(seconds=1) < told.started_at <= datetime.now(UTC)
    assert told.version


def test_a_process_without_a_lease_works():
    told = presence_of(Health("ingest"), now=NOW)
    assert (told.ready, told.missing, told.role, told.work) == (True, {}, Role.WORKS, "")


@pytest.mark.parametrize("role", ["owner", "stands_by", "waits"])
def test_under_a_lease_it_says_what_it_is_to_it(role):
    ownership = Ownership("executor-3")
    health = Health("executor")
    health.tell_role(ownership.role)
    if role == "owner":
        ownership.confirm(asked_at=NOW, monotonic_at=0.0)
    ownership.stands_by = role == "stands_by"
    told = presence_of(health, now=NOW)
    assert (told.role.value, told.work) == (role, "executor-3")
    ownership.lose()
    assert presence_of(health, now=NOW).role is not Role.OWNER


OWNER, STANDS_BY, WAITS = Role.OWNER, Role.STANDS_BY, Role.WAITS


def leases(*roles):
    return {f"router-{shard}-of-3": role for shard, role in enumerate(roles)}


@pytest.mark.parametrize(
    ("roles", "role", "work"),
    [
        ((OWNER, STANDS_BY, OWNER), OWNER, "router-0-of-3, router-2-of-3"),
        ((WAITS, STANDS_BY, WAITS), STANDS_BY, "router-1-of-3"),
        ((WAITS, WAITS, WAITS), WAITS, "router-0-of-3, router-1-of-3, router-2-of-3"),
    ],
    ids=["owner", "stands-by", "waits"],
)
def test_of_several_leases_it_says_the_most_that_it_is_to_any(roles, role, work):
    health = Health("router")
    health.tell_roles(lambda: [(each, name) for name, each in leases(*roles).items()])
    told = presence.decode(presence.encode(presence_of(health, now=NOW)))
    assert (told.role, told.work, told.leases) == (role, work, leases(*roles))
    assert [told.owns(name) for name in leases(*roles)] == [each is OWNER for each in roles]


def test_what_an_older_release_owns_is_known_from_its_role():
    older = msgspec.structs.replace(EXECUTOR, role=Role.OWNER)
    assert older.owns("executor-0")
    assert not older.owns("executor-1")
    assert not EXECUTOR.owns("executor-0")
