"""Client order ids, taken apart: written anew from what is documented of them, so that a mistake
in making them is not repeated in reading them. Pure.
"""

from dataclasses import dataclass
from uuid import UUID

from chaos.world import Side

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 30
_ALERT = 22
_ROLE = slice(25, 27)
_ROLES = {
    "ol": ("open", Side.LONG),
    "os": ("open", Side.SHORT),
    "cl": ("close", Side.LONG),
    "cs": ("close", Side.SHORT),
}

Role = tuple[str, Side]
"""`open` or `close`, and which side."""


@dataclass(frozen=True, kw_only=True)
class OrderName:
    alert_id: str
    role: Role
    leg: str
    """The id without the number of the attempt: what may be executed once."""
    chunk: int


def read_oid(oid: str) -> OrderName | None:
    """None where it is none of ours."""
    role = _ROLES.get(oid[_ROLE])
    if len(oid) != _LENGTH or role is None or any(digit not in _DIGITS for digit in oid):
        return None
    value = _number(oid[:_ALERT], base=62)
    if value >= 1 << 128:
        return None
    return OrderName(
        alert_id=str(UUID(int=value)), role=role, leg=oid[:-1], chunk=_number(oid[27:29], base=36)
    )


def _number(digits: str, *, base: int) -> int:
    value = 0
    for digit in digits:
        value = value * base + _DIGITS.index(digit)
    return value
