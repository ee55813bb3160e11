"""Changes: protective prices moved, a stop at the entry, pending orders canceled; by hand."""

from typing import Any

import pytest

from libs.common.contracts.intent import Offset, Protection
from libs.common.contracts.order import Change, Pending, Protective, Trail
from libs.common.contracts.words import DistanceUnit, Effect, PendingKind, PositionSide
from tests.factories import D, make_holding
from tests.unit.domain.notation import denial, picture, plan, signal


def pending(ref: str, *, kind: str = "order", side: str = "long", **changes: Any) -> Pending:
    values: dict[str, Any] = {
        "kind": PendingKind(kind),
        "exchange_order_id": ref,
        "effect": Effect.OPEN,
        "position_side": PositionSide(side),
        "contracts": D(2),
        "price": D(49_000),
    }
    return Pending(**{**values, **changes})


def protective(
    ref: str,
    *,
    side: str = "long",
    stop: str | None = None,
    target: str | None = None,
    whole: bool = False,
) -> Protective:
    return Protective(
        exchange_id=ref,
        position_id=f"position-{side}",
        position_side=PositionSide(side),
        contracts=D(3),
        stop_price=None if stop is None else D(stop),
        target_price=None if target is None else D(target),
        whole=whole,
    )


def said(change: Change) -> str:
    prices = {
        "stop": change.stop_price,
        "target": change.target_price,
        "distance": change.trail_distance,
    }
    named = [f"{name} {value}" for name, value in prices.items() if value is not None]
    return " ".join([change.kind.value, *change.exchange_ids, *named])


def changes(text: str, seen, **said_too: Any) -> list[str]:
    planned = plan(signal(text, **said_too), seen)
    assert planned.legs == ()
    assert planned.withheld is None
    ids = [change.change_id for change in planned.changes]
    assert len(set(ids)) == len(ids)
    return [said(change) for change in planned.changes]


STOP = Protection(stop=Offset(price=D(49_000)))
TARGET = Protection(target=Offset(price=D(52_000)))
BOTH = Protection(stop=STOP.stop, target=TARGET.target)
ORDER, TRIGGER = pending("o1", order_id="a"), pending("t1", kind="trigger", comment="b")
BOTH_PRICES = protective("p1", stop="48000.0", target="51000.0")
ONLY_STOP = protective("p1", stop="48000.0")
ONLY_TARGET = protective("p2", target="51000.0")

MODIFIED = [
    # what protects the long, what is asked, changes
    ((), STOP, ["protect position-long stop 49000.0"]),
    ((), BOTH, ["protect position-long stop 49000.0 target 52000.0"]),
    ((BOTH_PRICES,), STOP, ["move_protection p1 stop 49000.0 target 51000.0"]),
    ((BOTH_PRICES,), TARGET, ["move_protection p1 stop 48000.0 target 52000.0"]),
    ((BOTH_PRICES,), BOTH, ["move_protection p1 stop 49000.0 target 52000.0"]),
    ((ONLY_STOP,), TARGET, ["move_protection p1 stop 48000.0 target 52000.0"]),
    ((ONLY_STOP, ONLY_TARGET), STOP, ["move_protection p1 stop 49000.0"]),
    ((ONLY_STOP, ONLY_TARGET), TARGET, ["move_protection p2 target 52000.0"]),
    (
        *((ONLY_STOP, ONLY_TARGET), BOTH),
        ["move_protection p1 stop 49000.0", "move_protection p2 target 52000.0"],
    ),
    # The other side's are left alone.
    (
        (protective("p9", side="short", stop="51000.0"),),
        STOP,
        ["protect position-long stop 49000.0"],
    ),
]


def plain(text: str) -> list[str]:
    """Numbers may carry zeros behind the point."""
    return [word.removesuffix(".0") for word in text.split()]


GROWN = [
    # what protects 3 of the 5 that are held, what is asked, changes
    (
        (BOTH_PRICES,),
        STOP,
        ["move_protection p1 stop 49000 target 51000", "protect position-long stop 49000"],
    ),
    (
        (BOTH_PRICES,),
        BOTH,
        [
            "move_protection p1 stop 49000 target 52000",
            "protect position-long stop 49000 target 52000",
        ],
    ),
    (
        (ONLY_STOP,),
        TARGET,
        ["move_protection p1 stop 48000 target 52000", "protect position-long target 52000"],
    ),
    # 3 and 3 are more than 5: both stops stand.
    (
        (ONLY_STOP, protective("p2", stop="47000.0")),
        STOP,
        ["move_protection p1 stop 49000", "move_protection p2 stop 49000"],
    ),
    # Of the whole position, however large it was when it was placed.
    ((protective("p1", stop="48000.0", whole=True),), STOP, ["move_protection p1 stop 49000"]),
    (
        (protective("p1", target="51000.0", whole=True), protective("p2", stop="47000.0")),
        STOP,
        ["move_protection p1 stop 49000 target 51000", "move_protection p2 stop 49000"],
    ),
]


@pytest.mark.parametrize(("there", "protection", "expected"), GROWN)
def test_what_the_present_ones_do_not_cover_is_protected_too(there, protection, expected):
    """A position that was added to without a stop would else keep a part without one."""
    found = changes("modify", picture("long 5", protectives=there), protection=protection)
    assert same(found, expected)


def same(found: list[str], expected: list[str]) -> bool:
    return [plain(line) for line in found] == [plain(line) for line in expected]


@pytest.mark.parametrize(("there", "protection", "expected"), MODIFIED)
def test_modify_moves_what_is_there_and_puts_on_what_is_missing(there, protection, expected):
    found = changes("modify", picture("long 3", protectives=there), protection=protection)
    assert same(found, expected), found


def test_modify_needs_one_position():
    assert denial(signal("modify", protection=STOP), picture()).reason == "nothing_held"
    both = picture("long 3, short 2")
    assert denial(signal("modify", protection=STOP), both).reason == "side_ambiguous"
    found = changes("modify long", both, protection=STOP)
    assert same(found, ["protect position-long stop 49000"])


def test_a_label_means_the_orders_that_have_it():
    seen = picture("long 3", pending=(ORDER, TRIGGER), protectives=(BOTH_PRICES,))
    protection = Protection(stop=Offset(price=D(48_500)))
    assert same(
        changes("modify", seen, protection=protection, order_id="a"), ["amend_order o1 stop 48500"]
    )
    assert same(
        changes("modify", seen, protection=protection, comment="b"),
        ["amend_trigger t1 stop 48500"],
    )


@pytest.mark.parametrize(
    ("protection", "expected"),
    [
        (Protection(stop=Offset(price=D(48_500))), "stop 48500 target 51000"),
        (Protection(target=Offset(price=D(51_500))), "stop 48000 target 51500"),
    ],
)
def test_an_amended_order_keeps_the_price_that_is_not_named(protection, expected):
    order = pending("o1", order_id="a", stop_price=D(48_000), target_price=D(51_000))
    found = changes("modify", picture(pending=(order,)), protection=protection, order_id="a")
    assert same(found, [f"amend_order o1 {expected}"])


def test_a_distance_of_an_amended_order_counts_from_its_own_price():
    """1 % below its limit of 49000, not below the market's 50000."""
    seen = picture(pending=(ORDER,))
    protection = Protection(stop=Offset(distance=D(1), unit=DistanceUnit.PERCENT))
    found = changes("modify", seen, protection=protection, order_id="a")
    assert same(found, ["amend_order o1 stop 48510"])


def test_a_label_of_nothing_pending_means_the_position():
    """Its order was filled in the meantime."""
    seen = picture("long 3", pending=(ORDER,))
    found = changes("modify", seen, protection=STOP, order_id="filled-long-ago")
    assert same(found, ["protect position-long stop 49000"])
    gone = denial(signal("modify", protection=STOP, order_id="z"), picture(pending=(ORDER,)))
    assert gone.reason == "nothing_held"


@pytest.mark.parametrize("price", ["50000", "50000.1", "53000"])
def test_a_moved_stop_on_the_wrong_side_of_the_market_is_refused(price):
    """It would be triggered at once."""
    protection = Protection(stop=Offset(price=D(price)))
    denied = denial(signal("modify", protection=protection), picture("long 3"))
    assert denied.reason == "protection_wrong_side"


def test_a_stop_may_be_moved_past_the_entry():
    """A long of 50000 with the market at 53000 is stopped at 51000, in profit."""
    protection = Protection(stop=Offset(price=D(51_000)))
    found = changes("modify", picture("long 3", price="53000"), protection=protection)
    assert same(found, ["protect position-long stop 51000"])


def test_a_trailing_stop_takes_the_place_of_the_old_one():
    """The new one first, so that the position is never without."""
    trails = tuple(
        Trail(
            exchange_id=name,
            position_side=PositionSide(side),
            contracts=D(3),
            distance=D(9),
            created_ms=1,
        )
        for name, side in (("old", "long"), ("others", "short"))
    )
    found = changes(
        "modify",
        picture("long 3", trails=trails),
        protection=Protection(trailing_ticks=D(50)),
    )
    assert same(found, ["trail position-long distance 5", "cancel_trails old"])


BREAKEVENS = [
    # side, average price, market, stop
    ("long", "50000", "51000", "50000"),
    ("long", "50000.03", "51000", "50000.1"),
    ("short", "50000", "49000", "50000"),
    ("short", "50000.07", "49000", "50000"),
]


@pytest.mark.parametrize(("side", "average", "market", "stop"), BREAKEVENS)
def test_breakeven_is_rounded_towards_profit(side, average, market, stop):
    seen = picture((make_holding(side, 3, average_price=D(average)),), price=market)
    assert same(changes("breakeven", seen), [f"protect position-{side} stop {stop}"])


def test_breakeven_keeps_the_target():
    seen = picture("long 3", price="50500", protectives=(BOTH_PRICES,))
    assert same(changes("breakeven", seen), ["move_protection p1 stop 50000 target 51000"])


@pytest.mark.parametrize(("side", "market"), [("long", "49999"), ("short", "50001")])
def test_breakeven_at_a_loss_is_refused(side, market):
    denied = denial(signal("breakeven"), picture(f"{side} 3", price=market))
    assert denied.reason == "protection_wrong_side"


def test_breakeven_needs_one_position():
    assert denial(signal("breakeven"), picture()).reason == "nothing_held"
    both = picture("long 3, short 2", price="51000")
    assert denial(signal("breakeven"), both).reason == "side_ambiguous"
    assert same(changes("breakeven long", both), ["protect position-long stop 50000"])


CANCELED = [
    # what the alert names, what is canceled
    ({}, ["cancel_orders o1 o2", "cancel_triggers t1"]),
    ({"order_id": "a"}, ["cancel_orders o1"]),
    ({"comment": "b"}, ["cancel_orders o2", "cancel_triggers t1"]),
    ({"order_id": "c", "comment": "b"}, ["cancel_orders o2"]),
]


@pytest.mark.parametrize(("named", "expected"), CANCELED)
def test_cancel(named, expected):
    second = pending("o2", order_id="c", comment="b")
    # What protects and trails is no pending order and stays.
    seen = picture(
        "long 3", pending=(ORDER, TRIGGER, second), protectives=(BOTH_PRICES,), price=None
    )
    assert changes("cancel", seen, **named) == expected


def test_many_stop_orders_are_canceled_in_several_changes():
    """Each takes a call: a change of more calls than are granted at once would never be done, since
    it begins anew when it is refused.
    """
    seen = picture(pending=tuple(pending(f"t{number}", kind="trigger") for number in range(7)))
    assert changes("cancel", seen) == ["cancel_triggers t0 t1 t2 t3 t4", "cancel_triggers t5 t6"]


def test_cancel_of_nothing():
    assert changes("cancel", picture()) == []
    denied = denial(signal("cancel", order_id="z"), picture(pending=(ORDER,)))
    assert denied.reason == "nothing_pending"
    crossed = denial(signal("cancel", order_id="a", comment="b"), picture(pending=(ORDER, TRIGGER)))
    assert crossed.reason == "nothing_pending"


def test_guards_do_not_hinder_changes():
    stale = denial(signal("modify", protection=STOP), picture())
    found = changes("modify", picture("long 3"), protection=STOP, opening_denied=stale)
    assert same(found, ["protect position-long stop 49000"])
