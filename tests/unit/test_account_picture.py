"""The picture of an account, put together by hand: what is known is told, what is not is named, and
nothing is a guess.
"""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from libs.common.contracts import codec
from libs.common.contracts.account_picture import (
    AccountPicture,
    Doubt,
    EgressMatch,
    EgressTold,
    PictureState,
    WaitingKind,
)
from libs.common.contracts.words import PositionMode, PositionSide
from services.executor.book import Doubted
from services.executor.checkable import Funds
from services.executor.checkup.addresses import SeenAddress
from services.executor.viewable import HeldPosition
from services.executor.viewing.asked import Asked, Piece
from services.executor.viewing.composing import LASTS_S, Budgeted, Known, compose
from services.executor.viewing.egress import egress_of
from tests.factories import NOW, D, make_account, make_holding, make_instrument, make_leg
from tests.pictured import BTC, make_egress, make_picture, make_waiting
from tests.trail_messages import make_execution

T = 1_000.0
NEVER = float("-inf")
DOWN = Doubted(doubt=Doubt.SOCKET_DOWN, why="down", since=T - 100)


def told(value, *, s_ago=1.0):
    return Piece(value=value, asked_at=T - s_ago, why="")


def make_asked(**changes):
    """Everything was answered a second ago; nothing is held, nothing waits."""
    answered = {
        "positions": (),
        "balances": {"USDT": Funds(equity=D(1000), available=D(900))},
        "position_mode": PositionMode.HEDGE,
        **dict.fromkeys(("orders", "triggers", "protections", "trails"), ()),
        "drift": None,
        "checkup": None,
    }
    pieces = {name: told(value) for name, value in answered.items()}
    return Asked(**{**pieces, **changes})


def make_known(**changes):
    values = {
        "account": make_account(order_calls_per_2s=4),
        "at": NOW,
        "now": T,
        "asked": make_asked(),
        "marks": {BTC: told(D(51_000))},
        "shown": ((BTC, make_holding()),),
        "told_at": T - 3,
        "confirmed_at": T - 5,
        "position_mode": PositionMode.HEDGE,
        "instruments": {BTC: make_instrument()},
        "budget": Budgeted(left=3, waiting=0),
    }
    return Known(**{**values, **changes})


def missing(picture):
    """Apart from the checkup, which nobody has made here."""
    return {one.what: one.why for one in picture.missing if one.what != "key_days"}


def the_position(**changes):
    picture = compose(make_known(**changes))
    [position] = picture.positions
    return position, missing(picture)


def test_a_live_picture_is_told_as_it_was_pushed():
    picture = compose(make_known())
    assert (picture.state, picture.doubt, picture.why) == (PictureState.LIVE, None, "")
    assert (picture.age_ms, picture.confirmed_ms) == (3000, 1000)
    assert missing(picture) == {}
    [position] = picture.positions
    assert (position.symbol, position.contracts, position.base_quantity) == (BTC, 10, D("0.001"))
    assert (position.mark_price, position.marked_at) == (51_000, NOW - timedelta(seconds=1))
    assert (position.unrealised_profit, position.profit_currency) == (D(1), "USDT")
    assert (picture.order_calls_left, picture.order_calls_per_2s) == (3, 4)


def test_a_short_loses_where_a_long_wins():
    position, _ = the_position(shown=((BTC, make_holding("short", 30)),))
    assert position.unrealised_profit == D(-3)


@pytest.mark.parametrize(
    ("marks", "why"),
    [
        ({}, "it was not answered yet"),
        ({BTC: Piece(why="GET /fair_price: no reply")}, "GET /fair_price: no reply"),
        ({BTC: told(D(51_000), s_ago=LASTS_S + 1)}, "it was asked for too long ago"),
    ],
    ids=["never", "refused", "old"],
)
def test_without_a_price_of_now_no_profit_is_told(marks, why):
    position, named = the_position(marks=marks)
    assert (position.mark_price, position.unrealised_profit) == (None, None)
    assert position.base_quantity == D("0.001")
    assert named == {"mark_price": why}


def test_a_missing_price_is_named_once_for_both_sides():
    both = ((BTC, make_holding()), (BTC, make_holding("short")))
    assert len(compose(make_known(shown=both, marks={})).missing) == 2


def test_without_its_contract_a_position_has_no_size_and_no_profit():
    position, named = the_position(instruments={})
    assert (position.base_quantity, position.unrealised_profit) == (None, None)
    assert (position.contracts, position.mark_price) == (10, 51_000)
    assert named == {"contract_size": "the contract is not in the catalogue"}


def test_a_contract_that_is_settled_in_its_base_is_not_counted():
    position, named = the_position(instruments={BTC: make_instrument(quote="USD")})
    assert (position.base_quantity, position.unrealised_profit) == (None, None)
    assert "settled in its base coin" in named["contract_size"]


def held(contracts=10, **changes):
    return HeldPosition(
        **{
            "symbol": BTC,
            "holding": make_holding(contracts=contracts),
            "liquidation_price": D(45_000),
            "realised_profit": D("-0.04"),
            **changes,
        }
    )


def test_what_only_an_answer_tells_is_told_beside_what_was_pushed():
    position, _ = the_position(asked=make_asked(positions=told((held(),))))
    assert (position.liquidation_price, position.realised_profit) == (45_000, D("-0.04"))


@pytest.mark.parametrize(
    "other",
    [
        held(contracts=20),
        held(holding=make_holding(average_price=D(49_000))),
        held(holding=make_holding(position_id="another")),
    ],
    ids=["size", "price", "position"],
)
def test_an_answer_about_another_size_says_nothing(other):
    position, _ = the_position(asked=make_asked(positions=told((other,))))
    assert (position.contracts, position.liquidation_price) == (10, None)
    assert position.realised_profit is None


def test_without_pushes_what_was_just_answered_counts():
    asked = make_asked(positions=told((held(30),), s_ago=2))
    picture = compose(make_known(doubted=DOWN, asked=asked))
    assert (picture.state, picture.doubt, picture.why) == (
        PictureState.ASKED,
        Doubt.SOCKET_DOWN,
        "down",
    )
    assert [one.contracts for one in picture.positions] == [30]
    assert picture.age_ms == 2000
    assert missing(picture) == {}


@pytest.mark.parametrize(
    ("asked_s_ago", "since_s_ago"), [(LASTS_S + 1, 100), (5, 4)], ids=["old", "before-the-doubt"]
)
def test_an_older_answer_is_shown_and_not_trusted(asked_s_ago, since_s_ago):
    positions = told((held(30),), s_ago=asked_s_ago)
    doubted = replace(DOWN, since=T - since_s_ago)
    picture = compose(
        make_known(doubted=doubted, told_at=NEVER, shown=(), asked=make_asked(positions=positions))
    )
    assert picture.state is PictureState.UNTRUSTED
    assert [one.contracts for one in picture.positions] == [30]
    assert picture.age_ms == asked_s_ago * 1000
    assert "positions" in missing(picture)


def test_untrusted_it_shows_what_was_known_last():
    picture = compose(make_known(doubted=DOWN, asked=Asked(), told_at=T - 60))
    assert (picture.state, picture.age_ms) == (PictureState.UNTRUSTED, 60_000)
    assert [one.contracts for one in picture.positions] == [10]
    assert {"positions", "balances", "orders"} <= missing(picture).keys()


def test_never_read_is_not_flat():
    known = make_known(doubted=DOWN, asked=Asked(), told_at=NEVER, shown=(), position_mode=None)
    picture = compose(known)
    assert (picture.positions, picture.balances, picture.orders) == (None, None, None)
    assert (picture.position_mode, picture.age_ms) == (None, None)
    assert {"positions", "balances", "position_mode", "orders", "trails"} <= missing(picture).keys()


def test_an_answer_that_failed_says_why_and_leaves_what_was_told():
    balances = told({"USDT": Funds(equity=D(1000), available=D(900))}, s_ago=20)
    balances.fail("GET /assets: HTTP 502")
    picture = compose(make_known(asked=make_asked(balances=balances)))
    assert (picture.balances[0].equity, picture.balances_age_ms) == (1000, 20_000)
    assert missing(picture) == {"balances": "GET /assets: HTTP 502"}


def test_of_empty_wallets_only_that_of_the_contracts_is_told():
    none = Funds(equity=D(0), available=D(0))
    funds = {"BTC": none, "USDC": Funds(equity=D(5), available=D(0)), "USDT": none}
    picture = compose(make_known(asked=make_asked(balances=told(funds))))
    assert [one.currency for one in picture.balances] == ["USDT", "USDC"]


def test_the_position_mode_is_that_of_the_exchange():
    asked = make_asked(position_mode=told(PositionMode.ONE_WAY))
    assert compose(make_known(asked=asked)).position_mode is PositionMode.HEDGE
    picture = compose(make_known(asked=asked, position_mode=None))
    assert picture.position_mode is PositionMode.ONE_WAY
    assert picture.expected_position_mode is PositionMode.HEDGE


def unlabelled(**changes):
    empty = dict.fromkeys(("alert_id", "route", "order_id", "client_order_id"))
    return make_waiting(**{**empty, **changes})


def test_what_waits_is_told_oldest_first_from_all_lists():
    early = unlabelled(kind=WaitingKind.TRIGGER, exchange_id="1", since=NOW - timedelta(hours=9))
    late = unlabelled(exchange_id="2", since=NOW)
    timeless = unlabelled(kind=WaitingKind.PROTECTION, exchange_id="0", since=None)
    picture = compose(
        make_known(
            asked=make_asked(
                orders=told((late,)),
                triggers=told((early,), s_ago=4),
                protections=told((timeless,)),
            )
        )
    )
    assert [one.exchange_id for one in picture.orders] == ["1", "2", "0"]
    assert picture.orders_age_ms == 4000, "as old as the oldest of its answers"


def test_one_list_that_is_missing_hides_no_other():
    asked = make_asked(orders=told((unlabelled(),)), triggers=Piece(why="GET /plans: no reply"))
    picture = compose(make_known(asked=asked))
    assert len(picture.orders) == 1
    assert missing(picture) == {"triggers": "GET /plans: no reply"}


@pytest.mark.parametrize("by", ["exchange_id", "client_order_id"])
def test_our_own_order_is_told_with_its_alert(by):
    leg = make_leg()
    ours = make_execution(
        "resting",
        leg.client_order_id,
        exchange_order_id="77" if by == "exchange_id" else None,
        leg=leg,
        order_id="first",
    )
    known_by = {"exchange_id": "77"} | (
        {} if by == "exchange_id" else {"client_order_id": leg.client_order_id}
    )
    asked = make_asked(orders=told((unlabelled(**known_by), unlabelled(exchange_id="78"))))
    picture = compose(make_known(asked=asked, resting=[ours]))
    mine, others = picture.orders
    assert (mine.alert_id, mine.route, mine.order_id) == (ours.alert_id, ours.route, "first")
    assert mine.client_order_id == leg.client_order_id
    assert (others.alert_id, others.client_order_id) == (None, None)


@pytest.mark.parametrize(
    ("seen", "expected", "state"),
    [
        (("203.0.113.9",), ("203.0.113.0/24",), "matching"),
        (("203.0.113.9", "198.51.100.1"), ("203.0.113.9",), "different"),
        (("198.51.100.1",), ("203.0.113.9",), "different"),
        ((), ("203.0.113.9",), "unknown"),
        (("203.0.113.9",), (), "unknown"),
    ],
    ids=range(5),
)
def test_our_address_is_told_beside_the_expected_ones(seen, expected, state):
    account = make_account(expected_addresses=expected)
    found = egress_of(account, SeenAddress(addresses=seen, seen_at=NOW))
    assert (found.seen, found.expected, found.at) == (seen, expected, NOW)
    assert found.state is EgressMatch(state)


def test_a_picture_is_read_as_it_was_written():
    for one in (make_picture(), make_egress()):
        assert msgspec.json.decode(codec.encode(one), type=type(one)) == one


def test_every_field_of_a_picture_travels():
    """So that the example, and what is drawn of it, leaves none out."""
    seen = {
        name
        for one in (make_picture(), *make_picture().orders, *make_picture().positions)
        for name in one.__struct_fields__
        if getattr(one, name) is not None
    }
    every = {
        name
        for one in (make_picture(), make_picture().orders[0], make_picture().positions[0])
        for name in one.__struct_fields__
    }
    assert seen == every


@pytest.mark.parametrize("kind", [AccountPicture, EgressTold], ids=lambda kind: kind.__name__)
def test_a_console_of_this_release_reads_a_later_executors(kind):
    value = make_picture() if kind is AccountPicture else make_egress()
    later = {**msgspec.json.decode(codec.encode(value)), "added_later": {"any": [1]}}
    assert msgspec.json.decode(msgspec.json.encode(later), type=kind) == value


def test_a_side_of_a_hedge_is_told_by_its_own_position():
    shown = ((BTC, make_holding(contracts=10)), (BTC, make_holding("short", 30)))
    answers = (held(), held(holding=make_holding("short", 30), liquidation_price=D(60_000)))
    picture = compose(make_known(shown=shown, asked=make_asked(positions=told(answers))))
    assert {one.side: one.liquidation_price for one in picture.positions} == {
        PositionSide.LONG: 45_000,
        PositionSide.SHORT: 60_000,
    }
