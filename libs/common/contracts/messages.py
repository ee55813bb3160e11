"""What all messages of the log share: the struct options, and the guard on decimals.

Rules of evolution: a new field has a default; a field never changes its type; a tag is for ever.
"""

from decimal import Decimal

import msgspec

DIGITS_MAX = 40
EXPONENT_MAX = 20


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Base of every message; subclasses give their tag, which is the subject's first words."""


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what messages and stored configuration are made of."""


def guard(name: str, value: Decimal | None) -> None:
    """Refuse what msgspec decodes but nobody can trade: NaN, infinities, absurd exponents.

    Raises `ValueError`, which a decoder turns into its `ValidationError`.
    """
    if value is None:
        return
    if value.is_finite() and len(text := str(value)) <= EXPONENT_MAX and "E" not in text:
        # So are nearly all: few digits, written out. Dozens are looked at for each order.
        return
    if not value.is_finite():
        raise ValueError(f"{name} must be a finite number, not {value}")
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - finite, as was just checked
    if len(digits) > DIGITS_MAX or abs(exponent) > EXPONENT_MAX or value.adjusted() > EXPONENT_MAX:
        raise ValueError(f"{name} has too many digits")
