"""How an account and its key stand, in words."""

import pytest

from libs.common.contracts.checkup import (
    AccountChecked,
    CheckState,
    CheckupLine,
    CheckupReason,
    Finding,
)
from libs.common.contracts.words import AccountId, RouteId, VenueSymbol
from services.console.web.accounts import standing
from tests.factories import NOW, make_account, make_route
from tests.fake_halts import make_control
from tests.pictured import make_egress


def finding(line, state=CheckState.OK, **changes):
    return Finding(line=line, state=state, **{"evidence": f"{line.value} seen", **changes})


def checked(*findings, **changes):
    values = {"account": AccountId("main"), "at": NOW, "reason": CheckupReason.ASKED}
    return AccountChecked(findings=findings, **{**values, **changes})


WRONG = checked(
    finding(CheckupLine.EXCHANGE),
    finding(CheckupLine.ACCESS_KEY, CheckState.WRONG, mend="enter it again"),
    finding(CheckupLine.LINKED_IP, CheckState.NOT_REACHED),
    finding(CheckupLine.LEVERAGE, CheckState.NOT_REACHED, symbol=VenueSymbol("A_USDT")),
    finding(CheckupLine.LEVERAGE, CheckState.NOT_REACHED, symbol=VenueSymbol("B_USDT")),
    finding(
        CheckupLine.SYMBOL,
        CheckState.WARNING,
        symbol=VenueSymbol("BTC_USDT"),
        route=RouteId("btc"),
    ),
)


def test_a_report_tells_each_line_and_names_together_what_was_not_reached():
    found = standing.report(WRONG)
    assert (found.state, found.summary) == ("wrong", "1 ok, 1 warning, 1 wrong, 3 not reached")
    assert [(one.line, one.word, one.mend) for one in found.lines] == [
        ("Exchange", "ok", ""),
        ("Access key", "wrong", "enter it again"),
        ("Contract", "warning", ""),
    ]
    assert found.lines[2].of == "BTC_USDT of btc"
    assert found.unreached == ["Linked address", "Leverage"]


@pytest.mark.parametrize("line", list(CheckupLine))
def test_each_line_of_the_doctor_has_words(line):
    [told] = standing.report(checked(finding(line))).lines
    assert (told.code, told.line[0].isupper()) == (line.value, True)


@pytest.mark.parametrize("state", list(CheckState))
def test_each_state_can_be_told(state):
    found = standing.report(checked(finding(CheckupLine.CLOCK, state)))
    assert found.summary == f"1 {state.value.replace('_', ' ')}"
    assert found.state == state.value


def test_an_account_in_the_list_shows_the_first_thing_that_is_wrong_and_no_key():
    line = standing.line_of(
        make_account(access_key="mx0vglABCD1234"),
        halts=[],
        routes=[make_route(id="btc")],
        checked=WRONG,
    )
    assert (line.key, line.routes, line.checkup) == ("***1234", ["btc"], "wrong")
    assert line.first_wrong == "Access key: access_key seen"
    fresh = standing.line_of(make_account(), halts=[], routes=[], checked=None)
    assert (fresh.checkup, fresh.first_wrong, fresh.days_left) == ("", "", None)


@pytest.mark.parametrize(("days", "are_few"), [(None, False), (0, True), (13, True), (14, False)])
def test_few_days_stand_out(days, are_few):
    found = checked(finding(CheckupLine.KEY_DAYS), key_days_left=days)
    line = standing.line_of(make_account(), halts=[], routes=[], checked=found)
    assert (line.days_left, line.days_are_few) == (days, are_few)


@pytest.mark.parametrize(
    ("halt", "words"),
    [
        pytest.param(make_control(), "everything is halted", id="everything"),
        pytest.param(make_control("account", "main"), "account main is halted", id="ours"),
        pytest.param(make_control("account", "other"), "", id="another"),
        pytest.param(make_control("route", "main"), "", id="a-route"),
    ],
)
def test_what_holds_an_account_back(halt, words):
    assert standing.halted_by("main", [halt]) == words


def test_addresses_are_told_as_they_are_pasted():
    told = [make_egress(seen=("203.0.113.9",)), make_egress(seen=("203.0.113.10", "203.0.113.9"))]
    found = standing.addresses(told)
    assert (found.pasted, found.is_known, found.silent) == ("203.0.113.10,203.0.113.9", True, 0)
    silent = standing.addresses([make_egress(seen=(), problem="it stands back")])
    assert (silent.is_known, silent.silent, silent.problem) == (False, 1, "it stands back")
    assert not standing.addresses([]).is_known


@pytest.mark.parametrize(
    ("linked", "days", "own", "words"),
    [
        pytest.param(None, None, (), ["does not tell"], id="not-told"),
        pytest.param((), 61, (), ["from anywhere, and lives 90 days", "61 days"], id="none"),
        pytest.param(("203.0.113.9",), None, ("203.0.113.9",), ["203.0.113.9"], id="linked"),
        pytest.param(
            ("203.0.113.8",),
            1,
            ("203.0.113.9",),
            ["203.0.113.8", "Not linked yet: 203.0.113.9", "1 day left"],
            id="another",
        ),
    ],
)
def test_what_the_exchange_tells_of_the_key(linked, days, own, words):
    found = checked(linked_addresses=linked, key_days_left=days)
    told = list(standing.key_words(found, own=own))
    assert len(told) == len(words)
    assert all(part in text for part, text in zip(words, told, strict=True))
    assert list(standing.key_words(None, own=own)) == []
