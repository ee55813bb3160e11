"""What an alert may open: pure. How much, within which limits, and why perhaps not; what it closes
is not asked here.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import msgspec

from libs.common.contracts.alert import Order
from libs.common.contracts.intent import Denial, Limits, Size
from libs.common.contracts.route import RouteAccount, RouteSettings
from libs.common.contracts.words import Action, TradeMode
from libs.common.domain.guarding import Guarded, guard_opening, order_notional
from libs.common.domain.quantity import Sized
from libs.common.domain.symbols import Mapped
from services.router.sizing import size_of, sized_by_alert, told


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """An order with all that its opening depends on."""

    order: Order
    """With inverse applied."""
    route: RouteSettings
    account: RouteAccount
    mapped: Mapped
    price: Decimal | None
    """Per unit of the exchange."""
    received_at: datetime
    now: datetime
    recent_openings: int
    halted: Denial | None

    @property
    def mode(self) -> TradeMode:
        return self.order.trade_mode or self.route.trade_mode

    @property
    def leverage(self) -> int:
        return self.order.leverage or self.route.leverage


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    contracts: Decimal | None = None
    size: Size | None = None
    limits: Limits = Limits()
    refused: Denial | None = None
    steps: tuple[str, ...] = ()


def opening_of(asked: Asked) -> Opening:
    guarded = _guarded(asked)
    guards = asked.route.guards
    opening = Opening(
        limits=Limits(
            max_order_notional=guards.max_order_notional,
            max_position_notional=guards.max_position_notional,
            pyramiding=asked.route.pyramiding,
        ),
        refused=guarded.refused,
    )
    if asked.order.action is Action.REVERSE and not sized_by_alert(asked.order):
        return replace(opening, steps=("size: as much as is held", guarded.step))
    found = size_of(
        asked.order,
        route=asked.route,
        account=asked.account,
        mapped=asked.mapped,
        price=asked.price,
    )
    match found:
        case Sized():
            steps = (found.step, guarded.step)
            return _limited(replace(opening, contracts=found.contracts, steps=steps), asked)
        case Size():
            return replace(opening, size=found, steps=(told(found), guarded.step))
        case Denial():
            return replace(
                opening,
                refused=guarded.refused or found,
                steps=(f"size: {found.message}", guarded.step),
            )


def may_close(asked: Asked, opening: Opening) -> bool:
    """Whether an order that opens may close something too, so that it must reach the executor."""
    if asked.order.action in {Action.REVERSE, Action.TARGET}:
        return True
    match asked.mode:
        case TradeMode.HEDGE:
            return False
        case TradeMode.NETTING:
            # It closes as much as it asks for; without a size that is nothing.
            return opening.contracts is not None or opening.size is not None
        case _:
            return True


def _guarded(asked: Asked) -> Guarded:
    if asked.halted is not None:
        return Guarded(refused=asked.halted, step=f"guards: {asked.halted.message}")
    return guard_opening(
        asked.route,
        instrument=asked.mapped.instrument,
        leverage=asked.leverage,
        received_at=asked.received_at,
        now=asked.now,
        recent_openings=asked.recent_openings,
    )


def _limited(opening: Opening, asked: Asked) -> Opening:
    """The order's notional checked, where the alert has a price to check it at."""
    limit, contracts = opening.limits.max_order_notional, opening.contracts
    if limit is None or asked.price is None or contracts is None:
        return opening
    verdict = order_notional(
        contracts, price=asked.price, limit=limit, instrument=asked.mapped.instrument
    )
    if not isinstance(verdict, Denial):
        checked = msgspec.structs.replace(opening.limits, max_order_notional=None)
        return replace(opening, limits=checked, steps=(*opening.steps, verdict))
    if _opens_all(asked):
        return replace(
            opening,
            refused=opening.refused or verdict,
            steps=(*opening.steps, f"guards: {verdict.message}"),
        )
    # What it closes first is not opened: the executor checks what is left, at the same price.
    step = f"{verdict.message}; what is left to open once the other side is closed must keep to it"
    return replace(opening, steps=(*opening.steps, step))


def _opens_all(asked: Asked) -> bool:
    """Whether what is opened is the order's whole size, whatever is held."""
    return asked.order.action is Action.REVERSE or (
        asked.order.action is not Action.TARGET and asked.mode is not TradeMode.NETTING
    )
