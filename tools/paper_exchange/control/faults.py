"""Faults that the control side orders: which ones befall a call.

The list holds three groups. Of each group at most one fault befalls a call, the first in the list
that matches its path, is not used up and wins its draw: what happens to the call itself, what
happens to the order, and whether the order is hidden. A path also covers everything below it. A
fault is used up by the call it befalls, also when that call is refused for another reason.

Faults of sockets are handed on as they are put, to the sockets themselves.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec


class FaultKind(StrEnum):
    LOSE_REPLY = "lose_reply"
    DROP_BEFORE = "drop_before"
    DELAY_BEFORE = "delay_before"
    HANG = "hang"
    HTML_403 = "html_403"
    HTTP_502 = "http_502"
    CODE = "code"
    ASYNC_REJECT = "async_reject"
    PARTIAL_FILL = "partial_fill"
    HIDE_ORDER = "hide_order"
    WS_CUT = "ws_cut"
    WS_GAP = "ws_gap"
    WS_REFUSE = "ws_refuse"


SOCKET_PATH = "/edge"
ON_SOCKET = frozenset({FaultKind.WS_CUT, FaultKind.WS_GAP, FaultKind.WS_REFUSE})
ON_ORDER = frozenset({FaultKind.ASYNC_REJECT, FaultKind.PARTIAL_FILL})
NEEDS_MS = frozenset({FaultKind.DELAY_BEFORE, FaultKind.HIDE_ORDER})


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`count` None never runs out. A code is answered instead of executing, or after it."""

    path: str
    kind: FaultKind
    code: int | None = None
    executed: bool = False
    ms: int | float = 0
    count: int | None = 1
    probability: float = 1.0

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise ValueError("path starts with /")
        if self.kind in ON_SOCKET and not f"{self.path}/".startswith(SOCKET_PATH + "/"):
            raise ValueError(f"kind {self.kind} takes a path at {SOCKET_PATH}")
        if self.kind is FaultKind.CODE and self.code is None:
            raise ValueError("kind code needs a code")
        if self.executed and self.kind is not FaultKind.CODE:
            raise ValueError("executed goes with kind code")
        if self.kind in NEEDS_MS and not self.ms:
            raise ValueError(f"kind {self.kind} needs ms")
        if self.ms < 0 or (self.count is not None and self.count < 1):
            raise ValueError("ms is not negative, count is at least 1")
        if not 0 <= self.probability <= 1:
            raise ValueError("probability lies between 0 and 1")

    @property
    def seconds(self) -> float:
        return self.ms / 1000

    def covers(self, path: str) -> bool:
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")


@dataclass(frozen=True, kw_only=True)
class Befalling:
    """What befalls one call."""

    call: Fault | None = None
    order: Fault | None = None
    hiding: Fault | None = None


NOTHING = Befalling()


class Faults:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._faults: list[Fault] = []
        self.befallen: Counter[FaultKind] = Counter()
        """Calls that a fault befell, since the process started."""
        # Told at once of the faults that befall sockets; those are not for `draw`.
        self.on_socket_faults: Callable[[list[Fault]], None] | None = None

    def replace(self, faults: list[Fault]) -> None:
        self._faults = [fault for fault in faults if fault.kind not in ON_SOCKET]
        if self.on_socket_faults is not None:
            self.on_socket_faults([fault for fault in faults if fault.kind in ON_SOCKET])

    def draw(self, path: str) -> Befalling:
        if not self._faults:
            return NOTHING
        drawn: dict[str, Fault] = {}
        for fault in list(self._faults):
            group = _group(fault.kind)
            if group in drawn or not fault.covers(path):
                continue
            if self._chance.random() < fault.probability:
                drawn[group] = fault
                self.befallen[fault.kind] += 1
                self._use(fault)
        return Befalling(**drawn)

    def _use(self, fault: Fault) -> None:
        if fault.count is None:
            return
        fault.count -= 1
        if not fault.count:
            self._faults = [kept for kept in self._faults if kept is not fault]


def _group(kind: FaultKind) -> str:
    if kind in ON_ORDER:
        return "order"
    return "hiding" if kind is FaultKind.HIDE_ORDER else "call"
