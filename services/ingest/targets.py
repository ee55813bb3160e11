"""Positions that a body tells: the one it wants (the target template), and the one before.

`market_position` with `market_position_size`, or `position_size` with its sign. Whatever in them
does not fit together could mean two things, and is refused.
"""

from dataclasses import dataclass
from decimal import Decimal

from libs.common.contracts.words import MarketPosition
from services.ingest.fields import Amount, Names, read_amount, read_word, sent_name, sent_text
from services.ingest.objects import Body
from services.ingest.refusals import ambiguous, invalid, missing
from services.ingest.vocabulary import (
    POSITION,
    POSITION_SIZE,
    POSITIONS,
    PREVIOUS,
    PREVIOUS_SIZE,
    SIGNED_SIZE,
)

TEMPLATE = (
    '"market_position": "{{strategy.market_position}}",'
    ' "market_position_size": "{{strategy.market_position_size}}"'
)

_SIGNS = {MarketPosition.LONG: 1, MarketPosition.FLAT: 0, MarketPosition.SHORT: -1}


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """A whole position; `size` is never negative, and None where the body does not say it."""

    side: MarketPosition
    size: Amount | None = None
    field: str
    """The name of the field that says the side."""

    def __str__(self) -> str:
        if self.side is MarketPosition.FLAT or self.size is None:
            return self.side.value
        return f"{self.side.value} {self.size}"


def read_target(body: Body) -> Position | None:
    """The position that is wanted; None where the body names none."""
    told = _read_position(body, POSITION, POSITION_SIZE)
    signed = read_amount(body, SIGNED_SIZE)
    if signed is None:
        return told
    field = sent_name(body, SIGNED_SIZE)
    found = Position(
        side=_side_of(signed.number),
        size=signed._replace(number=abs(signed.number)),
        field=field,
    )
    if told is None:
        return found
    if told.side is not found.side or (told.size is not None and told.size != found.size):
        raise ambiguous(
            field=field,
            value=f"{sent_text(body, SIGNED_SIZE)} / {told}",
            because=f"{field} and {told.field} do not fit together",
            readings=(f"move to {found}", f"move to {told}"),
            cure="send one of them; position_size has a sign, market_position_size has none",
        )
    return Position(side=found.side, size=found.size, field=told.field)


def read_previous(body: Body) -> Position | None:
    """The position that the strategy says it had before; a size without a side says nothing."""
    if read_word(body, PREVIOUS, POSITIONS) is None:
        _size(body, PREVIOUS_SIZE)
        return None
    return _read_position(body, PREVIOUS, PREVIOUS_SIZE)


def direction(before: Position, after: Position) -> int | None:
    """1 where the way from one to the other is a buy, -1 a sell; None where it cannot be told."""
    signs = _SIGNS[before.side], _SIGNS[after.side]
    if signs[0] != signs[1]:
        return 1 if signs[1] > signs[0] else -1
    if before.size is None or after.size is None or before.size == after.size:
        return None
    if before.size.is_percent or after.size.is_percent:
        return None
    return signs[0] * (1 if after.size.number > before.size.number else -1)


def _read_position(body: Body, side_names: Names, size_names: Names) -> Position | None:
    side = read_word(body, side_names, POSITIONS)
    size = _size(body, size_names)
    if side is None:
        if size is None:
            return None
        if size.number != 0:
            message = (
                f"{side_names[0]} must be given with {sent_name(body, size_names)}: {POSITIONS}."
            )
            raise missing(field=side_names[0], message=message)
        return Position(side=MarketPosition.FLAT, size=size, field=sent_name(body, size_names))
    field = sent_name(body, side_names)
    if size is not None and (side is MarketPosition.FLAT) != (size.number == 0):
        size_name = sent_name(body, size_names)
        raise ambiguous(
            field=field,
            value=f"{side.value} / {size}",
            because=f"{field} {side.value} does not fit {size_name} {size}",
            readings=(f"be {side.value}", f"hold {size if size.number else 'nothing'}"),
            cure="flat has the size 0, long and short have one above 0",
        )
    return Position(side=side, size=size, field=field)


def _size(body: Body, names: Names) -> Amount | None:
    size = read_amount(body, names)
    if size is not None and size.number < 0:
        name = sent_name(body, names)
        message = f"{name} must be 0 or more; only {SIGNED_SIZE[0]} has a sign."
        raise invalid(field=name, message=message, value=sent_text(body, names))
    return size


def _side_of(number: Decimal) -> MarketPosition:
    if number == 0:
        return MarketPosition.FLAT
    return MarketPosition.LONG if number > 0 else MarketPosition.SHORT
