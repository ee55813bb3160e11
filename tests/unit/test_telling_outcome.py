"""What became of an alert in one sentence, for every way in which one ends."""

import pytest

from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Change
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import AlertStatus, ChangeKind, ClientOrderId, PositionSide
from libs.common.domain.telling.outcome import outcome
from tests.factories import ALERT_ID, NOW, D, make_alert, make_intent, make_leg
from tests.traced import answered
from tests.trail_messages import make_dead, make_denied, make_execution, make_flattening, make_plan

PAUSED = Denial(reason=Reason.ROUTE_PAUSED, message="route demo is paused")
TRAIL = Change(
    change_id=ClientOrderId("c1"),
    kind=ChangeKind.TRAIL,
    position_side=PositionSide.LONG,
    trail_distance=D(5),
)
REFUSED = AlertRefused(
    alert_id=ALERT_ID,
    route="demo",
    at=NOW,
    status=422,
    reason=Reason.FIELD_MISSING,
    message="ticker must name the instrument.",
)


def leg(order="o1", effect="open", **changes):
    return make_leg(effect, client_order_id=ClientOrderId(order), **changes)


def filled(order="o1", price="50000", **changes):
    told = {"filled_contracts": D(10), "average_price": D(price), **changes}
    return make_execution("filled", order, **told)


CASES = {
    "executed": (
        [make_intent(), make_plan(leg()), filled()],
        "Opened long 10 contracts of BTC_USDT on paper at 50000.",
    ),
    "executed in two at two prices": (
        [make_plan(leg(), leg("o2")), filled(), filled("o2", "50001")],
        "Opened long 20 contracts of BTC_USDT on paper at 50000.5 in 2 orders.",
    ),
    "executed on two accounts": (
        [
            make_plan(leg()),
            filled(),
            make_plan(leg("o2"), account="other"),
            filled("o2", account="other"),
        ],
        (
            "Opened long 10 contracts of BTC_USDT on paper at 50000, opened long 10 contracts of"
            " BTC_USDT on other at 50000."
        ),
    ),
    "executed by a change": (
        [make_plan(changes=(TRAIL,)), make_execution("changed", "c1")],
        "Trail long (distance 5) BTC_USDT on paper: done.",
    ),
    "executed with nothing to do": ([make_plan()], "What was wanted was held already."),
    "halt with nothing held": (
        [make_flattening()],
        "Nothing was held, so there was nothing to close.",
    ),
    "partial": (
        [make_plan(leg(effect="close"), withheld=PAUSED), filled()],
        "Closed long 10 contracts of BTC_USDT on paper at 50000, but not all: route demo is paused",
    ),
    "stored": ([], "It is stored and waits for its decision."),
    "sent": (
        [make_plan(leg()), make_execution("sent")],
        "Its order has left, and the exchange has not answered yet.",
    ),
    "resting": (
        [make_plan(leg()), make_execution("resting")],
        "It waits at the exchange: open long 10 BTC_USDT on paper.",
    ),
    "denied": (
        [make_denied(Reason.ROUTE_PAUSED, denial=PAUSED)],
        "Nothing was sent: route demo is paused",
    ),
    "rejected": (
        [make_plan(leg()), make_execution("rejected", code=2005, message="Balance insufficient")],
        "The exchange refused it: open long 10 BTC_USDT on paper: 2005 Balance insufficient",
    ),
    "canceled": (
        [make_plan(leg()), make_execution("resting"), make_execution("canceled")],
        "It was not filled: open long 10 BTC_USDT on paper: canceled before anything was filled",
    ),
    "unknown": (
        [make_plan(leg()), make_execution("unknown", message="no reply")],
        "It was sent, and what became of it is not known; the exchange is asked until it tells.",
    ),
    "dead": (
        [make_dead("router", "alert.received.demo")],
        "It was given up on: router gave up: a bug",
    ),
}


@pytest.mark.parametrize(("messages", "sentence"), CASES.values(), ids=CASES)
def test_every_end_is_one_sentence(messages, sentence):
    first = [] if messages and messages[0] == make_flattening() else [make_alert()]
    assert outcome(answered(*first, *messages)) == sentence


def test_a_refusal_says_what_the_sender_was_told():
    assert outcome(answered(REFUSED)) == (
        "Refused on arrival with 422: ticker must name the instrument."
    )


@pytest.mark.parametrize("status", [*AlertStatus, "of another release"])
def test_a_document_of_which_little_is_known_is_told_too(status):
    assert outcome({"status": status})
    assert outcome({"status": status, "orders": [{}], "events": [{"data": "x"}], "changes": [{}]})
