"""What the outage measurement makes of its figures."""

from dataclasses import replace

import pytest

from bench.figures import spread
from bench.outage.report import complaints, story, table
from bench.outage.running import Outcome, Phase


def make_phase(**changes):
    values = {
        "name": "before",
        "sent": 10,
        "accepted": 10,
        "missing": 0,
        "doubled": 0,
        "ack_ms": spread([1.0, 2.0]),
        "order_ms": spread([5.0, 9.0]),
    }
    return Phase(**{**values, **changes})


def make_outcome(**changes):
    values = {
        "phases": [make_phase()],
        "lag_largest": 1200,
        "answers_after_s": 4.0,
        "caught_up_after_s": 6.5,
        "messages": 90,
        "rows": 90,
    }
    return replace(Outcome(), **{**values, **changes})


def test_a_whole_outcome_has_no_complaint():
    assert complaints(make_outcome()) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"phases": [make_phase(accepted=8)]}, "before: 2 alerts were not accepted"),
        ({"phases": [make_phase(missing=1)]}, "before: 1 alerts have no order"),
        ({"phases": [make_phase(doubled=3)]}, "before: 3 alerts have more than one order"),
        ({"caught_up_after_s": None}, "the trail has not caught up in time"),
        ({"left": 4}, "4 messages were not handled in the end"),
        ({"gaps": ["the log lacks 7"]}, "the log lacks 7"),
    ],
)
def test_what_is_not_whole_is_told(changes, told):
    assert complaints(make_outcome(**changes)) == [told]


def test_the_figures_are_shown():
    shown = table(make_outcome(phases=[make_phase(), make_phase(name="after", order_ms=None)]))
    assert shown.splitlines()[2].split() == [
        *("before", "10", "10", "0", "0", "1.00", "2.00", "5.00", "9.00", "9.00")
    ]
    assert shown.splitlines()[3].split()[-3:] == ["-", "-", "-"]
    told = story(make_outcome())
    assert "1,200 messages waited" in told
    assert "caught up 6.5 s after" in told
    assert "never after" in story(make_outcome(caught_up_after_s=None))
