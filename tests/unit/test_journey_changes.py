"""An alert's status where orders wait, something was changed, or a part was withheld."""

from datetime import timedelta
from decimal import Decimal

import pytest

from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Change, ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import ChangeKind, PositionSide
from libs.common.domain.journey import TrailEvent, journey
from libs.common.domain.lifecycle import OrderState
from tests.factories import NOW
from tests.factories import make_leg as make_any_leg
from tests.trail_messages import make_dead, make_execution, make_plan


def make_leg(order="o1", effect="open"):
    return make_any_leg(effect, client_order_id=order)


def make_change(change_id="x1"):
    return Change(
        change_id=change_id,
        kind=ChangeKind.TRAIL,
        position_side=PositionSide.LONG,
        contracts=Decimal(10),
        trail_distance=Decimal("0.5"),
    )


def make_call(path, body, reply):
    return ExchangeCall(
        method="POST", path=path, request_body=body, sent_at=NOW, response_body=reply
    )


def told(*messages):
    return journey(
        TrailEvent(
            seq=n, stage="", service="", at=NOW + timedelta(seconds=n), stored_at=None, message=m
        )
        for n, m in enumerate(messages)
    )


WITHHELD = Denial(reason=Reason.STALE, message="too old")
CHANGE = make_change()
TRAILED = make_plan(make_leg(), changes=(CHANGE,))
TWO_LEGS = (make_leg("o1"), make_leg("o2"))
FILLED = {"filled_contracts": Decimal(10), "average_price": Decimal(50000)}


@pytest.mark.parametrize(
    ("status", "reason", "messages"),
    [
        ("pending", None, [make_plan(make_leg()), make_execution("resting")]),
        (
            "executed",
            None,
            [
                make_plan(make_leg()),
                make_execution("resting", filled_contracts=Decimal(4)),
                make_execution("filled", **FILLED),
            ],
        ),
        (
            "rejected",
            "canceled before it was filled",
            [make_plan(make_leg()), make_execution("resting"), make_execution("canceled")],
        ),
        (
            "partial",
            "canceled after a part of it was filled",
            [
                make_plan(make_leg()),
                make_execution("resting"),
                make_execution("canceled", filled_contracts=Decimal(4)),
            ],
        ),
        (
            "pending",
            None,
            [
                make_plan(*TWO_LEGS),
                make_execution("resting", "o1"),
                make_execution("rejected", "o2", message="no margin"),
            ],
        ),
        (
            "partial",
            "stale",
            [
                make_plan(make_leg(effect="close"), withheld=WITHHELD),
                make_execution("filled", **FILLED),
            ],
        ),
        ("pending", None, [make_plan(make_leg(effect="close"), withheld=WITHHELD)]),
        (
            "rejected",
            "no",
            [
                make_plan(make_leg(effect="close"), withheld=WITHHELD),
                make_execution("rejected", message="no"),
            ],
        ),
        ("pending", None, [make_plan(changes=(CHANGE,))]),
        ("pending", None, [make_plan(changes=(CHANGE,)), make_execution("sent", "x1")]),
        ("executed", None, [make_plan(changes=(CHANGE,)), make_execution("changed", "x1")]),
        (
            "rejected",
            "5003 off",
            [
                make_plan(changes=(CHANGE,)),
                make_execution("rejected", "x1", code=5003, message="off"),
            ],
        ),
        (
            "unknown",
            "timeout",
            [make_plan(changes=(CHANGE,)), make_execution("unknown", "x1", message="timeout")],
        ),
        ("pending", None, [TRAILED, make_execution("filled", **FILLED)]),
        (
            "executed",
            None,
            [TRAILED, make_execution("filled", **FILLED), make_execution("changed", "x1")],
        ),
        (
            "partial",
            "off",
            [
                TRAILED,
                make_execution("filled", **FILLED),
                make_execution("rejected", "x1", message="off"),
            ],
        ),
        (
            "unknown",
            None,
            [TRAILED, make_execution("filled", **FILLED), make_execution("unknown", "x1")],
        ),
        ("pending", None, [TRAILED, make_execution("rejected", message="no margin")]),
        (
            "rejected",
            "no margin",
            [
                TRAILED,
                make_execution("rejected", message="no margin"),
                make_execution("canceled", "x1", message="not sent"),
            ],
        ),
        (
            "partial",
            "off",
            [
                make_plan(changes=(CHANGE, make_change("x2"))),
                make_execution("rejected", "x1", message="off"),
                make_execution("changed", "x2"),
            ],
        ),
        (
            "dead",
            "a bug",
            [
                make_plan(make_leg(), make_leg("o2")),
                make_execution("resting"),
                make_dead("executor", "intent.accepted.0.paper.BTC_USDT"),
                make_execution("filled", **FILLED),
            ],
        ),
    ],
)
def test_one_account(status, reason, messages):
    found = told(*messages)
    assert (found.status.value, found.reason) == (status, reason)


def test_request_and_reply_of_what_has_no_id_are_those_of_what_was_sent():
    """A stop order and a change carry no id of ours: where they were sent tells their calls."""
    found = told(
        make_plan(make_leg("o1"), changes=(CHANGE,)),
        make_execution("sent", calls=(make_call("/plan", "stop", ""),)),
        make_execution(
            "resting",
            calls=(make_call("/plan", "stop", "7"), make_call("/plans", "", "[]")),
        ),
        make_execution("sent", "x1", calls=(make_call("/trail", "trail", ""),)),
        make_execution(
            "changed",
            "x1",
            exchange_order_id="8",
            calls=(
                make_call("/held", "", "[]"),
                make_call("/trail", "trail", '{"code":510}'),
                make_call("/trail", "trail", "8"),
            ),
        ),
    )
    (order,), (change,) = found.orders, found.changes
    assert (order.request, order.response) == ("stop", "7")
    assert order.state is OrderState.RESTING
    assert (change.request, change.response) == ("trail", "8")
    assert (change.state, change.exchange_order_id) == (OrderState.CHANGED, "8")
    assert (change.kind, change.change) == (ChangeKind.TRAIL, CHANGE)
    assert (change.account, change.symbol) == ("paper", "BTC_USDT")
