"""Why an alert was not executed: the failing line, what is known of the others, and the mend."""

import msgspec
import pytest

from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Denial, Size
from libs.common.contracts.order import Change, ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import ChangeKind, OrderType, PositionSide, SizingMode
from libs.common.domain.diagnosis.checklist import CheckName
from tests.diagnosed import diagnosed, in_state
from tests.factories import NOW, D, make_alert, make_intent, make_leg
from tests.trail_messages import (
    common,
    make_dead,
    make_denied,
    make_execution,
    make_flattening,
    make_plan,
)

LEG = make_leg(client_order_id="o1")
ALERT = make_alert(source_address="52.89.214.238")
BEFORE = (ALERT, make_intent(), make_plan(LEG))
CAME = "received 2026-11-23T12:00:00Z from 52.89.214.238 and stored"
EVERY = {name.value for name in CheckName}
OURS = {"arrived", "json", "symbol", "quantity"}
KEY_WORKS = {"access_key", "linked_ip", "secret_key"}


def refused(reason, status=422, **changes):
    values = {"status": status, "reason": reason, "message": "no", **common()}
    return AlertRefused(**{**values, **changes})


def rejected(cause, code=1, message="no", **changes):
    return make_execution("rejected", code=code, cause=cause, message=message, **changes)


def by_executor(reason, message="no", **context):
    return make_denied(
        account="paper",
        intent_id=make_intent().intent_id,
        symbol="BTC_USDT",
        denial=Denial(reason=reason, message=message, context=context),
    )


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [ALERT],
        [*BEFORE, make_execution("accepted", exchange_order_id="77")],
        [*BEFORE, make_execution("resting", exchange_order_id="77")],
        [*BEFORE, make_execution("filled", exchange_order_id="77")],
        [make_flattening()],
    ],
)
def test_what_was_done_or_is_under_way_needs_no_diagnosis(messages):
    assert diagnosed(*messages) == {}


def test_a_message_that_is_no_json_has_arrived_and_come_no_further():
    lines = diagnosed(
        refused(Reason.NOT_A_JSON_OBJECT, 415, message="The body is text.", value="Buy BTC")
    )
    assert in_state(lines, "ok") == {"arrived"}
    assert in_state(lines, "wrong") == {"json"}
    assert in_state(lines, "not_reached") == EVERY - {"arrived", "json"}
    assert lines["json"].evidence == (
        "answered 415, not_a_json_object: The body is text. It was: Buy BTC"
    )


def test_a_field_that_is_wrong_is_named_in_the_mend():
    lines = diagnosed(refused(Reason.FIELD_MISSING, field="order_contracts"))
    assert lines["json"].mend == "Add the field order_contracts to the alert's message."


def test_what_was_stopped_at_the_door_has_not_arrived():
    lines = diagnosed(refused(Reason.ADDRESS_NOT_ALLOWED, 403))
    assert in_state(lines, "wrong") == {"arrived"}
    assert in_state(lines, "not_reached") == EVERY - {"arrived"}
    assert "`alertwire routes edit demo --allow-address NETWORK`" in lines["arrived"].mend


def test_a_ticker_that_maps_to_nothing():
    lines = diagnosed(ALERT, make_denied(Reason.SYMBOL_UNKNOWN, account="paper"))
    assert in_state(lines, "ok") == {"arrived", "json"}
    assert in_state(lines, "wrong") == {"symbol"}
    assert in_state(lines, "unknown") == set()
    assert lines["arrived"].evidence == CAME
    assert lines["json"].evidence == "understood as buy 0.001 BTCUSDT.P"


def test_a_size_that_the_router_denies_proves_the_symbol():
    lines = diagnosed(ALERT, make_denied(Reason.BELOW_MINIMUM, account="paper"))
    assert in_state(lines, "ok") == {"arrived", "json", "symbol"}
    assert in_state(lines, "wrong") == {"quantity"}


def test_an_account_that_does_not_exist_is_found_before_the_symbol():
    lines = diagnosed(ALERT, make_denied(Reason.ACCOUNT_UNKNOWN, account="paper"))
    assert in_state(lines, "wrong") == {"access_key"}
    assert in_state(lines, "not_reached") == EVERY - {"arrived", "json", "access_key"}


def test_an_entry_that_grew_stale_was_understood_all_the_same():
    lines = diagnosed(*BEFORE[:2], by_executor(Reason.STALE, "the entry is 31.0 s old"))
    assert in_state(lines, "ok") == OURS - {"arrived"}
    assert lines["arrived"].evidence == (f"stale: the entry is 31.0 s old ({CAME})")
    assert in_state(lines, "not_reached") == EVERY - OURS


def test_what_the_executor_denies_by_what_is_held_proves_the_key():
    lines = diagnosed(*BEFORE[:2], by_executor(Reason.LEVERAGE_DIFFERS))
    assert in_state(lines, "ok") == OURS | KEY_WORKS
    assert in_state(lines, "wrong") == {"leverage"}
    assert in_state(lines, "unknown") == {"permissions", "position_mode", "margin_mode"}
    assert lines["permissions"].mend == "`alertwire doctor paper` asks for it."


def test_a_size_is_proven_only_once_it_is_settled():
    size = Size(mode=SizingMode.QUOTE, value=D(50))
    intent = make_intent(contracts=None, size=size)
    assert diagnosed(ALERT, intent, by_executor(Reason.STALE))["quantity"].state == "not_reached"
    settled = diagnosed(ALERT, intent, make_plan(LEG), rejected(Cause.MARGIN))
    assert settled["quantity"].evidence.startswith("10 contracts: BTC_USDT takes steps of 1")


@pytest.mark.parametrize(
    ("cause", "check", "proven"),
    [
        (Cause.KEY, "access_key", set()),
        (Cause.IP, "linked_ip", {"access_key"}),
        (Cause.SIGNATURE, "secret_key", {"access_key", "linked_ip"}),
        (Cause.PERMISSION, "permissions", KEY_WORKS),
    ],
)
def test_a_refused_question_proves_what_the_exchange_looks_at_before(cause, check, proven):
    denial = by_executor(
        *(Reason.EXCHANGE_REFUSED_QUERY, "the exchange said no"),
        code="7",
        cause=cause.value,
        path="/held",
    )
    lines = diagnosed(*BEFORE[:2], denial)
    assert in_state(lines, "ok") == OURS | proven
    assert in_state(lines, "wrong") == {check}
    assert lines[check].evidence == (
        "exchange_refused_query: the exchange said no (code 7, path /held)"
    )


def test_a_refused_question_of_an_older_release_is_the_exchanges():
    lines = diagnosed(*BEFORE[:2], by_executor(Reason.EXCHANGE_REFUSED_QUERY))
    assert in_state(lines, "wrong") == {"exchange"}
    later = by_executor(Reason.EXCHANGE_REFUSED_QUERY, cause="unheard_of")
    assert in_state(diagnosed(*BEFORE[:2], later), "wrong") == {"exchange"}


def test_a_rejection_for_margin_proves_all_before_it():
    lines = diagnosed(*BEFORE, rejected(Cause.MARGIN, 2005, "Balance insufficient"))
    assert in_state(lines, "wrong") == {"balance"}
    assert in_state(lines, "ok") == EVERY - {"balance", "exchange"}
    assert lines["exchange"].state == "not_reached"
    assert lines["balance"].evidence == "open long 10 BTC_USDT: 2005 Balance insufficient"
    assert "--multiplier" in lines["balance"].mend


def test_a_rejection_of_the_account_itself_says_nothing_of_what_lies_between():
    lines = diagnosed(*BEFORE, rejected(Cause.OTHER, 6001, "Trading is forbidden"))
    assert in_state(lines, "wrong") == {"exchange"}
    assert in_state(lines, "ok") == OURS | KEY_WORKS
    assert in_state(lines, "unknown") == EVERY - OURS - KEY_WORKS - {"exchange"}
    assert "6001 Trading is forbidden" in lines["exchange"].evidence


def test_a_rejected_close_proves_nothing_of_what_only_opening_needs():
    closing = make_plan(make_leg("close", client_order_id="o1"))
    lines = diagnosed(ALERT, make_intent(), closing, rejected(Cause.POSITION, 2008))
    assert in_state(lines, "unknown") == {"margin_mode", "leverage", "balance"}
    assert in_state(lines, "wrong") == {"exchange"}


def test_a_rejection_of_an_older_release_names_no_cause():
    lines = diagnosed(*BEFORE, rejected(None, 2005, "Balance insufficient"))
    assert in_state(lines, "wrong") == {"exchange"}
    assert "2005 Balance insufficient" in lines["exchange"].evidence
    assert lines["exchange"].mend


def test_an_order_that_died_later_was_taken_first():
    died = rejected(Cause.MARGIN, 2, "INSUFFICIENT_BALANCE", exchange_order_id="77")
    lines = diagnosed(*BEFORE, make_execution("accepted", exchange_order_id="77"), died)
    assert in_state(lines, "wrong") == {"balance"}
    assert lines["leverage"].evidence == "the exchange took open long 10 BTC_USDT (order 77)"
    assert lines["balance"].evidence == (
        "open long 10 BTC_USDT (order 77): taken, and refused afterwards: 2 INSUFFICIENT_BALANCE"
    )


def test_an_order_that_found_nobody_to_trade_with():
    canceled = make_execution(
        *("canceled",),
        exchange_order_id="77",
        code=18,
        cause=Cause.LIQUIDITY,
        message="IOC_CANCEL",
        filled_contracts=D(0),
    )
    lines = diagnosed(*BEFORE, canceled)
    assert in_state(lines, "wrong") == {"exchange"}
    assert in_state(lines, "ok") == EVERY - {"exchange"}
    assert lines["exchange"].evidence == (
        "open long 10 BTC_USDT (order 77): canceled: 18 IOC_CANCEL"
    )


def test_an_order_of_which_a_part_was_filled_says_how_much():
    canceled = make_execution(
        *("canceled",),
        exchange_order_id="77",
        code=21,
        cause=Cause.LIQUIDITY,
        message="MARKET_CANCEL",
        filled_contracts=D(4),
        average_price=D(50_000),
    )
    evidence = diagnosed(*BEFORE, canceled)["exchange"].evidence
    assert evidence == (
        "open long 10 BTC_USDT (order 77): ended with 4 filled: 21 MARKET_CANCEL;"
        " done: 4 of open long 10 BTC_USDT at 50000"
    )


def test_an_order_that_somebody_canceled_is_nobodys_fault():
    lines = diagnosed(
        *BEFORE,
        make_execution("resting", exchange_order_id="77"),
        make_execution("canceled", exchange_order_id="77"),
    )
    assert in_state(lines, "wrong") == set()
    assert in_state(lines, "unknown") == {"exchange"}


def test_a_change_that_was_not_sent_for_want_of_its_order_is_no_failure_of_its_own():
    trail = Change(change_id="c1", kind=ChangeKind.TRAIL, position_side=PositionSide.LONG)
    plan = make_plan(LEG, changes=(trail,))
    unsent = make_execution("canceled", "c1", message="not sent (again): nothing was opened")
    lines = diagnosed(ALERT, make_intent(), plan, rejected(Cause.MARGIN), unsent)
    assert in_state(lines, "wrong") == {"balance"}


def test_a_change_that_was_refused():
    moved = Change(change_id="c1", kind=ChangeKind.MOVE_PROTECTION, exchange_ids=("81",))
    no = make_execution("rejected", "c1", code=5003, cause=Cause.TRIGGER, message="off")
    lines = diagnosed(ALERT, make_intent(contracts=None), make_plan(changes=(moved,)), no)
    assert lines["exchange"].evidence == "move protection BTC_USDT: 5003 off"
    assert "sl_price" in lines["exchange"].mend


def test_a_stop_order_that_waits_proves_no_balance():
    stop = make_leg(client_order_id="o1", order_type=OrderType.STOP, price=D(51_000))
    messages = [
        make_execution("resting", exchange_order_id="77"),
        make_execution("canceled", exchange_order_id="77"),
    ]
    lines = diagnosed(ALERT, make_intent(), make_plan(stop), *messages)
    assert lines["permissions"].state == "ok"
    assert lines["balance"].state == "unknown"


def test_half_a_flip_says_what_was_done():
    close = make_leg("close", "short", client_order_id="o1")
    done = make_execution(
        *("filled", "o1"), filled_contracts=D(10), average_price=D("50000.5"), exchange_order_id="7"
    )
    no = rejected(Cause.MARGIN, 2005, "Balance insufficient", order="o2")
    plan = make_plan(close, make_leg(client_order_id="o2"))
    lines = diagnosed(ALERT, make_intent(), plan, done, no)
    assert in_state(lines, "wrong") == {"balance"}
    assert lines["balance"].evidence == (
        "open long 10 BTC_USDT: 2005 Balance insufficient; done: close short 10 BTC_USDT at 50000.5"
    )
    assert lines["exchange"].state == "ok"


def test_a_withheld_opening_says_what_was_closed():
    paused = Denial(reason=Reason.ROUTE_PAUSED, message="route demo is paused")
    plan = make_plan(make_leg("close", client_order_id="o1"), withheld=paused)
    done = make_execution("filled", filled_contracts=D(10), average_price=D(50_000))
    lines = diagnosed(ALERT, make_intent(opening_denied=paused), plan, done)
    assert in_state(lines, "wrong") == {"arrived"}
    assert lines["arrived"].evidence == (
        f"route_paused: route demo is paused; done: close long 10 BTC_USDT at 50000 ({CAME})"
    )
    assert lines["arrived"].mend == "Let it trade again by `alertwire routes resume demo`."


def test_an_order_whose_end_nobody_knows_names_what_was_sent():
    call = ExchangeCall(method="POST", path="/api/v1/private/order/create", sent_at=NOW)
    lines = diagnosed(
        *BEFORE,
        make_execution("sent", calls=(call,)),
        make_execution("unknown", message="ServerDisconnectedError"),
    )
    assert in_state(lines, "wrong") == set()
    assert lines["exchange"].state == "unknown"
    assert lines["exchange"].evidence == (
        "open long 10 BTC_USDT was sent by POST /api/v1/private/order/create as o1:"
        " ServerDisconnectedError"
    )
    assert "before you send anything again" in lines["exchange"].mend


def test_what_the_router_gave_up_on_did_not_come_through():
    lines = diagnosed(ALERT, make_dead("router", "alert.received.demo"))
    assert in_state(lines, "wrong") == {"arrived"}
    assert lines["arrived"].evidence == (f"the router gave up after 5 deliveries: a bug ({CAME})")
    assert "`alertwire dead replay 1`" in lines["arrived"].mend


def test_what_the_executor_gave_up_on_is_the_exchanges():
    letter = make_dead("executor", "intent.accepted.0.paper.BTC_USDT")
    lines = diagnosed(*BEFORE[:2], letter)
    assert in_state(lines, "wrong") == {"exchange"}
    assert lines["linked_ip"].state == "not_reached"


@pytest.mark.parametrize(
    ("contracts", "price", "verdict"),
    [
        ("10", "50000.15", "the price is off the tick of 0.1"),
        ("10.5", "50000.1", "the size is not one of these"),
        ("10", "50000.1", "what was sent fits, so the contract may have changed since"),
    ],
)
def test_one_code_for_sizes_and_prices_is_told_apart_by_what_was_sent(contracts, price, verdict):
    leg = make_leg(
        client_order_id="o1", order_type=OrderType.LIMIT, contracts=D(contracts), price=D(price)
    )
    lines = diagnosed(ALERT, make_intent(), make_plan(leg), rejected(Cause.QUANTITY, 2015))
    assert in_state(lines, "wrong") == {"quantity"}
    assert f"sent were {contracts} contracts at {price}" in lines["quantity"].evidence
    assert lines["quantity"].evidence.endswith(verdict)


def test_of_several_accounts_the_worst_counts_and_is_named():
    second = make_intent(account="second")
    filled = make_execution("filled", exchange_order_id="7", filled_contracts=D(10))
    no = rejected(Cause.MARGIN, 2005, "Balance insufficient", account="second", order="o2")
    plan = make_plan(make_leg(client_order_id="o2"), account="second")
    lines = diagnosed(*BEFORE, filled, second, plan, no)
    assert in_state(lines, "wrong") == {"balance"}
    assert lines["balance"].evidence == ("second: open long 10 BTC_USDT: 2005 Balance insufficient")
    assert lines["exchange"].evidence == "paper: done: open long 10 BTC_USDT"
    assert "paper" not in lines["arrived"].evidence, "of all of them the same"


def test_several_accounts_that_fail_alike_are_told_each():
    both = [by_executor(Reason.STALE), make_denied(Reason.STALE, account="second")]
    lines = diagnosed(ALERT, *both)
    assert lines["arrived"].evidence == f"stale: no ({CAME})"
    other = msgspec.structs.replace(
        both[1], denial=Denial(reason=Reason.STALE, message="33.0 s old")
    )
    lines = diagnosed(ALERT, both[0], other)
    assert lines["arrived"].evidence == (
        f"paper: stale: no ({CAME}); second: stale: 33.0 s old ({CAME})"
    )


def test_one_account_that_failed_is_told_while_another_is_under_way():
    lines = diagnosed(*BEFORE, make_denied(Reason.ACCOUNT_UNKNOWN, account="second"))
    assert in_state(lines, "wrong") == {"access_key"}
