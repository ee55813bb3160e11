"""What a restored log leaves open, of alerts and intents in every state."""

import pytest

from libs.common.contracts import codec
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.words import AccountId, ClientOrderId, ExecutionKind, RouteId
from tests.factories import NOW, make_alert, make_intent, make_leg
from tests.trail_messages import make_denied, make_execution
from tests.trail_messages import make_plan as plan
from tools.cli.ops_restore_unfinished import Reading

ALERT, INTENT = "alert.received.demo", "intent.accepted.0.paper.BTC_USDT"
CLOSING = make_leg("close", "short", client_order_id=ClientOrderId("close"))
OPENING = make_leg("open", "long", client_order_id=ClientOrderId("open"))


def ended(leg, kind):
    return make_execution(kind, leg.client_order_id)


def denied(**changes):
    intent = make_intent()
    return make_denied(**{"account": intent.account, "intent_id": intent.intent_id, **changes})


def letter(*, service, seq):
    return DeadLetter(
        service=service, at=NOW, subject=ALERT, seq=seq, deliveries=1, reason="x", data=b""
    )


def left_open(first, *others, subject=INTENT, accounts=("paper",), floors=(0, 0)):
    """The places of what is left open where `first` stands at 1, and the others behind it."""
    reading = Reading(
        router_floor=floors[0],
        shard_floors={0: floors[1]},
        accounts={RouteId("demo"): frozenset(map(AccountId, accounts))},
    )
    for seq, message in enumerate((first, *others), start=1):
        data = message if isinstance(message, bytes) else codec.encode(message)
        where = subject if seq == 1 else "other.subject"
        reading.take(seq=seq, subject=where, headers={}, data=data)
    return [(each.service, each.seq) for each in reading.left_open()]


FILLED, REJECTED = ExecutionKind.FILLED, ExecutionKind.REJECTED
RESTING, SENT, UNKNOWN = ExecutionKind.RESTING, ExecutionKind.SENT, ExecutionKind.UNKNOWN


@pytest.mark.parametrize(
    ("behind", "open_"),
    [
        pytest.param([], True, id="nothing is known"),
        pytest.param([plan(OPENING)], True, id="planned"),
        pytest.param([plan(OPENING), ended(OPENING, SENT)], True, id="sent"),
        pytest.param([plan(OPENING), ended(OPENING, UNKNOWN)], True, id="unknown"),
        pytest.param([plan(OPENING), ended(OPENING, FILLED)], False, id="filled"),
        pytest.param([plan(OPENING), ended(OPENING, RESTING)], False, id="it rests"),
        pytest.param([plan()], False, id="nothing to do"),
        pytest.param([denied()], False, id="denied"),
        pytest.param([denied(intent_id=None)], True, id="another denial"),
        pytest.param([letter(service="executor", seq=1)], False, id="buried"),
        pytest.param([letter(service="router", seq=1)], True, id="buried by another"),
        pytest.param(
            [plan(CLOSING, OPENING), ended(CLOSING, FILLED)],
            True,
            id="the second leg is missing",
        ),
        pytest.param(
            [plan(CLOSING, OPENING), ended(CLOSING, REJECTED)], False, id="rightly not opened"
        ),
        pytest.param(
            [plan(CLOSING, OPENING), ended(CLOSING, RESTING)], False, id="the close waits"
        ),
        pytest.param([plan(CLOSING, CLOSING)], True, id="no close is left out"),
    ],
)
def test_intents(behind, open_):
    assert left_open(make_intent(), *behind) == ([("executor", 1)] if open_ else [])


@pytest.mark.parametrize(
    ("behind", "accounts", "open_"),
    [
        pytest.param([], ["paper"], True, id="not routed"),
        pytest.param([make_intent()], ["paper"], False, id="routed"),
        pytest.param([make_intent()], ["paper", "other"], True, id="routed to one of two"),
        pytest.param(
            [make_intent(), denied(account=AccountId("other"), intent_id=None)],
            ["paper", "other"],
            False,
            id="routed to one and denied to the other",
        ),
        pytest.param([denied(account=None, intent_id=None)], ["paper"], False, id="denied whole"),
        pytest.param([letter(service="router", seq=1)], ["paper"], False, id="buried"),
    ],
)
def test_alerts(behind, accounts, open_):
    found = left_open(make_alert(), *behind, subject=ALERT, accounts=accounts)
    assert found == ([("router", 1)] if open_ else [])


def test_what_was_acknowledged_is_not_left_open():
    assert left_open(make_alert(), subject=ALERT, floors=(1, 0)) == []
    assert left_open(make_intent(), floors=(0, 1)) == []


def test_what_nobody_can_read_is_left_open_and_of_a_shard_that_is_not_there_nothing():
    assert left_open(b"nonsense") == [("executor", 1)]
    assert left_open(b"nonsense", subject=ALERT) == [("router", 1)]
    assert left_open(b"nonsense", subject="intent.accepted.7.paper.BTC_USDT") == []
