"""A replay as a page shows it."""

import pytest

from services.console.documents import plain
from services.console.explaining import shown as explained_as
from services.console.replaying import differences, then_of
from services.console.web.alert.replays import DIFFERENCES_MAX, comparison
from tests.factories import make_alert, make_intent, make_order
from tests.journeys import JOURNEYS, PAGES, PAUSED, leg, shell_of
from tests.traced import rows_of
from tests.trail_messages import make_denied, make_plan

PLANNED = rows_of(make_alert(), make_intent(), make_plan(leg(), steps=("<b>a step</b>",)))


def account(**changes):
    known = {
        "account": "paper",
        "outcome": "planned",
        "denied_by": None,
        "denial": None,
        "intent": None,
        "legs": plain((leg(),)),
        "changes": [],
        "withheld": None,
        "summary": "",
        "steps": [],
        "picture": {"holdings": [{"side": "short", "contracts": "3"}]},
        "problem": None,
    }
    return {**known, **changes}


def shown_intent(**changes):
    return explained_as(make_intent(**changes))


def replay(rows, *accounts, **now):
    then = then_of(rows)
    order = plain(make_order()) if then["order"] else None
    today = {"order": order, "refusal": None, "problem": None, "accounts": list(accounts), **now}
    return {
        "then": then,
        "now": today,
        "differences": list(differences(then, today)),
        "notes": ["as if it came now"],
    }


def shown(document):
    return PAGES.text("alert/replay.html", shell=shell_of(), replay=comparison(document))


def test_the_same():
    found = comparison(replay(PLANNED, account()))
    assert found.verdict == "same"
    [pair] = found.pairs
    assert pair.then is not None
    assert pair.now is not None
    assert (pair.then.words, pair.then.held) == ("open long 10 on paper", "nothing")
    assert (pair.now.words, pair.now.held) == ("open long 10 on paper", "short 3")
    html = shown(replay(PLANNED, account()))
    assert "The same." in html
    assert "&lt;b&gt;a step&lt;/b&gt;" in html


def test_fields_that_differ_are_named_with_their_account():
    intent = shown_intent(leverage=20)
    [found] = comparison(replay(PLANNED, account(intent=intent))).differences
    assert (found.what, found.then, found.now) == ("paper: intent.leverage", "10", "20")
    assert "It differs." in shown(replay(PLANNED, account(intent=intent)))


def test_a_plan_that_is_denied_today_differs():
    denied = account(outcome="denied", denied_by="executor", denial=plain(PAUSED), legs=[])
    found = comparison(replay(PLANNED, denied))
    assert found.verdict == "differs"
    assert found.pairs[0].now is not None
    assert found.pairs[0].now.words == "route_paused: route demo is paused"


def test_what_was_denied_for_all_accounts_stands_with_each():
    rows = rows_of(make_alert(), make_denied(denial=PAUSED))
    found = comparison(replay(rows, account()))
    assert [pair.account for pair in found.pairs] == ["paper"]
    assert found.pairs[0].then is not None
    assert found.pairs[0].then.outcome == "denied"
    assert found.verdict == "differs"


@pytest.mark.parametrize(
    "document",
    [
        replay(PLANNED, problem="no ingest has answered", order=None),
        replay(PLANNED, account(problem="no executor has answered", outcome="unplanned")),
    ],
    ids=["nobody", "no executor"],
)
def test_what_nobody_answers_is_not_known(document):
    if not document["now"]["accounts"]:
        document["then"]["accounts"] = []
    assert comparison(document).verdict == "untold"
    assert "has answered" in shown(document)


def test_hundreds_of_differences_are_cut():
    document = replay(PLANNED, account())
    document["differences"] = [{"what": str(n), "then": n, "now": None} for n in range(200)]
    found = comparison(document)
    assert (len(found.differences), found.more) == (DIFFERENCES_MAX, 200 - DIFFERENCES_MAX)


@pytest.mark.parametrize("name", [name for name in JOURNEYS if "halt" not in name])
def test_every_journey_can_be_shown_beside_today(name):
    document = replay(rows_of(*JOURNEYS[name][0]), account(intent=shown_intent()))
    assert '<div class="replayed">' in shown(document)
