"""An alert's status, reason and orders, folded from its events."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from libs.common.contracts.alert import AlertDuplicate, AlertRefused
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.dead_letter import DeadLetter, DeadReplayed
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import AlertStatus
from libs.common.domain.journey import TrailEvent, journey
from libs.common.domain.lifecycle import OrderState
from tests.factories import ALERT_ID, NOW, make_alert, make_intent
from tests.factories import make_leg as make_any_leg
from tests.trail_messages import (
    common,
    make_dead,
    make_denied,
    make_execution,
    make_flattening,
    make_plan,
)


def make_leg(order="o1", effect="open"):
    return make_any_leg(effect, client_order_id=order)


def told(*messages):
    return journey(
        TrailEvent(
            seq=n, stage="", service="", at=NOW + timedelta(seconds=n), stored_at=None, message=m
        )
        for n, m in enumerate(messages)
    )


def states(*messages):
    return [str(order.state) for order in told(*messages).orders]


TWO_LEGS = (make_leg("o1", "close"), make_leg("o2"))
FILLED = {"filled_contracts": Decimal(10), "average_price": Decimal(50000)}


@pytest.mark.parametrize(
    ("status", "reason", "messages"),
    [
        ("pending", None, []),
        ("pending", None, [make_alert()]),
        ("pending", None, [make_alert(), make_intent()]),
        ("pending", None, [make_alert(), make_intent(), make_plan(make_leg())]),
        ("pending", None, [make_plan(make_leg()), make_execution("accepted")]),
        ("pending", None, [make_plan(*TWO_LEGS), make_execution("filled", "o1", **FILLED)]),
        ("denied", "symbol_unknown", [make_alert(), make_denied(Reason.SYMBOL_UNKNOWN)]),
        ("denied", "stale", [make_intent(), make_denied(account="paper")]),
        ("executed", None, [make_intent(), make_plan()]),
        ("executed", None, [make_plan(make_leg()), make_execution("filled", **FILLED)]),
        (
            "rejected",
            "2005 Balance insufficient",
            [
                make_plan(make_leg()),
                make_execution("rejected", code=2005, message="Balance insufficient"),
            ],
        ),
        (
            "rejected",
            "canceled before it was filled",
            [make_plan(make_leg()), make_execution("canceled")],
        ),
        (
            "denied",
            "halted",
            [make_plan(make_leg()), make_execution("canceled", reason=Reason.HALTED)],
        ),
        (
            "partial",
            "halted",
            [
                make_plan(*TWO_LEGS),
                make_execution("filled", "o1", **FILLED),
                make_execution("canceled", "o2", reason=Reason.HALTED),
            ],
        ),
        (
            "partial",
            "21",
            [
                make_plan(make_leg()),
                make_execution("canceled", filled_contracts=Decimal(4), code=21),
            ],
        ),
        (
            "partial",
            "no margin",
            [
                make_plan(*TWO_LEGS),
                make_execution("filled", "o1", **FILLED),
                make_execution("rejected", "o2", message="no margin"),
            ],
        ),
        (
            "partial",
            "route_paused",
            [
                make_plan(*TWO_LEGS),
                make_execution("filled", "o1", **FILLED),
                make_denied(Reason.ROUTE_PAUSED, account="paper"),
            ],
        ),
        (
            "unknown",
            "timeout",
            [make_plan(make_leg()), make_execution("unknown", message="timeout")],
        ),
        (
            "executed",
            None,
            [make_plan(make_leg()), make_execution("unknown"), make_execution("filled", **FILLED)],
        ),
        ("dead", "a bug", [make_alert(), make_dead("router", "alert.received.demo")]),
        ("pending", None, [make_alert(), make_dead("auditor", "alert.received.demo")]),
        (
            "pending",
            None,
            [make_alert(), make_dead("router", "alert.received.demo"), make_intent()],
        ),
        (
            "executed",
            None,
            [
                make_dead("router", "alert.received.demo"),
                make_intent(),
                make_plan(make_leg()),
                make_execution("filled", **FILLED),
            ],
        ),
        (
            "dead",
            "a bug",
            [make_intent(), make_dead("executor", "intent.accepted.0.paper.BTC_USDT")],
        ),
    ],
)
def test_one_account(status, reason, messages):
    found = told(*messages)
    assert (found.status.value, found.reason) == (status, reason)


def test_a_refusal_is_the_end():
    refused = AlertRefused(
        **common(), status=415, reason=Reason.NOT_A_JSON_OBJECT, message="not JSON"
    )
    found = told(refused)
    assert (found.status, found.reason) == (AlertStatus.REFUSED, "not_a_json_object")


def test_a_duplicate_changes_nothing():
    messages = [make_plan(make_leg()), make_execution("filled", **FILLED)]
    assert told(*messages, AlertDuplicate(**common())) == told(*messages)


ENDINGS = {
    "executed": (make_plan(make_leg()), make_execution("filled", **FILLED)),
    "rejected": (make_plan(make_leg()), make_execution("rejected", message="no")),
    "denied": (make_denied(account="paper"),),
    "unknown": (make_plan(make_leg()), make_execution("unknown")),
    "pending": (make_intent(),),
    "partial": (
        make_plan(make_leg()),
        make_execution("canceled", filled_contracts=Decimal(1)),
    ),
    "dead": (make_dead("executor", "intent.accepted.0.paper.BTC_USDT"),),
}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("executed", "executed", "executed"),
        ("denied", "denied", "denied"),
        ("executed", "denied", "partial"),
        ("rejected", "executed", "partial"),
        ("executed", "dead", "partial"),
        ("executed", "partial", "partial"),
        ("denied", "partial", "partial"),
        ("denied", "rejected", "rejected"),
        ("executed", "pending", "pending"),
        ("pending", "unknown", "unknown"),
        ("dead", "rejected", "dead"),
    ],
)
def test_several_accounts_are_folded(first, second, expected):
    elsewhere = [
        msgspec.structs.replace(
            message, **({"account": "main"} if hasattr(message, "account") else {})
        )
        if not isinstance(message, DeadLetter)
        else make_dead("executor", "intent.accepted.0.main.BTC_USDT")
        for message in ENDINGS[second]
    ]
    assert told(*ENDINGS[first], *elsewhere).status.value == expected


def test_the_router_giving_up_on_the_second_account_is_partial():
    found = told(
        make_plan(make_leg()),
        make_execution("filled", **FILLED),
        make_dead("router", "alert.received.demo"),
    )
    assert (found.status, found.reason) == (AlertStatus.PARTIAL, "a bug")


BURIED = make_dead("executor", "intent.accepted.0.paper.BTC_USDT")


def replayed(letter_seq):
    return DeadReplayed(
        service="executor", at=NOW, letter_seq=letter_seq, origin_seq=1, seq=9, alert_id=ALERT_ID
    )


@pytest.mark.parametrize(
    ("status", "messages"),
    [
        ("pending", [make_intent(), BURIED, replayed(1)]),
        ("dead", [make_intent(), BURIED, BURIED, replayed(1)]),
        ("pending", [make_intent(), BURIED, BURIED, replayed(1), replayed(2)]),
        ("dead", [make_intent(), BURIED, replayed(1), BURIED]),
    ],
)
def test_a_replay_takes_back_its_own_letter(status, messages):
    """Where it has failed too, the letter of that may come before word of the replay."""
    assert told(*messages).status.value == status


def test_a_replay_on_one_account_leaves_the_other_dead():
    elsewhere = make_dead("executor", "intent.accepted.0.main.BTC_USDT")
    finished = [make_plan(make_leg()), make_execution("filled", **FILLED)]
    assert told(BURIED, elsewhere, replayed(0), *finished).status is AlertStatus.PARTIAL


@pytest.mark.parametrize("ending", ["rejected", "canceled"])
def test_later_legs_are_abandoned(ending):
    assert states(make_plan(*TWO_LEGS), make_execution(ending, "o1")) == [ending, "abandoned"]


def test_a_closing_leg_is_not_abandoned_behind_another():
    legs = (make_leg("o1", "close"), make_leg("o2", "close"))
    found = told(make_plan(*legs), make_execution("rejected", "o1"))
    assert [order.state for order in found.orders] == ["rejected", "planned"]
    assert found.status is AlertStatus.PENDING


def test_an_unknown_leg_abandons_nothing_yet():
    assert states(make_plan(*TWO_LEGS), make_execution("unknown", "o1")) == ["unknown", "planned"]


def test_late_words_do_not_move_a_filled_leg_nor_its_numbers():
    found = told(
        make_plan(make_leg()),
        make_execution("filled", **FILLED, fee=Decimal("0.2"), exchange_order_id="77"),
        make_execution("accepted", filled_contracts=Decimal(0)),
        make_execution("rejected", code=5, message="late"),
    )
    order = found.orders[0]
    assert found.status is AlertStatus.EXECUTED
    assert order.state is OrderState.FILLED
    assert (order.filled_contracts, order.average_price) == (Decimal(10), Decimal(50000))
    assert (order.fee, order.exchange_order_id, order.words) == (Decimal("0.2"), "77", "")


def test_a_second_plan_of_the_same_intent_is_not_believed():
    assert [
        order.client_order_id for order in told(make_plan(make_leg("o1")), make_plan()).orders
    ] == ["o1"]


def make_call(path, body, reply):
    return ExchangeCall(
        method="POST", path=path, request_body=body, sent_at=NOW, response_body=reply
    )


def test_request_and_reply_are_those_of_the_call_that_made_the_order():
    """Of two tries the last counts; a query or a cancel of the same order does not."""
    found = told(
        make_plan(make_leg("o1")),
        make_execution(
            "accepted",
            calls=(
                make_call("/leverage", '{"x":1}', "ok"),
                make_call("/create", '{"id":"o1","try":1}', '{"code":510}'),
                make_call("/create", '{"id":"o1","try":2}', '{"code":0}'),
                make_call("/cancel", '{"id":"o1"}', "gone"),
            ),
        ),
        make_execution("filled", **FILLED, calls=(make_call("/query", "", '{"state":3}'),)),
    )
    order = found.orders[0]
    assert (order.request, order.response) == ('{"id":"o1","try":2}', '{"code":0}')


def test_a_halts_own_journey_is_its_lists():
    """What they list has journeys of its own."""
    found = told(make_flattening(), make_flattening(account="second"))
    assert (found.status, found.reason, found.orders) == (AlertStatus.EXECUTED, None, ())


def test_the_answer_does_not_depend_on_times():
    """Only the log's order counts: clocks of two services may differ."""
    messages: list[AnyMessage] = [make_plan(make_leg()), make_execution("filled", **FILLED)]
    events = [
        TrailEvent(seq=n, stage="", service="", at=NOW, stored_at=None, message=m)
        for n, m in enumerate(messages)
    ]
    backwards = [replace(e, at=NOW - timedelta(seconds=e.seq)) for e in events]
    assert journey(events) == journey(backwards)


def test_a_journey_has_a_part_for_each_account_and_one_before_them_where_something_is_told():
    denied = make_denied(Reason.STALE, account="second")
    found = told(make_alert(), make_intent(), make_plan(make_leg()), denied)
    assert [(part.account, str(part.status), part.reason) for part in found.parts] == [
        ("paper", "pending", None),
        ("second", "denied", "stale"),
    ]
    first, second = found.parts
    assert (first.intent, first.plan is not None) == (make_intent(), True)
    assert second.denied == denied
    assert [part.account for part in told(make_alert()).parts] == [None]
    letter = make_dead("router", "alert.received.demo")
    (whole,) = told(make_alert(), letter).parts
    assert (whole.letter, whole.letter_seq) == (letter, 1)


def test_a_step_knows_the_execution_that_told_its_state():
    no = make_execution("rejected", code=2005, message="Balance insufficient")
    (order,) = told(make_plan(make_leg()), no, make_execution("sent")).orders
    assert order.told == no
