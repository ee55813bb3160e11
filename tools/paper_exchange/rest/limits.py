"""Call rates per access key. A call is refused when the window before it already holds as many
calls as the rule allows; refused calls do not count, so the next window works again.
"""

from collections import deque
from enum import StrEnum

import msgspec

from tools.paper_exchange.engine.refusals import Refused


class Rule(StrEnum):
    ORDER_CREATE = "order_create_per_2s"
    CHANGE_LEVERAGE = "change_leverage_per_10s"
    OTHER = "other_per_2s"


WINDOWS_MS = {Rule.ORDER_CREATE: 2_000, Rule.CHANGE_LEVERAGE: 10_000, Rule.OTHER: 2_000}


class LimitsChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays; null is no limit."""

    order_create_per_2s: int | msgspec.UnsetType | None = msgspec.UNSET
    change_leverage_per_10s: int | msgspec.UnsetType | None = msgspec.UNSET
    other_per_2s: int | msgspec.UnsetType | None = msgspec.UNSET

    def __post_init__(self) -> None:
        for rule in Rule:
            calls = getattr(self, rule)
            if isinstance(calls, int) and calls < 1:
                raise ValueError(f"{rule} is at least 1, or null for none")


class Limits:
    def __init__(self) -> None:
        # Only order creation is limited until the control side says more: it is the one limit
        # that a bridge has to plan around.
        self.allowed: dict[Rule, int | None] = {
            Rule.ORDER_CREATE: 4,
            Rule.CHANGE_LEVERAGE: None,
            Rule.OTHER: None,
        }
        self._calls: dict[tuple[Rule, str], deque[int]] = {}

    def change(self, change: LimitsChange) -> None:
        for rule in Rule:
            calls = getattr(change, rule)
            if calls is not msgspec.UNSET:
                self.allowed[rule] = calls

    def admit(self, rule: Rule, *, access_key: str, now_ms: int) -> None:
        """Count the call, or raise `Refused` with 510."""
        allowed = self.allowed[rule]
        if allowed is None:
            return
        calls = self._calls.setdefault((rule, access_key), deque())
        while calls and calls[0] <= now_ms - WINDOWS_MS[rule]:
            calls.popleft()
        if len(calls) >= allowed:
            raise Refused(510)
        calls.append(now_ms)
