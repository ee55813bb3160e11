"""What an account's checkup adds to the diagnosis of an alert."""

from datetime import timedelta

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from tests.diagnosed import diagnosed, in_state, make_checkup, make_finding
from tests.factories import NOW, make_alert, make_intent, make_leg
from tests.trail_messages import make_denied, make_execution, make_plan
from tests.unit.domain.test_diagnosis import by_executor, refused, rejected

BEFORE = (make_alert(), make_intent(), make_plan(make_leg(client_order_id="o1")))
NOT_LINKED = by_executor(
    *(Reason.EXCHANGE_REFUSED_QUERY, "Accessing IP is not in the whitelist"),
    code="406",
    cause=Cause.IP.value,
)
NO_ORDERS = rejected(Cause.PERMISSION, 704, "Please enable API Key write access")
WHEN = "(checkup of 2026-11-23T12:00:00Z)"


def test_the_address_that_is_seen_stands_beside_those_that_are_linked():
    checkup = make_checkup(
        make_finding("linked_ip", "wrong", "in words", mend="in general"),
        addresses=("203.0.113.9",),
        linked_addresses=("198.51.100.7",),
    )
    line = diagnosed(*BEFORE[:2], NOT_LINKED, checkups=[checkup])["linked_ip"]
    assert line.state == "wrong"
    assert line.evidence == (
        "exchange_refused_query: Accessing IP is not in the whitelist (code 406);"
        f" MEXC sees 203.0.113.9; the key is linked to 198.51.100.7 {WHEN}"
    )
    assert line.mend == "Add 203.0.113.9 to this key under API Management → Link IP Address."


def test_an_account_that_was_stopped_for_its_address_tells_the_same():
    checkup = make_checkup(addresses=("203.0.113.9",), linked_addresses=())
    denied = by_executor(Reason.ADDRESS_NOT_LINKED, "the key is not linked to our address")
    line = diagnosed(*BEFORE[:2], denied, checkups=[checkup])["linked_ip"]
    assert "MEXC sees 203.0.113.9; the key is linked to no address" in line.evidence


def test_an_address_that_we_do_not_expect_is_not_mended_by_linking_it():
    checkup = make_checkup(addresses=("203.0.113.9",), linked_addresses=())
    denied = by_executor(Reason.ADDRESS_UNEXPECTED, "our own address is 203.0.113.9")
    line = diagnosed(*BEFORE[:2], denied, checkups=[checkup])["linked_ip"]
    assert "MEXC sees 203.0.113.9" in line.evidence
    assert "--expected-address IP" in line.mend


def test_an_account_that_was_stopped_for_its_address_names_it_without_a_checkup():
    denied = by_executor(
        *(Reason.ADDRESS_NOT_LINKED, "refused since 12:00 (code 406); our address is 203.0.113.9"),
        code="406",
        addresses="203.0.113.9",
    )
    lines = diagnosed(*BEFORE[:2], denied)
    assert in_state(lines, "ok") == {"arrived", "json", "symbol", "quantity"}
    assert lines["linked_ip"].evidence == (
        "address_not_linked: refused since 12:00 (code 406); our address is 203.0.113.9"
    )
    assert lines["linked_ip"].mend == (
        "Add 203.0.113.9 to this key under API Management → Link IP Address."
    )


def test_a_question_that_was_refused_for_the_address_proves_the_key():
    denied = by_executor(
        *(Reason.ADDRESS_NOT_LINKED, "refused"), code="406", cause="ip", path="/held"
    )
    lines = diagnosed(*BEFORE[:2], denied)
    assert lines["linked_ip"].evidence == "address_not_linked: refused (code 406, path /held)"
    assert lines["access_key"].state == "ok"
    assert lines["secret_key"].state == "not_reached"


def test_an_address_that_is_not_known_is_asked_for():
    line = diagnosed(*BEFORE[:2], NOT_LINKED)["linked_ip"]
    assert "`alertwire doctor paper`" in line.mend
    checkup = make_checkup(linked_addresses=("198.51.100.7",))
    line = diagnosed(*BEFORE[:2], NOT_LINKED, checkups=[checkup])["linked_ip"]
    assert "an address that is not known; the key is linked to 198.51.100.7" in line.evidence
    assert "`alertwire doctor paper`" in line.mend


def test_the_permission_that_is_missing_is_named():
    finding = make_finding(
        *("permissions", "wrong", "Order Placing is missing"),
        mend="Give the key Order Placing under API Management.",
    )
    line = diagnosed(*BEFORE, NO_ORDERS, checkups=[make_checkup(finding)])["permissions"]
    assert line.evidence == (
        "open long 10 BTC_USDT: 704 Please enable API Key write access;"
        f" Order Placing is missing {WHEN}"
    )
    assert line.mend == "Give the key Order Placing under API Management."
    alone = diagnosed(*BEFORE, NO_ORDERS)["permissions"]
    assert alone.mend == "Give this key Order Placing of Futures under API Management."


@pytest.mark.parametrize(("offset_ms", "side"), [(4200, "ahead of"), (-4200, "behind")])
def test_a_clock_that_is_off_is_measured(offset_ms, side):
    late = rejected(Cause.TIMESTAMP, 513, "Invalid request")
    lines = diagnosed(*BEFORE, late, checkups=[make_checkup(clock_offset_ms=offset_ms)])
    assert in_state(lines, "wrong") == {"exchange"}
    assert f"the exchange's clock is 4200 ms {side} ours" in lines["exchange"].evidence
    assert lines["exchange"].mend == "Set the clock of the executor's machine by NTP."


def test_what_is_not_told_by_the_alert_may_be_told_by_the_checkup():
    checkup = make_checkup(
        make_finding("permissions", "warning", "more than is needed: Withdraw"),
        make_finding("position_mode", "ok", "hedge, as expected"),
        make_finding("balance", "wrong", "0.5 USDT are available", mend="Transfer margin."),
    )
    no = rejected(Cause.OTHER, 6001, "Trading is forbidden")
    lines = diagnosed(*BEFORE, no, checkups=[checkup])
    assert in_state(lines, "wrong") == {"exchange"}, "the others are no reason for this one"
    assert lines["permissions"].state == "ok"
    assert lines["permissions"].evidence == f"more than is needed: Withdraw {WHEN}"
    assert lines["position_mode"].state == "ok"
    assert lines["balance"].state == "unknown"
    assert (lines["balance"].evidence, lines["balance"].mend) == (
        f"0.5 USDT are available {WHEN}",
        "Transfer margin.",
    )
    assert lines["leverage"].state == "unknown"


def test_a_line_that_the_alert_did_not_reach_may_be_known():
    checkup = make_checkup(
        make_finding("secret_key", "ok", "a signed request was accepted"),
        make_finding("access_key", "ok", "known"),
        make_finding("key_days", "warning", "9 days left"),
        make_finding("linked_ip", "not_reached"),
    )
    denied = make_denied(Reason.SYMBOL_UNKNOWN, account="paper")
    lines = diagnosed(make_alert(), denied, checkups=[checkup])
    assert in_state(lines, "ok") == {"arrived", "json", "secret_key", "access_key"}
    assert lines["access_key"].evidence == f"known; 9 days left {WHEN}"
    assert lines["linked_ip"].state == "not_reached"


def test_what_only_goes_with_a_line_does_not_prove_it():
    beside = [make_finding("egress", "ok", "none is expected"), make_finding("key_days", "ok")]
    denied = make_denied(Reason.SYMBOL_UNKNOWN, account="paper")
    lines = diagnosed(make_alert(), denied, checkups=[make_checkup(*beside)])
    assert in_state(lines, "ok") == {"arrived", "json"}
    wrong = make_finding(
        "egress", "wrong", "203.0.113.9 is not expected", mend="look at the way out"
    )
    lines = diagnosed(make_alert(), denied, checkups=[make_checkup(wrong)])
    assert (lines["linked_ip"].state, lines["linked_ip"].mend) == (
        "unknown",
        "Look at the way out.",
    )


def test_what_the_alert_proves_counts_before_an_earlier_checkup():
    stale = make_checkup(make_finding("linked_ip", "wrong", "not linked"))
    lines = diagnosed(*BEFORE, rejected(Cause.MARGIN), checkups=[stale])
    assert lines["linked_ip"].state == "ok"


def test_only_the_alerts_own_contract_and_route_count():
    checkup = make_checkup(
        make_finding("leverage", "wrong", "5x", symbol="ETH_USDT", route="demo"),
        make_finding("leverage", "wrong", "7x", symbol="BTC_USDT", route="other"),
        make_finding("leverage", "ok", "no live route trades on this account"),
        make_finding("margin_mode", "ok", "cross", symbol="BTC_USDT", route="demo"),
        make_finding("balance", "ok", "9 USDT are available"),
    )
    no = rejected(Cause.OTHER, 6001, "Trading is forbidden")
    lines = diagnosed(*BEFORE, no, checkups=[checkup])
    assert lines["leverage"].evidence == "not told by anything in the trail"
    assert lines["margin_mode"].evidence == f"cross {WHEN}"
    assert lines["balance"].evidence == f"9 USDT are available {WHEN}"


def test_a_checkups_mend_becomes_a_sentence():
    finding = make_finding("permissions", "wrong", "missing: Order Placing", mend="tick it there")
    line = diagnosed(*BEFORE, NO_ORDERS, checkups=[make_checkup(finding)])["permissions"]
    assert line.mend == "Tick it there."


def test_each_account_has_its_own_checkup():
    checkup = make_checkup(make_finding("permissions", "ok", "all"), account="second")
    lines = diagnosed(*BEFORE, rejected(Cause.OTHER), checkups=[checkup])
    assert lines["permissions"].state == "unknown"


def test_a_checkup_that_was_made_because_of_the_alert_counts_before_others():
    older = make_checkup(make_finding("permissions", "ok", "all there"))
    newer = make_checkup(
        make_finding("permissions", "wrong", "Order Placing is missing"),
        at=NOW + timedelta(seconds=2),
    )
    line = diagnosed(*BEFORE, NO_ORDERS, newer, checkups=[older])["permissions"]
    assert "Order Placing is missing (checkup of 2026-11-23T12:00:02Z)" in line.evidence


def test_a_checkup_leaves_what_was_refused_at_the_door_alone():
    checkup = make_checkup(make_finding("permissions", "ok", "all there"))
    lines = diagnosed(refused(Reason.NOT_A_JSON_OBJECT), checkups=[checkup])
    assert lines["permissions"].state == "not_reached"


def test_a_checkup_does_not_make_a_diagnosis_of_what_was_done():
    wrong = make_checkup(make_finding("permissions", "wrong", "none"))
    filled = make_execution("filled", exchange_order_id="77")
    assert diagnosed(*BEFORE, filled, wrong, checkups=[wrong]) == {}


def test_our_own_mend_stays_where_the_checkup_knows_no_better():
    checkup = make_checkup(
        make_finding("leverage", "wrong", "5x is set", mend="Set it.", symbol="BTC_USDT")
    )
    denial = Denial(reason=Reason.LEVERAGE_DIFFERS, message="5 is held, 10 asked")
    denied = make_denied(account="paper", intent_id=make_intent().intent_id, denial=denial)
    line = diagnosed(*BEFORE[:2], denied, checkups=[checkup])["leverage"]
    assert line.evidence == f"leverage_differs: 5 is held, 10 asked; 5x is set {WHEN}"
    assert "`alertwire routes edit demo --leverage N`" in line.mend
