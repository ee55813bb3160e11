"""What a checkup concludes where the exchange does not answer, or answers with no: what is behind a
line that is wrong is not reached, and what nobody tells is concluded or unknown.
"""

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckupLine
from services.executor.checkup.observed import Probed, Refused
from tests.unit.checkup_desk import (
    OURS,
    barred,
    finding,
    make_lane,
    make_seen,
    states,
)
from tests.unit.checkup_desk import SIGNED as QUESTIONS

ALL_OK = {line.value: "ok" for line in CheckupLine}
SIGNED = [
    *("access_key", "linked_ip", "secret_key", "permissions", "key_days"),
    *("position_mode", "balance", "margin_mode", "leverage"),
]
NO_INFO = Refused(kind=Cause.PERMISSION, code=700007, message="no permission")
MAY_NOT = Refused(kind=Cause.PERMISSION, code=703, message="trading-info read")
LOST = Refused(kind=Cause.SYSTEM, code=None, message="TimeoutError")


def test_an_exchange_that_is_silent_leaves_nothing_to_ask():
    seen = make_seen(
        pings=[],
        silence=LOST,
        lanes=[make_lane(listing=None, leverages=None, price=None)],
        **dict.fromkeys(QUESTIONS),
    )
    expected = dict.fromkeys([*SIGNED, "clock", "symbol"], "not_reached")
    assert states(seen) == {"egress": "ok", "exchange": "wrong", **expected}
    assert "TimeoutError" in finding(seen, "exchange").evidence


def test_a_checkup_that_was_cut_short_says_what_it_does_not_know():
    seen = make_seen(
        pings=[],
        lanes=[make_lane(listing=None, leverages=None, price=None)],
        **dict.fromkeys(QUESTIONS),
    )
    assert states(seen) == {
        "egress": "ok",
        **dict.fromkeys([*SIGNED, "exchange", "clock", "symbol"], "unknown"),
    }


GATES = [
    ("key", 402, "access_key", [], ["linked_ip", "secret_key"]),
    ("ip", 406, "linked_ip", ["access_key"], ["secret_key"]),
    ("signature", 602, "secret_key", ["access_key"], []),
]


@pytest.mark.parametrize(("kind", "code", "line", "ok", "behind"), GATES)
def test_what_bars_every_signed_question_is_told_where_it_belongs(kind, code, line, ok, behind):
    seen = make_seen(**barred(kind, code, "so it is"))
    found = states(seen)
    assert found.pop(line) == "wrong"
    assert [found.pop(one) for one in ok] == ["ok"] * len(ok)
    assert [found.pop(one) for one in behind] == ["not_reached"] * len(behind)
    if kind == "signature":
        assert found.pop("linked_ip") == "unknown", "the order of these two is not documented"
    rest = ["permissions", "key_days", "position_mode", "balance", "margin_mode", "leverage"]
    assert [found.pop(one) for one in rest] == ["not_reached"] * 6
    assert set(found.values()) == {"ok"}, "what needs no signature is told all the same"
    assert f"code {code}: so it is" in finding(seen, line).evidence


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("IP [192.0.2.1] not in the ip white list", "192.0.2.1"),
        ("您的IP[192.0.2.1]不在白名单", "192.0.2.1"),
        ("IP [2001:db8::7] not in the ip white list", "2001:db8::7"),
        ("192.0.2.1 is not 198.51.100.7", OURS),
        ("no words at 12:30:45 in version 1.2.3", OURS),
    ],
)
def test_a_refused_address_is_named_by_who_sees_it(words, named):
    """What echo services have told may be a minute old."""
    refused = Refused(kind=Cause.IP, code=700006, message=words)
    found = finding(make_seen(**{**barred("ip", 406), "key": refused}), "linked_ip")
    assert words in found.evidence
    assert f"echo services see {OURS}" in found.evidence
    assert f"add {named} to the key under MEXC → API Management → Link IP Address" in found.mend


def test_a_time_that_is_refused_is_the_clocks_affair():
    seen = make_seen(**barred("timestamp", 513))
    found = states(seen)
    assert found["clock"] == "wrong"
    assert {found[line] for line in SIGNED} == {"not_reached"}


def test_a_question_that_is_lost_leaves_its_line_unknown():
    seen = make_seen(funds=LOST)
    assert states(seen) == {**ALL_OK, "balance": "unknown"}
    seen = make_seen(**dict.fromkeys(QUESTIONS, LOST), lanes=[make_lane(leverages=None)])
    assert {states(seen)[line] for line in SIGNED} == {"unknown"}


@pytest.mark.parametrize(
    ("changes", "permissions", "others"),
    [
        (
            {"positions": MAY_NOT, "position_mode": MAY_NOT},
            "View Order Details",
            ["position_mode", "margin_mode"],
        ),
        ({"funds": MAY_NOT}, "View Account Details", ["balance"]),
        (
            {"positions": MAY_NOT, "funds": MAY_NOT},
            "View Order Details, View Account Details",
            ["balance", "margin_mode"],
        ),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_a_read_that_is_refused_is_a_permission_that_is_missing(changes, permissions, others, told):
    probe = Probed(may_place=True, said="allowed")
    seen = make_seen(**changes, **({} if told else {"key": NO_INFO, "probe": probe}))
    found = states(seen)
    assert found["permissions"] == "wrong"
    assert f"missing: {permissions};" in finding(seen, "permissions").evidence
    assert {found[line] for line in others} == {"not_reached"}
    assert found["secret_key"] == "ok"


@pytest.mark.parametrize(
    ("probe", "state", "says"),
    [
        (
            Probed(may_place=True, said="allowed (an order of 0 is met with code 2011)"),
            "ok",
            "code 2011",
        ),
        (Probed(may_place=False, said="refused, code 704"), "wrong", "missing: Order Placing"),
        (Probed(may_place=None, said="cannot be told, code 9999"), "unknown", "code 9999"),
        (None, "unknown", "Order Placing: not asked"),
        (Probed(may_place=True, said="order 77", was_taken=True), "warning", "was taken: order 77"),
    ],
)
def test_what_the_exchange_does_not_tell_of_a_key_is_concluded(probe, state, says):
    seen = make_seen(key=NO_INFO, probe=probe)
    assert states(seen) == {**ALL_OK, "permissions": state, "key_days": "warning"}
    assert says in finding(seen, "permissions").evidence
    assert "90 days" in finding(seen, "key_days").evidence
