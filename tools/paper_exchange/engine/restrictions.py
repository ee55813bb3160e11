"""What the control side has set against the catalogue: changes of a contract, and limits that the
venue's risk control, its verification of persons or a region puts on one account.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from tools.paper_exchange.engine.contracts import Contract, Contracts, Suspension


class Refusing(StrEnum):
    """Which orders of an account are refused."""

    OPEN = "open"
    ALL = "all"


class Restrictions(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Limits of one account. `refuse` names the code that orders which open, or all, are refused
    with; cancels and reads always pass.
    """

    refuse: dict[Refusing, int] = {}
    # All initial margin together, and the code of going beyond it.
    margin_cap: Decimal | None = None
    margin_cap_code: int = 200006
    country_max_leverage: int | None = None
    # The worth of all positions and open orders together.
    value_cap: Decimal | None = None
    # The worth of all positions over the wallet's balance.
    max_value_ratio: Decimal | None = None

    def __post_init__(self) -> None:
        for amount in (self.margin_cap, self.value_cap, self.max_value_ratio):
            if amount is not None and not (amount.is_finite() and amount >= 0):
                raise ValueError("a cap is a number, not below 0")
        if self.country_max_leverage is not None and self.country_max_leverage < 1:
            raise ValueError("country_max_leverage is at least 1")


class ContractChanges(
    msgspec.Struct,
    kw_only=True,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename="camel",
):
    """What differs from the catalogue; None is as in the catalogue."""

    state: int | None = None
    api_allowed: bool | None = None
    position_open_type: int | None = None
    opening_time: int | None = None
    country_config_contract_max_leverage: int | None = None
    max_num_orders: tuple[int, int] | None = None
    stop_only_fair: bool | None = None
    # What the venue's rows do not tell.
    suspend: Suspension | None = None
    min_order_value: Decimal | None = None
    max_order_value: Decimal | None = None

    def __post_init__(self) -> None:
        if self.state not in {None, 0, 1, 2, 3, 4}:
            raise ValueError("state lies between 0 and 4")
        if self.position_open_type not in {None, 1, 2, 3}:
            raise ValueError("positionOpenType is 1 (isolated), 2 (cross) or 3 (both)")
        for value in (self.min_order_value, self.max_order_value):
            if value is not None and not (value.is_finite() and value >= 0):
                raise ValueError("an order's value is a number, not below 0")

    def on(self, contract: Contract) -> Contract:
        return msgspec.structs.replace(contract, **self.given())

    def given(self) -> dict[str, Any]:
        fields = msgspec.structs.asdict(self)
        return {name: value for name, value in fields.items() if value is not None}

    def row(self) -> dict[str, Any]:
        """What the venue's row of the contract shows differently."""
        shown: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in shown.items() if name not in _UNSHOWN}


_UNSHOWN = frozenset({"suspend", "minOrderValue", "maxOrderValue"})


def in_force(contracts: Contracts, changes: Mapping[str, ContractChanges]) -> Contracts:
    """The contracts with the changes that were made to them."""
    if not changes:
        return contracts
    changed = {
        symbol: change.on(contracts[symbol])
        for symbol, change in changes.items()
        if symbol in contracts
    }
    return {**contracts, **changed}
