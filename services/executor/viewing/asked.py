"""What the exchange and the log have last told about an account, piece by piece: a slow or missing
answer to one question hides no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

from libs.common.contracts.account_picture import DriftSeen, WaitingOrder
from libs.common.contracts.checkup import AccountChecked
from libs.common.contracts.words import PositionMode, VenueSymbol
from services.executor.checkable import Funds
from services.executor.viewable import HeldPosition

T = TypeVar("T")

_NEVER = float("-inf")
UNASKED = "it was not answered yet"


@dataclass(kw_only=True, slots=True)
class Piece(Generic[T]):
    """The last answer to one question. Times are monotonic seconds."""

    value: T | None = None
    asked_at: float = _NEVER
    """When what was answered was asked for."""
    why: str = UNASKED
    """Why there is no answer to the latest question; empty where there is."""

    def tell(self, value: T | None, *, asked_at: float) -> None:
        self.value, self.asked_at, self.why = value, asked_at, ""

    def fail(self, why: str) -> None:
        """What was told before stays, and grows old."""
        self.why = why

    def is_fresh(self, now: float, *, lasts_s: float) -> bool:
        return now - self.asked_at <= lasts_s


@dataclass(kw_only=True, slots=True)
class Asked:
    """Of one account."""

    positions: Piece[tuple[HeldPosition, ...]] = field(default_factory=Piece)
    balances: Piece[Mapping[str, Funds]] = field(default_factory=Piece)
    position_mode: Piece[PositionMode] = field(default_factory=Piece)
    orders: Piece[tuple[WaitingOrder, ...]] = field(default_factory=Piece)
    triggers: Piece[tuple[WaitingOrder, ...]] = field(default_factory=Piece)
    protections: Piece[tuple[WaitingOrder, ...]] = field(default_factory=Piece)
    trails: Piece[tuple[WaitingOrder, ...]] = field(default_factory=Piece)
    drift: Piece[DriftSeen] = field(default_factory=Piece)
    """None told is none known."""
    checkup: Piece[AccountChecked] = field(default_factory=Piece)

    @property
    def waiting(self) -> dict[str, Piece[tuple[WaitingOrder, ...]]]:
        """The lists that what waits is put together from, by the names that `Missing` has."""
        return {
            "orders": self.orders,
            "triggers": self.triggers,
            "protections": self.protections,
            "trails": self.trails,
        }


Marks = Mapping[VenueSymbol, Piece[Decimal]]
