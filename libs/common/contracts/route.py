"""Routes and accounts as they stand in the KV buckets, and as the console's API speaks of them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from libs.common.contracts.messages import Part, guard
from libs.common.contracts.words import (
    AccountId,
    DistanceUnit,
    MarginMode,
    PositionMode,
    RouteId,
    RouteState,
    SecretSource,
    SizingMode,
    TradeMode,
    VenueSymbol,
)

DUPLICATE_WINDOW_MAX_S = 300
"""Ingest remembers alerts for this long, so no route may ask for more."""

Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\Z")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


# Defined first: the defaults below are checked while this module is imported.
def _positive(name: str, value: Decimal) -> None:
    guard(name, value)
    if value <= 0:
        raise ValueError(f"{name} must be positive, not {value}")


class RouteAccount(Part, frozen=True, kw_only=True):
    account: Identifier
    multiplier: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        _positive("multiplier", self.multiplier)


class Sizing(Part, frozen=True, kw_only=True):
    mode: SizingMode = SizingMode.BASE
    value: Decimal | None = None
    multiplier: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        _positive("sizing.multiplier", self.multiplier)
        if self.value is not None:
            _positive("sizing.value", self.value)


class SymbolOverride(Part, frozen=True, kw_only=True):
    symbol: VenueSymbol
    per_unit: Decimal = Decimal(1)
    """How many of the exchange's base units one unit of the chart's ticker is: 1000PEPE is 1000."""

    def __post_init__(self) -> None:
        _positive("per_unit", self.per_unit)


class Symbols(Part, frozen=True, kw_only=True):
    overrides: dict[str, SymbolOverride] = {}
    allow: tuple[VenueSymbol, ...] = ()
    """Empty: every contract."""


class Guards(Part, frozen=True, kw_only=True):
    max_order_notional: Decimal | None = None
    max_position_notional: Decimal | None = None
    orders_per_minute: Annotated[int, msgspec.Meta(ge=1)] | None = None
    windows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("max_order_notional", "max_position_notional"):
            value: Decimal | None = getattr(self, name)
            if value is not None:
                _positive(f"guards.{name}", value)


class RouteSettings(Part, frozen=True, kw_only=True):
    """What a user says about a route; every field but `id` and `accounts` has its default."""

    id: Identifier
    state: RouteState = RouteState.LIVE
    accounts: Annotated[tuple[RouteAccount, ...], msgspec.Meta(min_length=1)]
    sizing: Sizing = Sizing()
    trade_mode: TradeMode = TradeMode.NETTING
    inverse: bool = False
    pyramiding: bool = True
    margin_mode: MarginMode = MarginMode.CROSS
    leverage: Annotated[int, msgspec.Meta(ge=1, le=500)] = 10
    symbols: Symbols = Symbols()
    sltp_unit: DistanceUnit = DistanceUnit.PRICE
    max_age_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 30
    duplicate_window_s: Annotated[int, msgspec.Meta(ge=0, le=DUPLICATE_WINDOW_MAX_S)] = 30
    guards: Guards = Guards()
    body_secret: str | None = None
    allow_addresses: tuple[str, ...] = ()


class TokenHash(Part, frozen=True, kw_only=True):
    sha256: Sha256
    expires_at: datetime | None = None
    """None: valid until rotated."""


class Route(Part, frozen=True, kw_only=True):
    """A route in the `routes` bucket. The token and the body secret exist here only as hashes."""

    settings: RouteSettings
    """With `body_secret` always None: its hash is below."""
    tokens: tuple[TokenHash, ...]
    body_secret_sha256: Sha256 | None = None

    @property
    def id(self) -> RouteId:
        return RouteId(self.settings.id)


class Account(Part, frozen=True, kw_only=True):
    """An account in the `accounts` bucket. Its secret key lies sealed in the `secrets` bucket, or
    is a file that is mounted at the executor.
    """

    id: Identifier
    base_url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/@\s]+\Z")]
    ws_url: Annotated[str, msgspec.Meta(pattern=r"^wss?://[^@\s]+\Z")]
    access_key: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    position_mode: PositionMode = PositionMode.HEDGE
    order_calls_per_2s: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 4
    expected_addresses: tuple[str, ...] = ()
    secret_source: SecretSource = SecretSource.SEALED

    @property
    def account_id(self) -> AccountId:
        return AccountId(self.id)
