"""Why an order was never sent that had waited for its turn."""

import pytest

from libs.common.contracts.reasons import Reason
from tests.diagnosed import diagnosed, in_state
from tests.factories import D, make_alert, make_intent, make_leg
from tests.trail_messages import make_execution, make_plan

LEG = make_leg(client_order_id="o1")
ALERT = make_alert()
BEFORE = (ALERT, make_intent(), make_plan(LEG))
HELD_BACK = {
    Reason.STALE: ("arrived", "--max-age"),
    Reason.HALTED: ("arrived", "`alertwire resume`"),
    Reason.ADDRESS_NOT_LINKED: ("linked_ip", "Link IP Address"),
    Reason.ADDRESS_UNEXPECTED: ("linked_ip", "expected egress address"),
}


@pytest.mark.parametrize("reason", HELD_BACK)
def test_an_order_that_was_held_back_while_it_waited_says_why(reason):
    line, mend = HELD_BACK[reason]
    held = make_execution("canceled", reason=reason, message="not sent (again): so it was")
    lines = diagnosed(*BEFORE, held)
    assert in_state(lines, "wrong") == {line}
    assert f"{reason.value}: not sent (again): so it was" in lines[line].evidence
    assert mend in lines[line].mend
    assert lines["exchange"].state == "not_reached"


def test_an_order_that_was_held_back_behind_its_close_says_so_beside_what_was_done():
    plan = make_plan(make_leg("close", "short", client_order_id="o0"), LEG)
    closed = make_execution("filled", "o0", exchange_order_id="7", filled_contracts=D(10))
    held = make_execution("canceled", reason=Reason.HALTED, message="not sent (again): enough")
    lines = diagnosed(ALERT, make_intent(), plan, closed, held)
    assert in_state(lines, "wrong") == {"arrived"}
    assert lines["arrived"].evidence.startswith(
        "open long 10 BTC_USDT: halted: not sent (again): enough; done: close short 10 BTC_USDT"
    )


def test_a_trail_of_a_release_that_told_no_reasons_says_what_it_was_as_a_rule():
    words = "not sent (again): the entry is older than the route's max_age_s"
    lines = diagnosed(*BEFORE, make_execution("canceled", message=words))
    assert in_state(lines, "wrong") == {"arrived"}
    assert words in lines["arrived"].evidence
