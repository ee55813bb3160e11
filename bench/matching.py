"""Which order belongs to which alert, and what is missing or too many: pure.

A client order id begins with the alert's UUID in base 62.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ALERT_DIGITS = 22
_DONE = 0


@dataclass(frozen=True, kw_only=True)
class OrderCall:
    """One order/create as the exchange received it."""

    external_oid: str
    received_ns: int
    code: int | None
    """The exchange's business code, 0 for an order made; None where nothing was executed."""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Alert ids by what became of them, and the first call of each alert."""

    first_received_ns: dict[str, int]
    orders: int = 0
    refused_calls: int = 0
    """Calls that made no order, as one over a rate limit that is sent again."""
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    """Client order ids of orders that no accepted alert asked for."""

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.doubled or self.unexpected)


def alert_of(external_oid: str) -> str | None:
    """The alert's id that the client order id begins with; None where it cannot be one."""
    digits = external_oid[:_ALERT_DIGITS]
    if len(digits) < _ALERT_DIGITS or any(digit not in _DIGITS for digit in digits):
        return None
    value = 0
    for digit in digits:
        value = value * 62 + _DIGITS.index(digit)
    return str(UUID(int=value)) if value < 1 << 128 else None


def match(expected: Iterable[str], calls: Iterable[OrderCall]) -> Matched:
    """Each expected alert is to have exactly one order, and nobody else any."""
    wanted = dict.fromkeys(expected, 0)
    first: dict[str, int] = {}
    unexpected: list[str] = []
    tally: dict[bool, int] = defaultdict(int)
    for call in sorted(calls, key=lambda call: call.received_ns):
        made = call.code == _DONE
        tally[made] += 1
        alert = alert_of(call.external_oid)
        if alert is None or alert not in wanted:
            if made:
                unexpected.append(call.external_oid)
            continue
        first.setdefault(alert, call.received_ns)
        wanted[alert] += made
    return Matched(
        first_received_ns=first,
        orders=tally[True],
        refused_calls=tally[False],
        missing=[alert for alert, orders in wanted.items() if orders == 0],
        doubled=[alert for alert, orders in wanted.items() if orders > 1],
        unexpected=unexpected,
    )


def waits_ms(sent_ns: Mapping[str, int], matched: Matched) -> list[float]:
    """From sending an alert to its first order at the exchange, for those that have one."""
    return [
        (received - sent_ns[alert]) / 1e6 for alert, received in matched.first_received_ns.items()
    ]
