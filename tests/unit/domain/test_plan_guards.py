"""What may not be opened: it is left out and said in `withheld`, what closes is done all the same,
and where nothing is left the answer is a denial.
"""

import pytest

from libs.common.contracts.intent import Denial, Limits
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    Action,
    MarginMode,
    OrderType,
    PositionMode,
    TradeMode,
)
from tests.factories import D, make_holding, make_instrument
from tests.unit.domain.notation import answer, denial, held, picture, plan, signal

STALE = Denial(reason=Reason.STALE, message="the entry is 40 s old")
ONCE = Limits(pyramiding=False)

NOT_TO_BE_OPENED = [
    # mode, held, signal, what is left of it
    ("netting", "none", "buy 2", "denied stale"),
    ("netting", "long 3", "buy 2", "denied stale"),
    ("netting", "long 3", "sell 2", "close long 2"),
    ("netting", "long 3", "sell 3", "close long 3"),
    ("netting", "long 3", "sell 5", "close long 3, withheld stale"),
    ("opposite", "none", "sell 2", "denied stale"),
    ("opposite", "long 3", "sell 2", "close long 3, withheld stale"),
    ("opposite", "short 3", "sell 2", "denied stale"),
    ("reverse", "none", "sell 2", "denied stale"),
    ("reverse", "long 3", "sell 2", "close long 3"),
    ("reverse", "long 3", "buy 2", "denied stale"),
    ("hedge", "long 3", "sell 2", "denied stale"),
    ("target", "none", "target long 2", "denied stale"),
    ("target", "long 3", "target long 3", "nothing"),
    ("target", "long 3", "target long 2", "close long 1"),
    ("target", "long 3", "target long 5", "denied stale"),
    ("target", "long 3", "target short 2", "close long 3, withheld stale"),
    ("target", "long 3, short 2", "target long 5", "close short 2, withheld stale"),
    ("target", "long 3", "target flat", "close long 3"),
    ("netting", "long 3", "reverse", "close long 3, withheld stale"),
    ("netting", "none", "reverse", "denied nothing_held"),
    ("netting", "long 3, short 2", "flat", "close long 3, close short 2"),
    ("netting", "long 3", "flat 50%", "close long 1"),
    ("netting", "long 3", "closeall", "close long 3"),
]


@pytest.mark.parametrize(("mode", "holdings", "said", "expected"), NOT_TO_BE_OPENED)
def test_what_closes_passes_where_nothing_may_be_opened(mode, holdings, said, expected):
    intent = signal(said, trade_mode=TradeMode(mode), opening_denied=STALE)
    assert answer(intent, picture(holdings)) == expected


def test_the_denial_is_the_routers_own():
    intent = signal("buy 2", opening_denied=STALE)
    assert denial(intent, picture()) == STALE
    flipped = plan(signal("sell 5", opening_denied=STALE), picture("long 3"))
    assert flipped.withheld == STALE
    assert STALE.message in flipped.summary


ADDING = [
    ("netting", "none", "buy 2", "open long 2"),
    ("netting", "long 3", "buy 2", "denied pyramiding"),
    ("netting", "long 3", "sell 2", "close long 2"),
    ("netting", "long 3", "sell 5", "close long 3, open short 2"),
    ("netting", "long 3, short 2", "buy 2", "close short 2"),
    ("netting", "long 3, short 2", "buy 5", "close short 2, withheld pyramiding"),
    ("opposite", "long 3", "buy 2", "denied pyramiding"),
    ("opposite", "long 3", "sell 2", "close long 3, open short 2"),
    ("opposite", "long 3, short 2", "buy 2", "close short 2, withheld pyramiding"),
    ("reverse", "short 3", "sell 2", "denied pyramiding"),
    ("reverse", "long 3, short 2", "sell 2", "close long 3"),
    ("hedge", "long 3", "buy 2", "denied pyramiding"),
    ("hedge", "long 3", "sell 2", "open short 2"),
    ("hedge", "long 3, short 2", "sell 2", "denied pyramiding"),
    ("target", "long 3", "target long 5", "denied pyramiding"),
    ("target", "long 3", "target long 3", "nothing"),
    ("target", "long 3", "target long 2", "close long 1"),
    ("target", "long 3", "target short 5", "close long 3, open short 5"),
    ("target", "long 3, short 2", "target long 5", "close short 2, withheld pyramiding"),
    ("netting", "long 3", "reverse", "close long 3, open short 3"),
]


@pytest.mark.parametrize(("mode", "holdings", "said", "expected"), ADDING)
def test_without_pyramiding_nothing_is_added(mode, holdings, said, expected):
    intent = signal(said, trade_mode=TradeMode(mode), limits=ONCE)
    assert answer(intent, picture(holdings)) == expected


WAITING = [OrderType.LIMIT, OrderType.POST_ONLY, OrderType.STOP]
AT_ONCE = [OrderType.IOC, OrderType.FOK, OrderType.MARKET]


@pytest.mark.parametrize("order_type", WAITING)
@pytest.mark.parametrize(
    ("mode", "holdings", "said", "expected"),
    [
        ("netting", "none", "sell 2", "open short 2"),
        ("netting", "long 3", "buy 2", "open long 2"),
        ("netting", "long 3", "sell 2", "close long 2"),
        ("netting", "long 3", "sell 5", "denied flip_needs_market"),
        ("opposite", "long 3", "sell 2", "denied flip_needs_market"),
        ("reverse", "long 3", "sell 2", "close long 3"),
        ("hedge", "long 3", "sell 2", "open short 2"),
        ("target", "long 3", "target long 2", "close long 1"),
        ("target", "long 3", "target short 2", "denied flip_needs_market"),
        ("netting", "long 3", "reverse", "denied flip_needs_market"),
    ],
)
def test_an_order_that_may_wait_cannot_flip(mode, holdings, said, expected, order_type):
    intent = signal(said, trade_mode=TradeMode(mode), order_type=order_type, price=D(50_000))
    assert answer(intent, picture(holdings)) == expected


@pytest.mark.parametrize("order_type", AT_ONCE)
def test_an_order_that_ends_at_once_flips(order_type):
    intent = signal("sell 5", order_type=order_type, price=D(50_000))
    planned = plan(intent, picture("long 3"))
    assert answer(intent, picture("long 3")) == "close long 3, open short 2"
    assert {leg.order_type for leg in planned.legs} == {order_type}


FROZEN = [
    # what is free of long 3, mode, signal, legs
    (1, "netting", "sell 1", "close long 1"),
    (1, "netting", "sell 3", "close long 1, withheld position_frozen"),
    (1, "netting", "sell 5", "close long 1, withheld position_frozen"),
    (0, "netting", "sell 2", "denied position_frozen"),
    (0, "netting", "sell 5", "denied position_frozen"),
    (1, "opposite", "sell 2", "close long 1, withheld position_frozen"),
    (0, "opposite", "sell 2", "denied position_frozen"),
    (1, "reverse", "sell 5", "close long 1, withheld position_frozen"),
    (0, "reverse", "sell 5", "denied position_frozen"),
    (0, "hedge", "sell 2", "open short 2"),
    (1, "netting", "flat", "close long 1, withheld position_frozen"),
    (0, "netting", "flat", "denied position_frozen"),
    (0, "netting", "closeall", "denied position_frozen"),
    (2, "netting", "flat 50%", "close long 1"),
    (0, "netting", "flat 50%", "denied position_frozen"),
    (1, "netting", "reverse", "close long 1, withheld position_frozen"),
    (0, "netting", "reverse", "denied position_frozen"),
    (2, "target", "target long 1", "close long 2"),
    (1, "target", "target long 1", "close long 1, withheld position_frozen"),
    (0, "target", "target long 1", "denied position_frozen"),
    (0, "target", "target long 3", "nothing"),
    (0, "target", "target long 5", "open long 2"),
    (1, "target", "target short 2", "close long 1, withheld position_frozen"),
    (0, "target", "target flat", "denied position_frozen"),
]


@pytest.mark.parametrize(("free", "mode", "said", "expected"), FROZEN)
def test_what_a_resting_order_has_frozen_is_not_closed(free, mode, said, expected):
    """And nothing is opened on the other side either, but under hedge: it would be a hedge."""
    holdings = held("long 3", free_contracts=D(free))
    assert answer(signal(said, trade_mode=TradeMode(mode)), picture(holdings)) == expected


@pytest.mark.parametrize(
    ("holdings", "said", "expected"),
    [
        ("long 3", "buy 2", "denied leverage_differs"),
        ("long 3", "sell 2", "close long 2"),
        ("long 3", "sell 5", "close long 3, open short 2"),
        ("long 3, short 2", "buy 5", "close short 2, withheld leverage_differs"),
        ("long 3", "target long 5", "denied leverage_differs"),
        ("long 3", "target long 2", "close long 1"),
        ("long 3", "flat", "close long 3"),
        ("long 3", "reverse", "close long 3, open short 3"),
    ],
)
def test_nothing_is_added_with_another_leverage(holdings, said, expected):
    seen = picture(held(holdings, leverage=7))
    assert answer(signal(said, leverage=10), seen) == expected


@pytest.mark.parametrize(
    ("mode", "holdings", "said", "expected"),
    [
        ("netting", "long 3", "buy 2", "denied margin_mode_differs"),
        ("netting", "long 3", "sell 2", "close long 2"),
        ("netting", "long 3", "sell 5", "close long 3, open short 2"),
        ("netting", "long 3, short 2", "buy 5", "close short 2, withheld margin_mode_differs"),
        ("hedge", "long 3", "sell 2", "denied margin_mode_differs"),
        ("target", "long 3", "target long 5", "denied margin_mode_differs"),
        ("netting", "long 3", "flat", "close long 3"),
    ],
)
def test_nothing_is_opened_beside_another_margin_mode(mode, holdings, said, expected):
    seen = picture(held(holdings, margin_mode=MarginMode.ISOLATED))
    intent = signal(said, trade_mode=TradeMode(mode), margin_mode=MarginMode.CROSS)
    assert answer(intent, seen) == expected


def test_a_close_carries_what_the_position_has_and_an_opening_what_is_asked():
    holdings = (make_holding("long", 3, margin_mode=MarginMode.ISOLATED, leverage=7),)
    planned = plan(signal("sell 5", leverage=20), picture(holdings))
    close, opening = planned.legs
    assert (close.position_id, close.margin_mode, close.leverage) == (
        *("position-long", MarginMode.ISOLATED, 7),
    )
    assert (opening.position_id, opening.margin_mode, opening.leverage) == (
        *(None, MarginMode.CROSS, 20),
    )


@pytest.mark.parametrize("mode", list(PositionMode))
def test_every_leg_names_the_accounts_position_mode(mode):
    planned = plan(signal("sell 5"), picture("long 3", position_mode=mode))
    assert [leg.position_mode for leg in planned.legs] == [mode, mode]


# A contract is 0.0001 BTC: at 50000 it is worth 5 USDT.
NOTIONALS = [
    # held, signal, largest order, largest position, legs
    ("none", "buy 5", "25", None, "open long 5"),
    ("none", "buy 5", "24.99", None, "denied order_notional"),
    ("long 3", "sell 5", "10", None, "close long 3, open short 2"),
    ("long 3", "sell 5", "9.99", None, "close long 3, withheld order_notional"),
    ("long 3", "sell 3", "1", "1", "close long 3"),
    ("long 3", "buy 5", None, "40", "open long 5"),
    ("long 3", "buy 5", None, "39.99", "denied position_notional"),
    ("long 3", "sell 5", None, "10", "close long 3, open short 2"),
    ("long 3", "sell 5", None, "9.99", "close long 3, withheld position_notional"),
    ("long 3", "target long 5", "10", "25", "open long 2"),
    ("long 3", "target long 5", "10", "24", "denied position_notional"),
    ("long 3", "target long 2", "1", "1", "close long 1"),
    ("long 3", "flat", "1", "1", "close long 3"),
]


@pytest.mark.parametrize(("holdings", "said", "order", "position", "expected"), NOTIONALS)
def test_values_over_the_routes_limits(holdings, said, order, position, expected):
    limits = Limits(
        max_order_notional=None if order is None else D(order),
        max_position_notional=None if position is None else D(position),
    )
    assert answer(signal(said, limits=limits), picture(holdings)) == expected


def test_a_notional_counts_the_alerts_own_price_first():
    """5 contracts are worth 20 USDT at the alert's 40000, and 25 at the exchange's 50000."""
    limits = Limits(max_order_notional=D(20))
    intent = signal("buy 5", limits=limits, price=D(40_000))
    assert answer(intent, picture()) == "open long 5"
    assert answer(signal("buy 5", limits=limits), picture()) == "denied order_notional"


def test_a_denied_value_tells_its_numbers():
    denied = denial(signal("buy 5", limits=Limits(max_order_notional=D(20))), picture())
    assert denied.context["notional"] == "25"
    assert denied.context["max_order_notional"] == "20"


def test_a_remainder_under_the_minimum_is_withheld():
    """Selling 5 over long 3 leaves 2 to open, and the contract takes 4 at least."""
    intent = signal("sell 5", instrument=make_instrument(minimum_contracts=D(4)))
    assert answer(intent, picture("long 3")) == "close long 3, withheld below_minimum"


def test_an_addition_under_the_minimum_is_denied():
    intent = signal("target long 5", instrument=make_instrument(minimum_contracts=D(4)))
    assert answer(intent, picture("long 3")) == "denied below_minimum"


def test_a_part_that_is_less_than_a_step_is_denied():
    assert answer(signal("flat 50%"), picture("long 1")) == "denied below_minimum"


def test_orders_over_the_maximum_are_split_on_both_sides():
    intent = signal("sell 12", instrument=make_instrument(maximum_contracts=D(4)))
    assert answer(intent, picture("long 6")) == (
        "close long 4, close long 2, open short 4, open short 2"
    )
    planned = plan(intent, picture("long 6"))
    assert len({leg.client_order_id for leg in planned.legs}) == 4


@pytest.mark.parametrize(
    ("holdings", "said", "expected"),
    [
        ("short 3", "closelong", "nothing"),
        ("long 3, short 2", "closeshort", "close short 2"),
    ],
)
def test_a_side_is_closed_by_the_action_itself(holdings, said, expected):
    """Also where nobody has turned it into flat with a close_side."""
    side = {"closelong": Action.CLOSE_LONG, "closeshort": Action.CLOSE_SHORT}[said]
    intent = signal("flat", action=side)
    assert answer(intent, picture(holdings)) == expected


def test_a_target_without_a_position_is_denied():
    """It must not be read as flat."""
    intent = signal("target long 2", wanted=None)
    assert answer(intent, picture("long 3")) == "denied target_missing"


def test_what_closes_by_a_limit_is_not_held_back_by_a_flip_that_is_withheld():
    intent = signal("sell 5", order_type=OrderType.LIMIT, price=D(100), opening_denied=STALE)
    assert answer(intent, picture("long 3")) == "close long 3, withheld stale"
