"""Take profit and stop loss: of positions and of orders, when they fire, and what they close."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.paper_desk import BTC, CONTRACTS, NOW, SHORT, seen
from tests.paper_triggers import TriggerDesk, attached, leg_of
from tools.paper_exchange.engine.commands import PlaceOrder, SetDepth
from tools.paper_exchange.engine.triggers.commands import CancelStops
from tools.paper_exchange.engine.triggers.words import Leg


def holding(side: int = 1, vol: int = 10, *, mode: int = 1) -> TriggerDesk:
    desk = TriggerDesk(mode=mode)
    desk.place(side, vol)
    return desk


@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("trend", [1, 2, 3])
@pytest.mark.parametrize(
    ("side", "leg", "price", "waits_at", "fires_at"),
    [
        (1, "profit", "51000", "50999.9", "51000"),
        (1, "loss", "49000", "49000.1", "49000"),
        (3, "profit", "49000", "49000.1", "49000"),
        (3, "loss", "51000", "50999.9", "51000"),
    ],
)
def test_it_looks_at_its_own_price(*, mode, trend, side, leg, price, waits_at, fires_at):
    desk = holding(side, mode=mode)
    stop = desk.stop(**{leg: price}, leg={"trend": trend})
    far = "51500" if price == "51000" else "48500"
    desk.prices(*(waits_at if each == trend else far for each in (1, 2, 3)))
    assert (stop.state, len(desk.holds())) == (1, 1)

    desk.prices(*(fires_at if each == trend else "50000" for each in (1, 2, 3)))
    assert desk.holds() == {}
    order = desk.account.order(stop.placed_id)
    assert seen(stop, "state fired closed_vol error") == [3, Leg[leg.upper()], 10, 0]
    assert seen(order, "state side type vol category external_oid") == [
        *(3, 4 if side == 1 else 2, 5, 10, 1),
        f"stoporder_{stop.id}_1",
    ]


def test_when_one_leg_fires_the_other_is_gone():
    desk = holding()
    desk.stop(profit="51000", loss="49000", vol="4")
    desk.price("51000")
    desk.price("49000")
    assert desk.holds() == {1: 6}


def test_where_a_leap_reaches_both_the_loss_counts():
    desk = holding()
    stop = desk.stop(
        profit=leg_of("51000", vol="10", trend=2), loss=leg_of("49000", vol="10", trend=1)
    )
    desk.prices("49000", fair="51000")
    assert (stop.state, stop.fired) == (3, Leg.LOSS)


def test_legs_may_have_volumes_of_their_own():
    desk = holding()
    desk.stop(profit=leg_of("51000", vol="3"), loss=leg_of("49000", vol="8"), is_separate=True)
    desk.price("49000")
    assert desk.holds() == {1: 2}


def test_a_limit_leg_closes_at_its_price():
    desk = holding()
    stop = desk.stop(profit="51000", leg={"order_price": Decimal(51200)})
    desk.price("51000")
    order = desk.account.order(stop.placed_id)
    assert seen(order, "state type price") == [2, 1, 51200]
    assert desk.held().frozen_vol == 10
    desk.price("51200")
    assert desk.holds() == {}


def test_a_price_that_has_passed_fires_at_once():
    desk = holding()
    assert desk.stop(loss="50000").state == 3
    assert desk.holds() == {}


def test_it_closes_no_more_than_is_held():
    desk = holding()
    stop = desk.stop(loss="49000")
    desk.place(4, 7)
    desk.price("49000")
    assert (stop.state, stop.closed_vol, desk.holds()) == (3, 3, {})


def test_a_whole_one_closes_what_has_come_since():
    desk = holding()
    stop = desk.stop(loss="49000", is_whole=True)
    desk.place(1, 5)
    desk.price("49000")
    assert (stop.closed_vol, desk.holds()) == (15, {})


def test_it_goes_with_its_position():
    desk = holding()
    stop = desk.stop(loss="49000")
    close = desk.place(4, 10)
    assert (stop.state, desk.stops, close.state) == (2, [], 3)
    desk.place(1, 10)
    desk.price("49000")
    assert desk.holds() == {1: 10}, "a stop of an earlier position has fired"


def test_the_other_position_keeps_its_own():
    desk = holding()
    long = desk.stop(loss="49000")
    desk.place(3, 10)
    short = desk.stop(loss="51000", position_id=desk.held(SHORT).id)
    desk.place(4, 10)
    assert (long.state, short.state) == (2, 1)
    desk.price("51000")
    assert desk.holds() == {}


def test_two_that_are_reached_at_once():
    desk = holding()
    stops = [desk.stop(loss="49000", is_whole=True), desk.stop(loss="49500")]
    desk.price("49000")
    assert [stop.state for stop in stops] == [3, 2]
    assert desk.holds() == {}


def test_it_goes_when_a_net_order_turns_the_position():
    desk = holding(mode=2)
    stop = desk.stop(loss="49000")
    desk.place(3, 25)
    desk.price("49000")
    assert (stop.state, desk.holds()) == (2, {2: 15})


def test_closing_orders_in_its_way_are_canceled_youngest_first():
    desk = holding()
    stop = desk.stop(loss="49000", vol="5")
    old, young = desk.limit(4, 5, "52000"), desk.limit(4, 5, "53000")
    desk.price("49000")
    assert (stop.state, old.state, young.state, young.error) == (3, 2, 4, 4)
    assert desk.holds() == {1: 5}
    assert desk.held().frozen_vol == 5


def test_what_is_more_than_one_order_may_be_is_closed_by_several():
    desk = TriggerDesk(balance="900000")
    most = CONTRACTS[BTC].max_vol
    desk.place(1, most, leverage=100)
    desk.place(1, 7, leverage=100)
    stop = desk.stop(loss="49900", is_whole=True)
    desk.price("49900")
    assert (desk.holds(), stop.closed_vol) == ({}, most + 7)
    ids = [order.external_oid for order in desk.account.finished_orders.values()][2:]
    assert ids == [f"stoporder_{stop.id}_1", f"stoporder_{stop.id}_2"]


def test_where_nobody_offers_it_tries_again():
    desk = holding()
    stop = desk.stop(loss="49000", leg={"reverse": True})
    desk.made(SetDepth(at_ms=NOW, symbol=BTC, bids=[], asks=[]))
    desk.price("49000")
    assert (stop.state, stop.close_tries, desk.holds()) == (1, 1, {1: 10})
    assert stop.reverse_tries == 0, "nothing was closed yet"
    way_out = desk.limit(4, 10, "52000")
    desk.price("48900")
    assert (stop.close_tries, way_out.state) == (2, 2)
    bids = [[Decimal(48900), Decimal(10)]]
    desk.made(SetDepth(at_ms=NOW, symbol=BTC, bids=bids, asks=[]))
    assert (stop.state, desk.holds(), way_out.state) == (3, {}, 4)
    assert stop.reverse_error == 2039, "nobody is left who buys"


def test_what_is_refused_fails():
    desk = holding()
    stop = desk.stop(loss="49000", leg={"order_price": Decimal(30000)})
    way_out = desk.limit(4, 10, "52000")
    desk.price("49000")
    assert seen(stop, "state error fired") == [5, 2004, Leg.LOSS]
    assert (desk.holds(), way_out.state) == ({1: 10}, 2)


@pytest.mark.parametrize(("mode", "side", "after"), [(1, 1, {2: 10}), (2, 3, {1: 10})])
def test_reversing(mode, side, after):
    desk = holding(side, mode=mode)
    price = "49000" if side == 1 else "51000"
    stop = desk.stop(loss=price, leg={"reverse": True})
    desk.price(price)
    assert desk.holds() == after
    assert seen(stop, "state reverse_tries reverse_error") == [3, 1, 0]


def test_a_part_is_not_reversed():
    desk = holding()
    stop = desk.stop(loss="49000", vol="4", leg={"reverse": True})
    desk.price("49000")
    assert (desk.holds(), stop.reverse_error) == ({1: 6}, 2008)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 5001),
        ({"loss": "49000", "position_id": 7}, 2009),
        ({"loss": "0"}, 5003),
        ({"loss": "-5"}, 5003),
        ({"loss": "49000.05"}, 5003),
        ({"profit": "49000", "loss": "49000"}, 5003),
        ({"profit": "49000", "loss": "51000"}, 5003),
        ({"loss": "49000", "leg": {"order_price": Decimal(-1)}}, 5003),
        ({"loss": "49000", "leg": {"trend": 4}}, 3001),
        ({"loss": "49000", "vol": "0"}, 2011),
        ({"loss": "49000", "vol": "0.5"}, 2057),
        ({"loss": "49000", "vol": "1.5"}, 2015),
        ({"loss": "49000", "vol": "11"}, 5004),
        ({"loss": "49000", "leg": {"reverse": True, "order_price": Decimal(49000)}}, 600),
    ],
)
def test_refusals(changes, code):
    desk = holding()
    assert desk.code(desk.stop_command(**changes)) == code


def test_a_short_position_has_its_loss_above():
    desk = holding(3)
    assert desk.code(desk.stop_command(profit="51000", loss="49000")) == 5003
    assert desk.stop(profit="49000", loss="51000").state == 1


def test_together_they_close_what_is_free_at_most():
    desk = holding()
    desk.stop(loss="49000", vol="6")
    assert desk.code(desk.stop_command(loss="48000", vol="5")) == 5004
    assert desk.stop(profit="51000").state == 1, "profits and losses count for themselves"
    assert desk.stop(loss="48000", vol="4").state == 1
    desk.made(CancelStops(at_ms=NOW, account_id=1, stop_ids=[stop.id for stop in desk.stops]))
    desk.limit(4, 3, "52000")
    assert desk.code(desk.stop_command(loss="49000", vol="8")) == 5004
    assert desk.stop(loss="49000", vol="7").state == 1


def test_one_for_the_whole_position():
    desk = holding()
    desk.stop(loss="49000", is_whole=True)
    assert desk.code(desk.stop_command(loss="48000", is_whole=True)) == 5005
    assert desk.stop(loss="48000").state == 1


def test_the_same_prices_are_the_same_stop():
    desk = holding()
    stop = desk.stop(profit="51000", loss="49000", vol="6")
    again = desk.stop(profit="51000", loss="49000", vol="10")
    assert (again.id, len(desk.stops)) == (stop.id, 1)
    assert seen(again, "vol version") == [10, 2]


def test_only_fair_prices_where_the_contract_says_so():
    desk = holding()
    desk.contracts = {**CONTRACTS, BTC: replace(CONTRACTS[BTC], stop_only_fair=True)}
    assert desk.code(desk.stop_command(loss="49000")) == 9069
    assert desk.stop(loss="49000", leg={"trend": 2}).state == 1
    carrying = PlaceOrder(
        at_ms=NOW,
        account_id=1,
        symbol=BTC,
        side=1,
        type=5,
        vol=Decimal(1),
        open_type=2,
        leverage=10,
        attached=attached(loss="49000"),
    )
    assert desk.code(carrying) == 9069


def test_as_many_as_the_contract_allows():
    desk = holding(vol=100)
    desk.contracts = {**CONTRACTS, BTC: replace(CONTRACTS[BTC], max_num_orders=(2, 9))}
    desk.stop(loss="49000", vol="1")
    desk.stop(loss="48000", vol="1")
    assert desk.code(desk.stop_command(loss="47000", vol="1")) == 2016
    assert desk.stop(loss="48000", vol="2").vol == 2
