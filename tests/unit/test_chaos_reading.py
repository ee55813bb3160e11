"""What the suite takes from the log's messages, which it reads as plain JSON: made here by the
codec that the services write with.
"""

from datetime import timedelta

from chaos.evidence import Evidence
from chaos.trail_reading import note
from libs.common.contracts import codec
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from tests.factories import NOW, make_alert
from tests.trail_messages import make_denied, make_execution, make_plan


def read(*messages) -> Evidence:
    seen = Evidence()
    for seq, message in enumerate(messages, start=1):
        note(codec.encode(message), subject=f"subject.{seq}", seq=seq, into=seen)
    return seen


def test_a_stored_alert_with_its_own_id():
    alert = make_alert(explicit_id="mine", at=NOW)
    (stored,) = read(alert).stored
    assert (stored.alert_id, stored.key, stored.seq) == (alert.alert_id, "mine", 1)
    assert stored.received_s == NOW.timestamp()


def test_a_denial_and_what_a_plan_withholds():
    denial = Denial(reason=Reason.STALE, message="old")
    plan = make_plan(withheld=denial)
    seen = read(make_denied(Reason.STALE, "a"), plan, make_plan())
    assert [(each.account, each.reason) for each in seen.denials] == [
        ("a", "stale"),
        (plan.account, "stale"),
    ]
    assert "asked nobody" in seen.plans[plan.alert_id, plan.account]


def test_an_order_given_up_before_the_exchange_had_it():
    later = NOW + timedelta(seconds=1)
    given_up = make_execution("canceled", reason=Reason.STALE, message="not sent")
    by_exchange = make_execution("canceled", exchange_order_id="7")
    seen = read(given_up, by_exchange)
    assert [each.at_s < later.timestamp() for each in seen.denials] == [True]
    assert [each.reason for each in seen.denials] == ["stale"]


def test_requests_that_were_stored():
    seen = read(make_execution("sent"), make_execution("filled"))
    assert seen.sent == {"o1"}
    assert set(seen.log) == {1, 2}
