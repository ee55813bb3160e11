"""What a checkup concludes, line by line, and what it leaves unsaid behind a line that is wrong."""

from dataclasses import replace

import pytest

from libs.common.contracts.checkup import CheckState, CheckupLine
from libs.common.contracts.words import MarginMode, PositionMode
from services.executor.checkable import Funds, KeyInfo
from services.executor.checkup.addresses import SeenAddress
from services.executor.checkup.judging import judge_checkup
from services.executor.checkup.observed import Unlisted
from tests.factories import D, make_account, make_holding, make_instrument
from tests.fake_checks import ORDERLY
from tests.unit.checkup_desk import (
    OURS,
    TERMS,
    barred,
    finding,
    make_lane,
    make_listing,
    make_seen,
    pings,
    set_to,
    states,
)

ALL_OK = {line.value: "ok" for line in CheckupLine}


def key(**changes):
    return {"key": replace(ORDERLY, **changes)}


def lane(**changes):
    return {"lanes": [make_lane(**changes)]}


def account(**changes):
    return {"account": make_account(access_key="mx0vglABCD1234", **changes)}


def held(**changes):
    return {"positions": (("BTC_USDT", make_holding(**changes)),)}


def funds(equity, available):
    return {"funds": {"USDT": Funds(equity=D(equity), available=D(available))}}


def test_an_account_in_order_is_ok_in_the_order_of_the_lines():
    found = judge_checkup(make_seen())
    assert [one.line for one in found] == list(CheckupLine)
    assert {one.line.value: one.state.value for one in found} == ALL_OK
    assert all(one.evidence and not one.mend for one in found)


# What differs, its line, the state, what stands in the evidence, what in the mend.
ONE_LINE = [
    (
        {"own": SeenAddress(addresses=("198.51.100.7",)), **key(linked=("198.51.100.7",))},
        "egress",
        "wrong",
        "198.51.100.7; expected is 203.0.113.9",
        "or link 198.51.100.7",
    ),
    (
        {"own": SeenAddress(problem="two services differ")},
        "egress",
        "unknown",
        "two services differ",
        "echo",
    ),
    (
        {"pings": pings(8.0, 9.0, 1_500.0)},
        "exchange",
        "warning",
        "p50 9.0 ms, p99 1500.0 ms of 3 pings",
        "nearer",
    ),
    ({"pings": pings(301.0)}, "exchange", "warning", "p50 301.0 ms", "nearer"),
    ({"pings": pings(8.0, offset_ms=1_000)}, "clock", "warning", "1000 ms ahead of ours", "NTP"),
    ({"pings": pings(8.0, offset_ms=-10_000)}, "clock", "wrong", "10000 ms behind ours", "NTP"),
    (key(status="FROZEN"), "access_key", "warning", "FROZEN", "API Management"),
    (
        key(linked=("198.51.100.7",)),
        "linked_ip",
        "warning",
        "lets us in by 198.51.100.7, while echo services see 203.0.113.9",
        "link each address",
    ),
    (
        key(permissions=("CONTRACT_DEAL_READ", "CONTRACT_ACCOUNT_READ")),
        "permissions",
        "wrong",
        "missing: Order Placing",
        "tick Order Placing",
    ),
    (
        key(permissions=()),
        "permissions",
        "wrong",
        "Order Placing, View Order Details, View Account Details; the key has none",
        "tick",
    ),
    (
        key(permissions=(*ORDERLY.permissions, "SPOT_WITHDRAW_WRITE", "SPOT_DEAL_WRITE")),
        "permissions",
        "warning",
        "WITHDRAW MONEY (SPOT_WITHDRAW_WRITE)",
        "delete this key",
    ),
    (
        key(permissions=(*ORDERLY.permissions, "SPOT_DEAL_WRITE")),
        "permissions",
        "warning",
        "more than is needed: SPOT_DEAL_WRITE;",
        "take SPOT_DEAL_WRITE off",
    ),
    (
        key(permissions=(*ORDERLY.permissions, "SPOT_TRANSFER_WRITE")),
        "permissions",
        "warning",
        "(some of it moves money)",
        "take SPOT_TRANSFER_WRITE off",
    ),
    (
        {"position_mode": PositionMode.ONE_WAY},
        "position_mode",
        "wrong",
        "one_way mode; expected here is hedge",
        "--position-mode one_way",
    ),
    (
        funds(0, 0),
        "balance",
        "wrong",
        "0 USDT available; the smallest order, 1 contract at 50000 and 10x, needs 0.5040",
        "transfer USDT",
    ),
    (funds(9, "0.5"), "balance", "warning", "equity is 9", "bound in positions"),
    (
        lane(listing=make_listing(api_allowed=False)),
        "symbol",
        "wrong",
        "apiAllowed",
        "another contract",
    ),
    (
        lane(listing=make_listing(is_open=False, state="paused")),
        "symbol",
        "wrong",
        "the contract is paused",
        "wait",
    ),
    (
        held(margin_mode=MarginMode.ISOLATED),
        "margin_mode",
        "wrong",
        "long 10 held in isolated margin; the route orders cross",
        "--margin-mode isolated",
    ),
    (
        held(leverage=20),
        "leverage",
        "wrong",
        "long 10 held with 20x; the route orders 10x",
        "--leverage 20",
    ),
    (
        lane(leverages=set_to("cross", 20)),
        "leverage",
        "warning",
        "long cross 20x, short cross 20x; the route orders cross 10x",
        "leverage.refused",
    ),
    (
        lane(listing=make_listing(instrument=make_instrument(leverage_maximum=5))),
        "leverage",
        "wrong",
        "takes 5x at most",
        "--leverage 5",
    ),
]


@pytest.mark.parametrize(("changes", "line", "state", "evidence", "mend"), ONE_LINE)
def test_what_is_wrong_is_told_at_its_line_and_at_no_other(changes, line, state, evidence, mend):
    seen = make_seen(**changes)
    found = finding(seen, line)
    assert (found.state.value, mend in found.mend) == (state, True), found
    assert evidence in found.evidence, found
    assert states(seen) == {**ALL_OK, line: state}


def test_each_state_of_worse_than_ok_comes_with_a_mend():
    tried = [make_seen(**changes) for changes, *_ in ONE_LINE]
    for seen in tried:
        for found in judge_checkup(seen):
            assert bool(found.mend) == (found.state is not CheckState.OK), found


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"account": make_account(), "own": SeenAddress()}, "ok"),
        ({"account": make_account(), "own": SeenAddress(addresses=(OURS,))}, "ok"),
        (
            {"account": make_account(), "own": SeenAddress(addresses=(OURS,), expected=(OURS,))},
            "ok",
        ),
        (
            {"account": make_account(), "own": SeenAddress(addresses=(OURS,), expected=("::1",))},
            "wrong",
        ),
        (account(expected_addresses=("203.0.113.0/24",)), "ok"),
        ({"own": SeenAddress(addresses=(OURS, "2001:db8::1"))}, "wrong"),
        ({"own": SeenAddress(addresses=("odd",))}, "wrong"),
    ],
)
def test_our_address_is_compared_with_the_accounts_expected_ones_else_with_the_executors(
    changes, state
):
    assert finding(make_seen(**changes), "egress").state.value == state


def test_a_key_without_an_address_is_told_to_get_one_and_its_days_are_counted():
    for days, state in ((90, "ok"), (14, "ok"), (13, "warning"), (1, "warning"), (0, "wrong")):
        seen = make_seen(**key(linked=(), days_left=days))
        assert states(seen) == {**ALL_OK, "key_days": state}
        assert f"{days} days left" in finding(seen, "key_days").evidence
    assert OURS in finding(seen, "linked_ip").mend
    astray = make_seen(own=SeenAddress(addresses=("198.51.100.7",)), **key(linked=()))
    assert finding(astray, "linked_ip").mend.startswith(f"better add {OURS} under")


def test_the_days_that_a_linked_key_is_told_do_not_count():
    assert states(make_seen(**key(days_left=0))) == ALL_OK


def test_a_contract_that_is_not_listed_has_no_leverage_to_look_at():
    seen = make_seen(**lane(listing=Unlisted(), leverages=None, price=None))
    unreached = dict.fromkeys(["balance", "leverage"], "not_reached")
    assert states(seen) == {**ALL_OK, "symbol": "wrong", **unreached}


def test_each_contract_of_each_route_is_told_by_its_name():
    eth = make_lane(route="eth", symbol="ETH_USDT", leverages=set_to("cross", 5))
    found = judge_checkup(make_seen(lanes=[make_lane(), eth]))
    told = [(one.line.value, one.route, one.symbol) for one in found if one.route]
    lines = ("balance", "symbol", "margin_mode", "leverage")
    lanes = (("demo", "BTC_USDT"), ("eth", "ETH_USDT"))
    assert told == [(line, *lane) for line in lines for lane in lanes]
    assert [one.symbol for one in found if one.state is CheckState.WARNING] == ["ETH_USDT"]


def test_without_a_contract_the_money_is_told_and_what_there_is_to_look_at():
    seen = make_seen(lanes=[], idle_routes=("demo",))
    of_contracts = {"margin_mode", "leverage"}
    assert states(seen) == {line: "ok" for line in ALL_OK if line not in of_contracts}
    assert finding(seen, "balance").evidence == "available: 900 USDT"
    assert finding(seen, "symbol").route == "demo"
    assert "names no contract" in finding(seen, "symbol").evidence
    empty = make_seen(lanes=[], **funds(0, 0))
    assert finding(empty, "balance").state is CheckState.WARNING
    assert "no live route" in finding(empty, "symbol").evidence


def test_without_a_secret_key_nothing_else_is_said():
    seen = make_seen(denial="the secret key of account paper cannot be used: it was never entered")
    found = states(seen)
    assert (found.pop("egress"), found.pop("secret_key")) == ("ok", "wrong")
    assert set(found.values()) == {"not_reached"}
    assert "--secret-key-file" in finding(seen, "secret_key").mend


def test_no_finding_shows_more_of_a_key_than_its_end():
    tried = [changes for changes, *_ in ONE_LINE] + [barred("key", 402), barred("ip", 406)]
    for changes in tried:
        for found in judge_checkup(make_seen(**changes)):
            assert "mx0vglABCD1234" not in found.evidence + found.mend


def test_what_is_set_for_one_side_alone_is_left_to_the_orders():
    one_side = set_to("cross", 10)[:1]
    assert states(make_seen(**lane(leverages=one_side, terms=TERMS))) == ALL_OK


def test_a_key_that_tells_everything_is_never_probed_for_more():
    assert isinstance(make_seen().key, KeyInfo)
    assert make_seen().probe is None


def test_while_something_is_held_the_other_side_is_left_to_its_orders():
    seen = make_seen(**held(), **lane(leverages=set_to("isolated", 20)))
    assert states(seen) == ALL_OK
    assert finding(seen, "leverage").evidence == "long 10 held with 10x"
