"""Commands about triggers. Whether their numbers are any of the venue's is checked when they are
applied.
"""

from decimal import Decimal

from tools.paper_exchange.engine.journaled import JournaledCommand
from tools.paper_exchange.engine.triggers.state import ZERO, StopLeg


class PlacePlan(JournaledCommand, frozen=True):
    account_id: int
    symbol: str
    side: int
    type: int
    vol: Decimal
    open_type: int
    trigger_price: Decimal
    condition: int
    trend: int
    cycle: int
    price: Decimal = ZERO
    leverage: int | None = None
    position_mode: int | None = None
    reduce_only: bool = False
    price_protect: int = 0
    attached: dict[str, Decimal | int] = {}


class ChangePlan(JournaledCommand, frozen=True):
    account_id: int
    plan_id: int
    symbol: str
    trigger_price: Decimal
    condition: int
    trend: int
    type: int
    price: Decimal = ZERO


class ChangePlanAttached(JournaledCommand, frozen=True):
    """Sets a plan's take profit and stop loss; what is not given is gone."""

    account_id: int
    plan_id: int
    symbol: str
    attached: dict[str, Decimal | int] = {}


class CancelPlans(JournaledCommand, frozen=True):
    """Refused only where none of them can be canceled."""

    account_id: int
    plan_ids: list[int]


class PlaceStop(JournaledCommand, frozen=True):
    account_id: int
    position_id: int
    vol: Decimal
    profit: StopLeg | None
    loss: StopLeg | None
    is_separate: bool = False
    is_whole: bool = False
    price_protect: int = 0


class ChangeStop(JournaledCommand, frozen=True):
    """None leaves a leg as it is, a price of zero takes it away; else the price, the trend and the
    reversal are the new ones, and the rest stays.
    """

    account_id: int
    stop_id: int
    profit: StopLeg | None
    loss: StopLeg | None


class CancelStops(JournaledCommand, frozen=True):
    """Refused only where none of them can be canceled."""

    account_id: int
    stop_ids: list[int]


class ChangeAttached(JournaledCommand, frozen=True):
    """Sets an open order's take profit and stop loss; what is not given is gone."""

    account_id: int
    order_id: int
    attached: dict[str, Decimal | int] = {}


class PlaceTrack(JournaledCommand, frozen=True):
    account_id: int
    symbol: str
    side: int
    vol: Decimal
    leverage: int
    open_type: int
    trend: int
    back_type: int
    back_value: Decimal
    active_price: Decimal = ZERO
    position_mode: int | None = None
    reduce_only: bool = False


class ChangeTrack(JournaledCommand, frozen=True):
    """It starts anew, from the price as it is."""

    account_id: int
    track_id: int
    symbol: str
    vol: Decimal
    trend: int
    back_type: int
    back_value: Decimal
    active_price: Decimal = ZERO


class CancelTracks(JournaledCommand, frozen=True):
    """Refused only where none of them can be canceled."""

    account_id: int
    track_ids: list[int]


class ExpireTriggers(JournaledCommand, frozen=True):
    """Ends what has waited for as long as it was to, by the time of the command."""


TriggerCommand = (
    PlacePlan
    | ChangePlan
    | ChangePlanAttached
    | CancelPlans
    | PlaceStop
    | ChangeStop
    | CancelStops
    | ChangeAttached
    | PlaceTrack
    | ChangeTrack
    | CancelTracks
    | ExpireTriggers
)
