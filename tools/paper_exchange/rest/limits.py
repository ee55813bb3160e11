"""Call rates. A call is refused when the window before it already holds as many calls as the rate
allows; refused calls do not count, so the next window works again.

Only order creation is limited until the control side says more: it is the one limit that a bridge
has to plan around. All that the venue documents can be put in force at once: each endpoint for
itself, private ones by access key and public ones by the caller's address.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from tools.paper_exchange.engine.refusals import Refused


class Rule(StrEnum):
    ORDER_CREATE = "order_create_per_2s"
    CHANGE_LEVERAGE = "change_leverage_per_10s"
    # All other private calls of a key together.
    OTHER = "other_per_2s"
    # All that places or changes orders, of an account with all its keys; refused with 2037.
    TRADING = "trading_per_2s"


@dataclass(frozen=True, slots=True)
class Rate:
    calls: int
    window_ms: int = 2_000


WINDOWS_MS = dict.fromkeys(Rule, 2_000) | {Rule.CHANGE_LEVERAGE: 10_000}
_AT_START: dict[Rule, int | None] = dict.fromkeys(Rule) | {Rule.ORDER_CREATE: 4}
_DOCUMENTED_RULES: dict[Rule, int | None] = _AT_START | {Rule.CHANGE_LEVERAGE: 10}

ORDINARY = Rate(20)
_RATES: dict[Rate, tuple[str, ...]] = {
    Rate(4): (
        "private/order/create",
        "private/order/submit",
        "private/order/submit_batch",
        "private/order/chase_limit_order",
        "private/order/change_limit_order",
        "private/position/reverse",
        "private/position/close_all",
        "private/planorder/place",
        "private/planorder/place/v2",
        "private/planorder/change_price",
        "private/planorder/change_stop_order",
        "private/stoporder/change_price",
        "private/stoporder/change_plan_price",
        "private/trackorder/place",
        "private/trackorder/change_order",
    ),
    Rate(5): ("private/stoporder/place", "private/order/batch_query"),
    Rate(10): (
        "contract/detail",
        "contract/detail/country",
        "contract/depth/{symbol}",
        "contract/ticker",
    ),
    Rate(10, window_ms=10_000): ("private/position/change_leverage",),
}
_RATE_OF = {name: rate for rate, names in _RATES.items() for name in names}
# Two addresses of one endpoint.
_SAME = {
    "private/order/submit": "private/order/create",
    "private/planorder/place": "private/planorder/place/v2",
    "contract/detail/country": "contract/detail",
}
_PREFIX = "/api/v1/"
_TRADING = frozenset(
    f"{_PREFIX}private/order/{name}"
    for name in ("create", "submit", "submit_batch", "change_limit_order", "chase_limit_order")
)


def documented_rate(pattern: str) -> Rate | None:
    """None on the spot side, whose rates are reckoned otherwise."""
    if not pattern.startswith(_PREFIX):
        return None
    return _RATE_OF.get(pattern.removeprefix(_PREFIX), ORDINARY)


def bucket_of(pattern: str) -> str:
    name = pattern.removeprefix(_PREFIX)
    return _SAME.get(name, name)


def is_trading(pattern: str) -> bool:
    return pattern in _TRADING


class LimitsChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays; null is no limit. `documented` comes first: true puts the venue's rates
    in force, false is as at the start.
    """

    documented: bool | msgspec.UnsetType = msgspec.UNSET
    order_create_per_2s: int | msgspec.UnsetType | None = msgspec.UNSET
    change_leverage_per_10s: int | msgspec.UnsetType | None = msgspec.UNSET
    other_per_2s: int | msgspec.UnsetType | None = msgspec.UNSET
    trading_per_2s: int | msgspec.UnsetType | None = msgspec.UNSET

    def __post_init__(self) -> None:
        for rule in Rule:
            calls = getattr(self, rule)
            if isinstance(calls, int) and calls < 1:
                raise ValueError(f"{rule} is at least 1, or null for none")


class Limits:
    def __init__(self) -> None:
        self.allowed = dict(_AT_START)
        self.documented = False
        self._calls: dict[tuple[str, object], deque[int]] = {}

    def change(self, change: LimitsChange) -> None:
        if isinstance(change.documented, bool):
            self.documented = change.documented
            self.allowed = dict(_DOCUMENTED_RULES if change.documented else _AT_START)
        for rule in Rule:
            calls = getattr(change, rule)
            if calls is not msgspec.UNSET:
                self.allowed[rule] = calls

    def shown(self) -> dict[str, Any]:
        allowed = {str(rule): calls for rule, calls in self.allowed.items()}
        return {"documented": self.documented, **allowed}

    def admit(self, rule: Rule, *, access_key: str, now_ms: int) -> None:
        """Count the call, or raise `Refused` with 510."""
        allowed = self.allowed[rule]
        if allowed is not None:
            rate = Rate(allowed, WINDOWS_MS[rule])
            self._count((rule, access_key), rate, now_ms=now_ms, code=510)

    def admit_documented(self, pattern: str, *, caller: str, now_ms: int) -> None:
        """The same, by what the venue documents of the endpoint, where that is in force."""
        rate = documented_rate(pattern) if self.documented else None
        if rate is not None:
            self._count((bucket_of(pattern), caller), rate, now_ms=now_ms, code=510)

    def admit_trading(self, account_id: int, *, now_ms: int) -> None:
        """Count the order, or raise `Refused` with 2037."""
        allowed = self.allowed[Rule.TRADING]
        if allowed is not None:
            rate = Rate(allowed, WINDOWS_MS[Rule.TRADING])
            self._count((Rule.TRADING, account_id), rate, now_ms=now_ms, code=2037)

    def _count(self, place: tuple[str, object], rate: Rate, *, now_ms: int, code: int) -> None:
        calls = self._calls.setdefault(place, deque())
        while calls and calls[0] <= now_ms - rate.window_ms:
            calls.popleft()
        if len(calls) >= rate.calls:
            raise Refused(code)
        calls.append(now_ms)
