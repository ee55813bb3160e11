"""What a session wants pushed: everything, or what `personal.filter` narrowed it to."""

from enum import StrEnum
from typing import Any

import msgspec

from tools.paper_exchange.edge.frames import BadFrameError


class FilterKey(StrEnum):
    ORDER = "order"
    ORDER_DEAL = "order.deal"
    POSITION = "position"
    PLAN_ORDER = "plan.order"
    STOP_ORDER = "stop.order"
    STOP_PLAN_ORDER = "stop.planorder"
    RISK_LIMIT = "risk.limit"
    ADL_LEVEL = "adl.level"
    ASSET = "asset"


_WITHOUT_RULES = frozenset({FilterKey.ADL_LEVEL, FilterKey.ASSET})


class _Item(msgspec.Struct):
    filter: str
    rules: list[str] | None = None


class _Param(msgspec.Struct):
    filters: list[_Item]


class PersonalFilter:
    """`wanted` maps what is let through to its symbols, None being all; None lets all through."""

    def __init__(self, wanted: dict[FilterKey, set[str] | None] | None) -> None:
        self._wanted = wanted

    def passes(self, key: FilterKey | None, symbol: str | None) -> bool:
        """A push without a key of its own cannot be asked for by name, only with all others."""
        if self._wanted is None:
            return True
        if key is None or key not in self._wanted:
            return False
        symbols = self._wanted[key]
        return symbols is None or symbol is None or symbol in symbols


EVERYTHING = PersonalFilter(None)
NOTHING = PersonalFilter({})


def read_filter(param: dict[str, Any] | None) -> PersonalFilter:
    try:
        items = msgspec.convert(param or {}, _Param).filters
    except msgspec.ValidationError:
        raise BadFrameError("Invalid filter parameters") from None
    if not items:
        return EVERYTHING
    wanted: dict[FilterKey, set[str] | None] = {}
    for item in items:
        try:
            key = FilterKey(item.filter)
        except ValueError:
            raise BadFrameError(f"Invalid filter: {item.filter[:40]}") from None
        rules = None if key in _WITHOUT_RULES or not item.rules else set(item.rules)
        known = wanted.get(key, set())
        wanted[key] = None if rules is None or known is None else known | rules
    return PersonalFilter(wanted)
