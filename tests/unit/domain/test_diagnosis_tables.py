"""Every reason, every cause and all published codes have their line, and each mend can be done: the
commands and options that it names are there.
"""

import re

import click
import pytest

from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckupLine
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.domain.diagnosis.cause_checks import CAUSE_CHECKS, EXCHANGE_ORDER, passed
from libs.common.domain.diagnosis.checked import CHECK_OF_LINE
from libs.common.domain.diagnosis.checklist import PROCESS, CheckName
from libs.common.domain.diagnosis.reason_checks import REASON_CHECKS
from services.executor.mexc import errors
from tests.diagnosed import diagnosed, in_state
from tests.factories import make_alert, make_intent, make_leg
from tests.recorded import recorded
from tests.trail_messages import common, make_denied, make_execution, make_plan
from tools.cli.__main__ import main

BEFORE = (make_alert(), make_intent(), make_plan(make_leg(client_order_id="o1")))
GROUPS = recorded("error_codes")
LINES = {
    "ip": {"linked_ip"},
    "key": {"access_key"},
    "permission": {"permissions"},
    "signature": {"secret_key"},
    "symbol": {"symbol"},
    "quantity": {"quantity"},
    "precision": {"quantity"},
    "margin": {"balance"},
    "leverage": {"leverage"},
    "position_mode": {"position_mode"},
    # 2002, 6001 and the like, 506 and 1000 stand in groups of mixed company.
    "open_type": {"margin_mode", "exchange"},
    "account": {"exchange", "access_key"},
    "system": {"exchange", "access_key"},
}
"""Of the groups as published; all others are the exchange's."""


def line_of(code):
    no = make_execution("rejected", code=code, cause=errors.cause_of(code), message="no")
    (wrong,) = in_state(diagnosed(*BEFORE, no), "wrong")
    return wrong


@pytest.mark.parametrize("group", GROUPS)
def test_every_published_code_leads_to_its_line(group):
    for code in GROUPS[group]:
        assert line_of(code) in LINES.get(group, {"exchange"}), code


@pytest.mark.parametrize(
    ("code", "line"),
    [
        *((code, "exchange") for code in (6001, 6002, 6009, 8934, 513, 510, 500, 200005, 9998)),
        *((code, "exchange") for code in (2002, 2003, 2008, 2025, 2036, 2042, 3001, 424242)),
        *((code, "access_key") for code in (401, 402, 506, 1000)),
        *((code, "symbol") for code in (1001, 1002, 8930)),
        *((code, "quantity") for code in (2011, 2015, 2028, 7008)),
        *((406, "linked_ip"), (602, "secret_key"), (704, "permissions"), (511, "permissions")),
        *((2005, "balance"), (8012, "balance"), (2006, "leverage"), (8931, "leverage")),
        *((7002, "position_mode"), (2027, "margin_mode"), (9070, "margin_mode")),
    ],
)
def test_a_codes_line(code, line):
    assert line_of(code) == line


@pytest.mark.parametrize("code", set(errors.ORDER_ERROR_NAMES) - {0})
def test_an_order_that_died_later_leads_to_a_line_with_its_name(code):
    name = errors.order_error_name(code)
    died = make_execution(
        *("rejected",),
        exchange_order_id="77",
        code=code,
        cause=errors.order_error_cause(code),
        message=name,
    )
    lines = diagnosed(*BEFORE, died)
    (wrong,) = in_state(lines, "wrong")
    own = {2: "balance", 9: "position_mode", 11: "symbol", 12: "symbol"}
    assert wrong == own.get(code, "exchange")
    assert f"{code} {name}" in lines[wrong].evidence
    assert lines[wrong].mend


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_of_the_closed_list_leads_to_its_line(reason):
    """Refused at the door, denied by the router, denied by the executor."""
    denial = Denial(reason=reason, message="no")
    by_executor = make_denied(account="paper", intent_id="i", denial=denial)
    refused = AlertRefused(status=422, reason=reason, message="no", **common())
    for messages in (
        [make_alert(), make_denied(reason)],
        [make_alert(), make_denied(reason, account="paper")],
        [*BEFORE[:2], by_executor],
        [refused],
    ):
        lines = diagnosed(*messages)
        line = lines[REASON_CHECKS[reason].check.value]
        assert in_state(lines, "wrong") == {line.check.value}
        assert f"{reason.value}: " in line.evidence
        assert line.mend


def test_the_tables_are_whole():
    assert set(REASON_CHECKS) == set(Reason)
    assert set(CAUSE_CHECKS) == set(Cause)
    assert set(CHECK_OF_LINE) == set(CheckupLine)
    assert sorted(PROCESS) == sorted(CheckName)
    assert len(set(EXCHANGE_ORDER)) == len(EXCHANGE_ORDER)


@pytest.mark.parametrize("cause", Cause)
def test_a_refusal_never_proves_its_own_line(cause):
    assert CAUSE_CHECKS[cause].check not in passed(cause)


MENDS = sorted({verdict.mend for verdict in (*REASON_CHECKS.values(), *CAUSE_CHECKS.values())})


@pytest.mark.parametrize("mend", MENDS)
def test_a_mend_is_one_sentence_that_can_be_done(mend):
    assert re.fullmatch(r"[A-Z].*[^.]\.", mend)
    assert ". " not in mend
    # What TradingView replaces stands in two braces.
    names = set(re.findall(r"\{(\w+)\}", re.sub(r"\{\{.*?\}\}", "", mend)))
    assert names <= {"route", "account", "symbol", "field"}
    for quoted in re.findall(r"`(alertwire [^`]+)`", mend):
        assert_there(quoted.split()[1:])


def assert_there(words):
    command = main
    while isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, words
        command = found
        words = words[1:]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    options = {word for word in words if word.startswith("--")}
    assert options <= known, options - known
