"""What `alertwire trace` says first: what was done, what waits, what was not done, and why. The
documents are those that the console makes of messages.
"""

import pytest

from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Change
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import ChangeKind, ClientOrderId, OrderType, PositionSide
from libs.common.domain.telling.upshot import upshot
from tests.factories import D, make_alert, make_leg
from tests.traced import answered
from tests.trail_messages import make_dead, make_denied, make_execution, make_plan

PAUSED = Denial(reason=Reason.ROUTE_PAUSED, message="route demo is paused")
TRAIL = Change(
    change_id=ClientOrderId("c1"),
    kind=ChangeKind.TRAIL,
    exchange_ids=("9",),
    position_side=PositionSide.LONG,
    trail_distance=D(5),
)


def leg(effect="open", side="long", order="o1", **changes):
    return make_leg(effect, side, client_order_id=ClientOrderId(order), **changes)


def filled(order="o1", **changes):
    told = {"filled_contracts": D(10), "average_price": D(50000), **changes}
    return make_execution("filled", order, **told)


def of(*messages):
    document = answered(make_alert(), *messages)
    return document["status"], [(end.value, told) for end, told in upshot(document)]


CLOSE_LONG = "close long 10 BTC_USDT on paper"
OPEN_SHORT = "open short 10 BTC_USDT on paper"
OPEN_LONG = "open long 10 BTC_USDT on paper"
NEVER_SENT = "never sent, because what came before it did not go through"


@pytest.mark.parametrize(
    ("messages", "status", "expected"),
    [
        ([make_plan(leg()), filled()], "executed", []),
        (
            [make_plan(leg("close"), withheld=PAUSED), filled()],
            "partial",
            [
                ("done", f"{CLOSE_LONG} at 50000"),
                ("not done", "the rest on paper: route_paused: route demo is paused"),
            ],
        ),
        (
            [
                make_plan(leg("close"), leg("open", "short", "o2"), changes=(TRAIL,)),
                filled(),
                make_execution("rejected", "o2", code=2005, message="Balance insufficient"),
                make_execution("changed", "c1"),
            ],
            "partial",
            [
                ("done", f"{CLOSE_LONG} at 50000"),
                ("not done", f"{OPEN_SHORT}: 2005 Balance insufficient"),
                ("done", "trail long (distance 5) BTC_USDT on paper"),
            ],
        ),
        (
            [
                make_plan(leg("close"), leg("open", "short", "o2"), leg("open", "short", "o3")),
                make_execution("rejected", code=2005, message="no"),
            ],
            "rejected",
            [
                ("not done", f"{CLOSE_LONG}: 2005 no"),
                ("not done", f"2 x {OPEN_SHORT}: {NEVER_SENT}"),
            ],
        ),
        (
            [
                make_plan(leg(order_type=OrderType.LIMIT, price=D(49000))),
                make_execution("resting", filled_contracts=D(0)),
            ],
            "pending",
            [("waits", "open long 10 limit at 49000 BTC_USDT on paper")],
        ),
        (
            [
                make_plan(leg()),
                make_execution("resting", filled_contracts=D(3), average_price=D(7)),
            ],
            "pending",
            [("waits", f"{OPEN_LONG}, 3 contracts filled at 7")],
        ),
        (
            [
                make_plan(leg()),
                make_execution("canceled", filled_contracts=D(4), average_price=D(7)),
            ],
            "partial",
            [
                ("done", f"{OPEN_LONG}, but only 4 of it at 7"),
                ("not done", f"the rest of {OPEN_LONG}: canceled"),
            ],
        ),
        (
            [make_plan(leg()), make_execution("canceled")],
            "rejected",
            [("not done", f"{OPEN_LONG}: canceled before anything was filled")],
        ),
        (
            [make_plan(leg()), make_execution("sent")],
            "pending",
            [("under way", OPEN_LONG)],
        ),
        (
            [make_plan(leg()), make_execution("unknown", message="no reply")],
            "unknown",
            [("unknown", f"{OPEN_LONG}: no reply")],
        ),
        (
            [make_plan(changes=(TRAIL,)), make_execution("rejected", "c1", message="gone")],
            "rejected",
            [("not done", "trail long (distance 5) BTC_USDT on paper: gone")],
        ),
        (
            [make_denied(account="paper")],
            "denied",
            [("not done", "what was wanted on paper: stale: no")],
        ),
        (
            [make_denied()],
            "denied",
            [("not done", "what was wanted: stale: no")],
        ),
        (
            [
                make_plan(leg("close"), leg("open", "short", "o2")),
                filled(),
                make_denied(account="paper"),
            ],
            "partial",
            [
                ("done", f"{CLOSE_LONG} at 50000"),
                ("not done", f"{OPEN_SHORT}: never sent"),
                ("not done", "the rest on paper: stale: no"),
            ],
        ),
        (
            [
                make_plan(leg()),
                filled(),
                make_denied(account="second"),
            ],
            "partial",
            [
                ("done", f"{OPEN_LONG} at 50000"),
                ("not done", "what was wanted on second: stale: no"),
            ],
        ),
    ],
)
def test_an_alerts_upshot(messages, status, expected):
    assert of(*messages) == (status, expected)


def test_what_was_given_up_on_is_told_but_for_a_hole_in_the_trail():
    subject = "alert.received.demo"
    # The two letters give the same reason; the alert's own end is told by one of them alone.
    assert of(make_dead("auditor", subject), make_dead("router", subject)) == (
        "dead",
        [("not done", "what was left: router gave up: a bug")],
    )


def test_what_was_given_up_on_and_replayed_is_no_end():
    status, lines = of(
        make_dead("router", "alert.received.demo"),
        make_plan(leg()),
        make_execution("rejected", message="no"),
    )
    assert (status, lines) == ("rejected", [("not done", f"{OPEN_LONG}: no")])


def test_what_was_sent_before_it_was_given_up_on_is_unknown():
    subject = "intent.accepted.0.paper.BTC_USDT"
    status, lines = of(
        make_plan(leg(), leg("open", "long", "o2")),
        make_execution("sent"),
        make_dead("executor", subject),
    )
    assert (status, lines[:2]) == (
        "dead",
        [
            ("unknown", f"{OPEN_LONG}: it was sent, and its end was never learnt"),
            ("not done", f"{OPEN_LONG}: never sent"),
        ],
    )


def test_a_plan_that_came_twice_is_withheld_once():
    plan = make_plan(leg("close"), withheld=PAUSED)
    _, lines = of(plan, plan, filled())
    assert len(lines) == 2


@pytest.mark.parametrize("data", [None, "text", [], {}, {"withheld": "x", "denial": 5}])
def test_a_document_of_another_release_breaks_nothing(data):
    stages = ["order.planned", "intent.denied", "dead.router", "new.word"]
    document = {
        "status": "sleeping",
        "events": [{"stage": stage, "data": data} for stage in stages],
        "orders": [{}, {"state": "dreaming"}],
        "changes": [{}],
    }
    assert {end.value for end, _ in upshot(document)} == {"unknown"}
    assert upshot({"status": "partial"}) == []
