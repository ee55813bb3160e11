"""Protective and order prices: where they lie, by hand. The tick is 0.1, the market at 50000."""

import pytest

from libs.common.contracts.intent import Offset, Protection
from libs.common.contracts.order import Trail
from libs.common.contracts.words import (
    ChangeKind,
    DistanceUnit,
    OrderType,
    PositionSide,
    TriggerSource,
)
from tests.factories import D, make_instrument
from tests.unit.domain.notation import answer, moves, picture, plan, signal

PRICE, TICKS, PERCENT = DistanceUnit.PRICE, DistanceUnit.TICKS, DistanceUnit.PERCENT


def away(distance: str, unit: DistanceUnit) -> Offset:
    return Offset(distance=D(distance), unit=unit)


def at(price: str) -> Offset:
    return Offset(price=D(price))


PLACED = [
    # signal, stop, target -> stop price, target price
    ("buy 2", away("250", PRICE), away("500", PRICE), "49750.0", "50500.0"),
    ("sell 2", away("250", PRICE), away("500", PRICE), "50250.0", "49500.0"),
    ("buy 2", away("50", TICKS), away("100", TICKS), "49995.0", "50010.0"),
    ("sell 2", away("50", TICKS), away("100", TICKS), "50005.0", "49990.0"),
    ("buy 2", away("1", PERCENT), away("2.5", PERCENT), "49500.0", "51250.0"),
    ("sell 2", away("1", PERCENT), away("2.5", PERCENT), "50500.0", "48750.0"),
    ("buy 2", at("49000"), at("52000"), "49000.0", "52000.0"),
    # Off the tick, both go towards the entry.
    ("buy 2", at("49000.03"), at("52000.07"), "49000.1", "52000.0"),
    ("sell 2", at("52000.07"), at("49000.03"), "52000.0", "49000.1"),
    ("buy 2", away("250.04", PRICE), away("500.04", PRICE), "49750.0", "50500.0"),
    ("sell 2", away("250.04", PRICE), away("500.04", PRICE), "50250.0", "49500.0"),
    # Each side on its own.
    ("buy 2", at("49000"), None, "49000.0", None),
    ("buy 2", None, away("1", PERCENT), None, "50500.0"),
    # One absolute, one as a distance.
    ("buy 2", at("49000"), away("1", PERCENT), "49000.0", "50500.0"),
]


@pytest.mark.parametrize(("said", "stop", "target", "stop_price", "target_price"), PLACED)
def test_protective_prices(said, stop, target, stop_price, target_price):
    planned = plan(signal(said, protection=Protection(stop=stop, target=target)), picture())
    (leg,) = planned.legs
    assert leg.stop_price == (None if stop_price is None else D(stop_price))
    assert leg.target_price == (None if target_price is None else D(target_price))


def test_an_absolute_price_wins_over_the_distance_of_its_own_side():
    both = Offset(price=D(49_000), distance=D(250))
    protection = Protection(stop=both, target=away("500", PRICE))
    (leg,) = plan(signal("buy 2", protection=protection), picture()).legs
    assert (leg.stop_price, leg.target_price) == (49_000, 50_500)


def test_a_distance_counts_from_the_alerts_price_where_it_has_one():
    protection = Protection(stop=away("1", PERCENT))
    (leg,) = plan(signal("buy 2", protection=protection, price=D(40_000)), picture()).legs
    assert leg.stop_price == 39_600


@pytest.mark.parametrize(
    ("said", "stop", "target"),
    [
        ("buy 2", at("50000.1"), None),
        ("buy 2", at("50000"), None),
        ("buy 2", None, at("49999.9")),
        ("buy 2", None, at("50000")),
        ("sell 2", at("49999.9"), None),
        ("sell 2", None, at("50000.1")),
        # 0.04 away, the tick takes it to the entry itself.
        ("buy 2", away("0.04", PRICE), None),
    ],
)
def test_a_price_on_the_wrong_side_is_refused(said, stop, target):
    intent = signal(said, protection=Protection(stop=stop, target=target))
    assert answer(intent, picture()) == "denied protection_wrong_side"


def test_a_price_below_zero_is_none():
    intent = signal("buy 2", protection=Protection(stop=away("60000", PRICE)))
    assert answer(intent, picture()) == "denied price_invalid"


def test_a_wrong_stop_hinders_the_opening_alone():
    protection = Protection(stop=at("49000"))
    intent = signal("sell 5", protection=protection)
    assert answer(intent, picture("long 3")) == "close long 3, withheld protection_wrong_side"
    assert answer(signal("sell 2", protection=protection), picture("long 3")) == "close long 2"


def test_only_what_opens_is_protected():
    intent = signal("sell 5", protection=Protection(stop=at("51000"), target=at("49000")))
    close, opening = plan(intent, picture("long 3")).legs
    assert (close.stop_price, close.target_price) == (None, None)
    assert (opening.stop_price, opening.target_price) == (51_000, 49_000)


ORDER_PRICES = [
    # A limit is never worse than asked: a buyer pays no more, a seller takes no less.
    ("limit", "none", "buy 2", "50000.07", "50000.0"),
    ("limit", "none", "sell 2", "50000.03", "50000.1"),
    ("post_only", "none", "buy 2", "50000.07", "50000.0"),
    ("post_only", "none", "sell 2", "50000.03", "50000.1"),
    ("ioc", "none", "buy 2", "50000.07", "50000.0"),
    ("fok", "none", "sell 2", "50000.03", "50000.1"),
    # Closing a long sells, closing a short buys.
    ("limit", "long 3", "sell 2", "50000.03", "50000.1"),
    ("limit", "short 3", "buy 2", "50000.07", "50000.0"),
    # A trigger never fires before the price that was asked for.
    ("stop", "none", "buy 2", "50100.03", "50100.1"),
    ("stop", "none", "sell 2", "49900.07", "49900.0"),
    ("limit", "none", "buy 2", "50000.1", "50000.1"),
]


@pytest.mark.parametrize(("order_type", "holdings", "said", "asked", "price"), ORDER_PRICES)
def test_order_prices_on_the_tick(order_type, holdings, said, asked, price):
    intent = signal(said, order_type=OrderType(order_type), price=D(asked))
    (leg,) = plan(intent, picture(holdings)).legs
    assert leg.price == D(price)
    assert leg.order_type.value == order_type


def test_a_market_order_has_no_price():
    """Its alert's price is a reference."""
    (leg,) = plan(signal("buy 2", price=D(50_000)), picture()).legs
    assert leg.price is None


def test_a_limit_that_the_tick_takes_to_zero_is_refused():
    intent = signal("buy 2", order_type=OrderType.LIMIT, price=D("0.04"))
    assert answer(intent, picture()) == "denied price_invalid"


def test_the_source_of_the_trigger_goes_with_the_leg():
    (leg,) = plan(signal("buy 2", trigger=TriggerSource.MARK), picture()).legs
    assert leg.trigger is TriggerSource.MARK


def test_a_trailing_stop_follows_the_fill():
    """50.9 ticks are 50 whole ones, 5.0 in price; for as much as is opened."""
    planned = plan(
        signal("sell 5", protection=Protection(trailing_ticks=D("50.9"))), picture("long 3")
    )
    assert moves(planned) == "close long 3, open short 2"
    (trail,) = planned.changes
    assert trail.kind is ChangeKind.TRAIL
    assert trail.position_side is not None
    assert (trail.position_side.value, trail.contracts, trail.trail_distance) == ("short", 2, 5)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ("none", ["trail", "cancel_trails old"]),
        ("short 1", ["trail", "cancel_trails old"]),
        # It is the trailing stop of what is added to.
        ("long 3", ["trail"]),
    ],
)
def test_a_trailing_stop_that_outlived_its_position_goes(held, expected):
    trails = tuple(
        Trail(
            exchange_id=ref,
            position_side=PositionSide(side),
            contracts=D(3),
            distance=D(5),
            created_ms=0,
        )
        for ref, side in (("old", "long"), ("other", "short"))
    )
    planned = plan(
        signal("buy 2", protection=Protection(trailing_ticks=D(50))), picture(held, trails=trails)
    )
    told = [" ".join([one.kind.value, *one.exchange_ids]) for one in planned.changes]
    assert told == expected
    assert len({one.change_id for one in planned.changes}) == len(told)


def test_a_trailing_distance_under_a_tick_is_refused():
    intent = signal("buy 2", protection=Protection(trailing_ticks=D("0.9")))
    assert answer(intent, picture()) == "denied price_invalid"


def test_nothing_trails_where_nothing_is_opened():
    planned = plan(signal("sell 2", protection=Protection(trailing_ticks=D(50))), picture("long 3"))
    assert (moves(planned), planned.changes) == ("close long 2", ())


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (
            "buy 2",
            {
                "price": D(10) ** 15,
                "protection": Protection(
                    target=Offset(distance=D(10) ** 15, unit=DistanceUnit.PERCENT)
                ),
            },
        ),
        (
            "modify",
            {
                "protection": Protection(trailing_ticks=D(10) ** 20),
                "instrument": make_instrument(tick_price=D(10)),
            },
        ),
    ],
)
def test_a_price_that_no_message_can_carry_is_denied(text, changes):
    """The numbers that were sent are within bounds, and what comes of them is not."""
    assert answer(signal(text, **changes), picture("long 3")) == "denied price_invalid"
