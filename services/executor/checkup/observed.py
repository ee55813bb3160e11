"""What was seen of an account, as plain values for the judge. What was not asked for, or not in
time, is None or missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import ExchangeCall, Holding
from libs.common.contracts.route import Account
from libs.common.contracts.words import PositionMode, RouteId, VenueSymbol
from libs.common.domain.leverages import SideLeverage, Terms
from services.executor.checkable import Funds, KeyInfo, Listing, Ping
from services.executor.checkup.addresses import SeenAddress

T = TypeVar("T")

AT_THE_GATE = frozenset({Cause.KEY, Cause.IP, Cause.SIGNATURE, Cause.TIMESTAMP})
"""Refusals that no signed question of the account gets past."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """The question was not answered, or with no."""

    kind: Cause
    code: int | None
    message: str

    def __str__(self) -> str:
        said = self.message or "no words"
        return said if self.code is None else f"code {self.code}: {said}"


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The exchange has no such contract."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Probed:
    """What an order of nothing was answered with."""

    may_place: bool | None
    """None where that cannot be told."""
    said: str
    was_taken: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneSeen:
    """A contract that a route trades on the account."""

    route: RouteId
    symbol: VenueSymbol
    terms: Terms
    listing: Listing | Unlisted | Refused | None = None
    leverages: tuple[SideLeverage, ...] | Refused | None = None
    price: Decimal | Refused | None = None
    """The last one."""


@dataclass(kw_only=True, slots=True)
class Observed:
    """Filled while questions are answered; what is there at the end is judged."""

    account: Account
    own: SeenAddress = field(default_factory=SeenAddress)
    denial: str = ""
    """Why nothing can be asked at all: the key cannot be opened."""
    pings: list[Ping] = field(default_factory=list)
    silence: Refused | None = None
    """What the first ping met, where none was answered."""
    key: KeyInfo | Refused | None = None
    positions: tuple[tuple[VenueSymbol, Holding], ...] | Refused | None = None
    position_mode: PositionMode | Refused | None = None
    funds: Mapping[str, Funds] | Refused | None = None
    probe: Probed | None = None
    lanes: list[LaneSeen] = field(default_factory=list)
    left_out: int = 0
    """Contracts that were too many to be asked for."""
    idle_routes: tuple[RouteId, ...] = ()
    """Live ones of the account that name no contract and are not known to have traded any."""
    calls: list[ExchangeCall] = field(default_factory=list)

    @property
    def signed(self) -> list[object]:
        """What became of the questions that trading's own signature goes with."""
        return [one for one in (self.positions, self.position_mode, self.funds) if one is not None]

    @property
    def passed(self) -> bool:
        """The exchange has let a signed question in, whatever it said to it."""
        return any(
            not isinstance(one, Refused) or one.kind is Cause.PERMISSION for one in self.signed
        )

    @property
    def barred(self) -> Refused | None:
        """What keeps every signed question out."""
        if self.passed:
            return None
        refused = (one for one in self.signed if isinstance(one, Refused))
        return next((one for one in refused if one.kind in AT_THE_GATE), None)
