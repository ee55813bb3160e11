"""Money on the wire: strings, exact, and nothing that nobody can trade, in whatever field."""

import json
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from libs.common.contracts import codec
from libs.common.contracts.messages import DIGITS_MAX, EXPONENT_MAX, guard
from tests.factories import D, make_instrument, make_leg
from tests.golden import MESSAGES, golden
from tests.trail_messages import make_execution

Path = tuple[str | int, ...]
BAD = ["NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1e-400", "1" * 60, "0." + "1" * 60]


def money_in(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where in a message decimals stand; a field at its default is not written."""
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            if getattr(value, field.name) == field.default:
                continue
            if field.type is Decimal or Decimal in typing.get_args(field.type):
                yield (*at, field.encode_name)
            yield from money_in(getattr(value, field.name), (*at, field.encode_name))
    elif isinstance(value, tuple):
        for number, part in enumerate(value):
            yield from money_in(part, (*at, number))


FIELDS = [(name, path) for name in sorted(MESSAGES) for path in money_in(MESSAGES[name])]


def changed(name: str, path: Path, value: Any) -> bytes:
    document = json.loads(golden(name))
    place = document
    for step in path[:-1]:
        place = place[step]
    assert path[-1] in place
    place[path[-1]] = value
    return json.dumps(document).encode()


def test_the_fields_that_hold_money_are_found():
    """Else the tests below would hold for nothing."""
    names = {path[-1] for _, path in FIELDS}
    assert names == {
        *("quantity", "price", "stop_distance", "target_distance", "stop_price", "target_price"),
        *("trailing_ticks", "contracts", "free_contracts", "average_price", "filled_contracts"),
        *("fee", "profit", "contract_size", "step_contracts", "minimum_contracts"),
        *("maximum_contracts", "tick_price", "quantity_percent", "close_percent", "distance"),
        *("value", "multiplier", "max_order_notional", "max_position_notional", "trail_distance"),
    }


@pytest.mark.parametrize(
    ("name", "path"), FIELDS, ids=[f"{name}:{'.'.join(map(str, path))}" for name, path in FIELDS]
)
def test_no_field_takes_what_nobody_can_trade(name, path):
    for bad in BAD:
        with pytest.raises(codec.UndecodableError):
            codec.decode(changed(name, path, bad))
    with pytest.raises(codec.UndecodableError):
        codec.decode(changed(name, path, {"not": "a number"}))
    codec.decode(changed(name, path, "0.25"))


def test_money_keeps_each_of_its_digits():
    exact = D("123456789012345.00000001000000000000")
    sent = codec.encode(make_execution("filled", filled_contracts=exact))
    assert b'"filled_contracts":"123456789012345.00000001000000000000"' in sent
    assert str(codec.decode(sent).filled_contracts) == str(exact)


@pytest.mark.parametrize(
    "value",
    [
        None,
        D("0"),
        D("-0.1"),
        D("9" * DIGITS_MAX).scaleb(-EXPONENT_MAX),
        D(f"1e{EXPONENT_MAX}"),
        D(f"1e-{EXPONENT_MAX}"),
        D("1" + "0" * EXPONENT_MAX),
    ],
)
def test_the_guard_lets_pass_what_can_be_traded(value):
    guard("x", value)


@pytest.mark.parametrize(
    "value",
    [
        D("9" * (DIGITS_MAX + 1)).scaleb(-EXPONENT_MAX),
        D(f"1e{EXPONENT_MAX + 1}"),
        D(f"1e-{EXPONENT_MAX + 1}"),
        D("1" + "0" * (EXPONENT_MAX + 1)),
        D("0e30"),
    ],
)
def test_the_guard_refuses_too_many_digits_by_the_fields_name(value):
    with pytest.raises(ValueError, match="amount has too many digits"):
        guard("amount", value)


@pytest.mark.parametrize(
    "name", ["contract_size", "step_contracts", "minimum_contracts", "tick_price"]
)
def test_an_instruments_sizes_are_positive(name):
    """They are divided by."""
    for bad in ("0", "-1"):
        with pytest.raises(ValueError, match=f"{name} must be positive"):
            make_instrument(**{name: D(bad)})
        with pytest.raises(codec.UndecodableError, match=f"{name} must be positive"):
            codec.decode(changed("intent.accepted", ("instrument", name), bad))


@pytest.mark.parametrize("bad", ["0", "-1"])
def test_a_leg_has_contracts(bad):
    with pytest.raises(ValueError, match="a leg needs contracts"):
        make_leg(contracts=D(bad))
