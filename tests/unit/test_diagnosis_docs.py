"""docs/diagnosis.md: its examples are what `alertwire trace` prints, its tables are the code's."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckState
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.domain.diagnosis.cause_checks import CAUSE_CHECKS, EXCHANGE_ORDER
from libs.common.domain.diagnosis.checklist import CheckName
from libs.common.domain.diagnosis.reason_checks import REASON_CHECKS
from services.ingest.parsing import Unparsed, parse_alert
from tests.diagnosed import make_checkup, make_finding
from tests.factories import NOW, D, make_alert, make_intent, make_leg, make_route
from tests.traced import answered
from tests.trail_messages import common, make_execution, make_plan
from tests.unit.domain.test_diagnosis import by_executor
from tools.cli.diagnosis import print_diagnosis

PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"
TEXT = PAGE.read_text()
SHOWN = dict(
    re.findall(
        r"^### ([^\n]+)\n(?:[^`]|`[^`\n]+`)*?```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL
    )
)

CAME = make_alert(source_address="52.89.214.238")
INTENT = make_intent(steps=("ticker BTCUSDT.P is BTC_USDT by its name",))
PLAN = make_plan(make_leg(client_order_id="o1"))


def no_json():
    body = b"Buy BTC now!"
    refused = parse_alert(body, route=make_route())
    assert isinstance(refused, Unparsed)
    told = refused.refusal
    return [
        AlertRefused(
            status=told.status,
            reason=told.reason,
            message=told.message,
            value=told.value,
            source_address="52.89.214.238",
            **common(),
        )
    ]


def not_linked():
    denied = by_executor(
        Reason.EXCHANGE_REFUSED_QUERY,
        "the exchange refused to tell what is needed: Accessing IP is not in the whitelist",
        code="406",
        cause=Cause.IP.value,
        path="/api/v1/private/position/open_positions",
    )
    checkup = make_checkup(
        make_finding("access_key", "ok", "MEXC knows the key"),
        make_finding("linked_ip", "wrong", "refused with 406"),
        addresses=("203.0.113.9",),
        linked_addresses=("198.51.100.7",),
        at=NOW + timedelta(seconds=2),
    )
    return [CAME, INTENT, denied, checkup]


def half_a_flip():
    close = make_leg("close", "short", client_order_id="o1")
    done = make_execution(
        *("filled", "o1"),
        filled_contracts=D(10),
        average_price=D("50000.5"),
        exchange_order_id="77",
    )
    no = make_execution(
        *("rejected", "o2"), code=2005, cause=Cause.MARGIN, message="Balance insufficient"
    )
    return [CAME, INTENT, make_plan(close, make_leg(client_order_id="o2")), done, no]


def forbidden():
    no = make_execution("rejected", code=6001, cause=Cause.OTHER, message="Trading is forbidden")
    return [CAME, INTENT, PLAN, no]


def lost():
    call = ExchangeCall(method="POST", path="/api/v1/private/order/create", sent_at=NOW)
    return [
        *(CAME, INTENT, PLAN, make_execution("sent", calls=(call,))),
        make_execution("unknown", message="ServerDisconnectedError: Server disconnected"),
    ]


EXAMPLES = {
    "The message is no JSON": no_json,
    "The address is not linked": not_linked,
    "Half of a flip": half_a_flip,
    "The account may not trade": forbidden,
    "Nobody knows": lost,
}


def test_every_example_is_known():
    assert list(SHOWN) == list(EXAMPLES)


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_is_what_the_trace_prints(title, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    print_diagnosis(answered(*EXAMPLES[title]())["diagnosis"])
    printed = "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())
    assert printed.lstrip("\n") == SHOWN[title]


def rows_of(heading):
    part = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in part.splitlines()
        if re.match(r"\| (`|. \| `)", line)
    ]


def words_in(cell):
    return set(re.findall(r"`(\w+)`", cell))


def test_every_line_is_told_in_its_order():
    assert [row[0].strip("`") for row in rows_of("The lines")] == [name.value for name in CheckName]


def test_every_state_is_told():
    states = {*CheckState} - {CheckState.WARNING}
    assert {row[1].strip("`") for row in rows_of("How to read it")} == {
        each.value for each in states
    }


def test_every_reason_and_cause_stands_at_its_line():
    told = {row[0].strip("`"): row for row in rows_of("What stands where")}
    assert list(told) == [name.value for name in CheckName]
    for name in CheckName:
        reasons = {each.value for each, verdict in REASON_CHECKS.items() if verdict.check is name}
        causes = {each.value for each, verdict in CAUSE_CHECKS.items() if verdict.check is name}
        assert words_in(told[name.value][1]) == reasons, name
        assert words_in(told[name.value][2]) == causes, name


def test_the_exchanges_order_is_told():
    told = re.search(r"The order is this:\s+(.*?)\.", TEXT, re.DOTALL)[1]
    assert re.findall(r"`(\w+)`", told) == [cause.value for cause in EXCHANGE_ORDER]
