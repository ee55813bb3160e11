"""While the log is away, sessions that were seen lately are known, and no others."""

import pytest

from services.console.problems import Problem
from services.console.web.access import remembering
from services.console.web.access.remembering import REMEMBERED_S, RememberedSessions
from services.console.web.access.sessions import Session, Sessions
from tests.factories import NOW

SESSION = Session(name="ann", csrf="c", mark="m", began_at=NOW, seen_at=NOW)


class Bus:
    """Of a connection what is asked here; the bucket stands behind `Sessions.find`."""

    def __init__(self):
        self.client = self
        self.is_connected = True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def known():
    return {"one": SESSION}


@pytest.fixture
def answers(monkeypatch, known):
    """Whether the bucket answers, and what was asked of it."""
    state = {"answers": True, "asked": []}

    async def find(_self, session_id, **_more):
        state["asked"].append(session_id)
        if not state["answers"]:
            raise Problem(503, "The log does not answer.")
        return known.get(session_id)

    async def end(_self, session_id):
        state["ended"] = session_id

    async def end_all(_self, name):
        state["ended"] = name
        return 1

    for each in (find, end, end_all):
        monkeypatch.setattr(Sessions, each.__name__, each)
    return state


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(bus, clock, answers):
    return RememberedSessions(bus, now=clock)


async def test_who_was_seen_is_known_while_the_log_is_away(sessions, bus, answers):
    assert await sessions.find("one") == SESSION
    bus.is_connected = False
    answers["asked"].clear()
    assert await sessions.find("one") == SESSION
    assert answers["asked"] == [], "it would wait for seconds"


async def test_also_where_the_connection_stands_and_nothing_answers(sessions, answers):
    await sessions.find("one")
    answers["answers"] = False
    assert await sessions.find("one") == SESSION


@pytest.mark.parametrize("connected", [True, False])
async def test_who_was_not_seen_is_not_known(sessions, bus, answers, connected):
    bus.is_connected, answers["answers"] = connected, False
    with pytest.raises(Problem):
        await sessions.find("one")


async def test_who_has_signed_out_is_not_known(sessions, bus, answers, known):
    await sessions.find("one")
    known.clear()
    assert await sessions.find("one") is None
    bus.is_connected = answers["answers"] = False
    with pytest.raises(Problem):
        await sessions.find("one")


@pytest.mark.parametrize(("how", "what"), [("end", "one"), ("end_all", "ann")])
async def test_who_was_signed_out_here_is_not_known(sessions, bus, answers, how, what):
    await sessions.find("one")
    await getattr(sessions, how)(what)
    assert answers["ended"] == what
    bus.is_connected = answers["answers"] = False
    with pytest.raises(Problem):
        await sessions.find("one")


async def test_it_is_forgotten_after_a_while(sessions, bus, answers, clock):
    await sessions.find("one")
    bus.is_connected = answers["answers"] = False
    clock.now = REMEMBERED_S - 1
    assert await sessions.find("one") == SESSION
    # What is remembered is not remembered anew.
    clock.now = REMEMBERED_S
    with pytest.raises(Problem):
        await sessions.find("one")


async def test_only_so_many_are_remembered(sessions, bus, answers, known, monkeypatch):
    monkeypatch.setattr(remembering, "_REMEMBERED_MAX", 2)
    for name in ("one", "two", "three"):
        known[name] = SESSION
        await sessions.find(name)
    bus.is_connected = answers["answers"] = False
    assert await sessions.find("three") == SESSION
    with pytest.raises(Problem):
        await sessions.find("one")
