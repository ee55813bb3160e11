"""Reading one field of a body: text, a closed word, a decimal, an amount, a whole number.

Each reader takes the names that a field goes by. It returns None where none of them says anything
(absent, null and blank are the same), and raises `FieldRefused` for a value that cannot be, or
where two names contradict each other.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

import msgspec

from libs.common.contracts.messages import guard
from libs.common.domain.quantity import plain
from services.ingest.objects import PLACEHOLDER, Body
from services.ingest.refusals import invalid, unreplaced

T = TypeVar("T")

_decode_text = msgspec.json.Decoder(str).decode

Names = tuple[str, ...]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_NUMBER_LENGTH_MAX = 100
_JOINTS = str.maketrans("", "", "-_ ")


class Words(Generic[T]):
    """A closed list: words are known in any case, and however their parts are joined."""

    def __init__(self, words: Mapping[str, T]) -> None:
        self.meanings = dict(words)
        self._squeezed = {_squeezed(word): meaning for word, meaning in words.items()}

    def find(self, text: str) -> T | None:
        return self._squeezed.get(_squeezed(text))

    def __str__(self) -> str:
        return ", ".join(self.meanings)


class Amount(NamedTuple):
    """A size: a number, or a part of something in percent."""

    number: Decimal
    is_percent: bool = False

    def __str__(self) -> str:
        return plain(self.number) + (" %" if self.is_percent else "")


class _Value(NamedTuple):
    """What a field says: the text, whether of a JSON string or of a JSON number."""

    name: str
    text: str
    is_string: bool


def read_text(body: Body, names: Names, *, length_max: int) -> str | None:
    """Text in quotes, printable throughout."""

    def convert(value: _Value) -> str:
        if not value.is_string:
            raise invalid(
                field=value.name, message=f"{value.name} must be text in quotes.", value=value.text
            )
        if not value.text.isprintable():
            message = f"{value.name} must be printable text on one line."
            raise invalid(field=value.name, message=message, value=value.text)
        return _checked_text(value, length_max=length_max)

    return _read(body, names, convert)


def read_label(body: Body, names: Names, *, length_max: int) -> str | None:
    """Text, or a number taken as its text: labels and ids are often numbers."""
    return _read(body, names, lambda value: _checked_text(value, length_max=length_max))


def read_word(body: Body, names: Names, words: Words[T]) -> T | None:
    """One of a closed list, without regard to case."""

    def convert(value: _Value) -> T:
        found = words.find(value.text) if value.is_string else None
        if found is None:
            raise invalid(
                field=value.name, message=f"{value.name} must be one of {words}.", value=value.text
            )
        return found

    return _read(body, names, convert)


def read_amount(body: Body, names: Names) -> Amount | None:
    """A number as of `read_decimal`, or one followed by `%` in quotes."""

    def convert(value: _Value) -> Amount:
        if not value.text.endswith("%"):
            return Amount(_number(value, value.text))
        return Amount(_number(value, value.text[:-1].rstrip()), is_percent=True)

    return _read(body, names, convert)


def read_positive(body: Body, names: Names) -> Decimal | None:
    def convert(value: _Value) -> Decimal:
        number = _number(value, value.text)
        if number <= 0:
            raise invalid(
                field=value.name, message=f"{value.name} must be above 0.", value=value.text
            )
        return number

    return _read(body, names, convert)


def read_whole(body: Body, names: Names, *, low: int, high: int) -> int | None:
    def convert(value: _Value) -> int:
        number = _number(value, value.text)
        if not low <= number <= high or number != number.to_integral_value():
            message = f"{value.name} must be a whole number from {low} to {high}."
            raise invalid(field=value.name, message=message, value=value.text)
        return int(number)

    return _read(body, names, convert)


def sent_name(body: Body, names: Names) -> str:
    """The name under which the sender gave the field; the first one where it gave none."""
    return next((value.name for key in names if (value := _value(body, key))), names[0])


def sent_text(body: Body, names: Names) -> str:
    """What the sender wrote for the field, shown in refusals; empty where it gave none."""
    return next((value.text for key in names if (value := _value(body, key))), "")


def _read(body: Body, names: Names, convert: Callable[[_Value], T]) -> T | None:
    found: tuple[_Value, T] | None = None
    for key in names:
        if key not in body.fields or (value := _value(body, key)) is None:
            continue
        if "{{" in value.text and (placeholder := PLACEHOLDER.search(value.text)):
            raise unreplaced(field=value.name, placeholder=placeholder[0], value=value.text)
        meant = convert(value)
        if found is not None and found[1] != meant:
            first = found[0]
            raise invalid(
                field=first.name,
                message=(
                    f"{first.name} and {value.name} mean the same and must not differ:"
                    " send one of them."
                ),
                value=f"{first.text} / {value.text}",
            )
        found = found or (value, meant)
    return None if found is None else found[1]


def _value(body: Body, key: str) -> _Value | None:
    field = body.fields.get(key)
    if field is None:
        return None
    if key in body.ambiguous:
        message = f"{field.name} occurs more than once with different values: send it once."
        raise invalid(field=field.name, message=message, value=body.ambiguous[key])
    first = field.literal[:1]
    if first == b'"':
        text = _decode_text(field.literal).strip()
        return _Value(name=field.name, text=text, is_string=True) if text else None
    literal = field.literal.decode()
    if literal == "null":
        return None
    if first in b"tf[{":
        message = f"{field.name} must be text or a number."
        raise invalid(field=field.name, message=message, value=literal)
    return _Value(name=field.name, text=literal, is_string=False)


def _checked_text(value: _Value, *, length_max: int) -> str:
    if len(value.text) > length_max:
        message = f"{value.name} must have at most {length_max} characters, not {len(value.text)}."
        raise invalid(field=value.name, message=message, value=value.text)
    if "\0" in value.text:
        message = f"{value.name} must not hold the character 0, which no database stores."
        raise invalid(field=value.name, message=message, value=value.text)
    return value.text


def _number(value: _Value, text: str) -> Decimal:
    # `text` is the value's, or what is left of it without its percent sign.
    if len(text) > _NUMBER_LENGTH_MAX or not _NUMBER.fullmatch(text):
        message = (
            f"{value.name} must be a number like 0.001: digits with a point, no thousands"
            " separators, no units."
        )
        raise invalid(field=value.name, message=message, value=value.text)
    number = Decimal(text)
    try:
        guard(value.name, number)
    except ValueError as error:
        message = f"{error}: {value.name} must be a number that can be traded."
        raise invalid(field=value.name, message=message, value=value.text) from None
    return number


def _squeezed(word: str) -> str:
    return word.lower().translate(_JOINTS)
