"""What was decided then beside what would be decided today."""

import pytest

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import MarginMode
from services.console.comparing import DIFFERENCES_MAX, arrival_of, compared
from services.console.documents import plain
from tests.factories import D, make_alert, make_intent, make_order
from tests.journeys import JOURNEYS, PAUSED, leg, refused
from tests.traced import rows_of
from tests.trail_messages import make_denied, make_flattening, make_plan


def account(**changes):
    known = {
        "account": "paper",
        "outcome": "planned",
        "denial": None,
        "intent": plain(make_intent()),
        "legs": plain((leg("other"),)),
        "changes": [],
        "withheld": None,
        "problem": None,
    }
    return {**known, **changes}


def explained(*accounts, **changes):
    known = {
        "order": plain(make_order()),
        "refusal": None,
        "problem": None,
        "accounts": accounts,
        "assumptions": [],
    }
    return {**known, **changes}


THEN = rows_of(make_alert(), make_intent(), make_plan(leg()))


def differences(rows, explanation):
    found = compared(rows, explanation)
    own = found["differences"] + [each for one in found["accounts"] for each in one["differences"]]
    return found["outcome"], [(each["what"], each["then"], each["now"]) for each in own]


def test_ids_and_sentences_are_no_difference():
    intent = plain(make_intent(steps=("said in other words",)))
    assert differences(THEN, explained(account(intent=intent))) == ("same", [])


def test_every_field_that_differs_is_named():
    now = account(
        intent=plain(make_intent(leverage=20, contracts=D(5))),
        legs=plain((leg(contracts=D(5), leverage=20, margin_mode=MarginMode.ISOLATED),)),
    )
    assert differences(THEN, explained(now)) == (
        "differs",
        [
            ("intent.contracts", "10", "5"),
            ("intent.leverage", "10", "20"),
            ("order 1.contracts", "10", "5"),
            ("order 1.margin_mode", "cross", "isolated"),
            ("order 1.leverage", "10", "20"),
        ],
    )


def test_what_was_planned_may_be_denied_today_and_the_other_way_round():
    denied = account(outcome="denied", denial=plain(PAUSED), intent=None, legs=[])
    assert differences(THEN, explained(denied)) == (
        "differs",
        [
            ("outcome", "planned", "denied"),
            ("denied", "-", "route_paused: route demo is paused"),
        ],
    )
    then = rows_of(make_alert(), make_denied(account="paper", denial=PAUSED))
    outcome, found = differences(then, explained(account()))
    assert outcome == "differs"
    assert found[:2] == [
        ("outcome", "denied", "planned"),
        ("denied", "route_paused: route demo is paused", "-"),
    ]


def test_a_denial_for_the_same_reason_with_other_numbers_differs_in_them():
    then = rows_of(make_alert(), make_denied(denial=PAUSED))
    other = Denial(reason=Reason.ROUTE_PAUSED, message="in other words", context={"since": "13:00"})
    now = account(outcome="denied", denial=plain(other), intent=None, legs=[])
    assert differences(then, explained(now)) == (
        "differs",
        [("denied.context.since", "12:00", "13:00")],
    )


def test_what_nobody_answers_is_not_known():
    silent = account(outcome="unplanned", problem="no executor", intent=None, legs=[])
    assert differences(THEN, explained(silent)) == ("untold", [])
    found = explained(problem="no ingest", order=None)
    assert compared(THEN, found)["outcome"] == "differs"
    assert compared(rows_of(make_alert()), found)["outcome"] == "untold"


def test_what_was_refused_and_is_taken_today():
    assert differences(rows_of(refused()), explained(account()))[1][0] == (
        "arrival",
        "refused, 415 not_a_json_object",
        "accepted",
    )
    now = explained(order=None, refusal={"status": 415, "reason": "not_a_json_object"})
    assert differences(rows_of(refused()), now) == ("same", [])


def test_an_account_that_the_route_trades_no_longer():
    assert differences(THEN, explained()) == ("differs", [("outcome", "planned", "not traded")])


def test_what_differs_in_hundreds_of_parts_is_cut():
    rows = rows_of(make_alert(), make_plan(*(leg(f"o{number}") for number in range(200))))
    legs = plain(tuple(leg(f"o{number}", contracts=D(1)) for number in range(200)))
    [found] = compared(rows, explained(account(legs=legs)))["accounts"]
    assert len(found["differences"]) == DIFFERENCES_MAX
    assert found["has_more"]


def test_a_halts_closing_came_from_nowhere():
    assert arrival_of(rows_of(make_flattening())) is None


@pytest.mark.parametrize("name", [name for name in JOURNEYS if "halt" not in name])
def test_every_journey_can_be_compared(name):
    found = compared(rows_of(*JOURNEYS[name][0]), explained(account()))
    assert found["outcome"] in {"same", "differs", "untold"}
    assert not found["sent"]
