"""A desk that also places trigger orders, take profit and stop loss, and trailing orders."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.paper_desk import BTC, NOW, Desk
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.commands import Command, SetPrice
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.triggers.commands import (
    ChangePlan,
    ChangePlanAttached,
    ChangeStop,
    PlacePlan,
    PlaceStop,
    PlaceTrack,
)
from tools.paper_exchange.engine.triggers.state import (
    PlanOrder,
    Shelf,
    StopLeg,
    StopOrder,
    T,
    TrackOrder,
)

PLAN = {
    "symbol": BTC,
    "side": 1,
    "type": 5,
    "vol": "10",
    "open_type": 2,
    "leverage": 10,
    "trigger_price": "51000",
    "condition": 1,
    "trend": 1,
    "cycle": 1,
}
TRACK = {
    "symbol": BTC,
    "side": 4,
    "vol": "10",
    "open_type": 2,
    "leverage": 10,
    "trend": 1,
    "back_type": 1,
    "back_value": "0.02",
}


class TriggerDesk(Desk):
    at_ms = NOW

    def made(self, command: Command) -> int:
        return apply(self.state, self.contracts, command).made

    def plan(self, **changes: Any) -> PlanOrder:
        return _of(self.account.triggers.plans, self.made(self.plan_command(**changes)))

    def plan_command(self, **changes: Any) -> PlacePlan:
        return _command(PlacePlan, PLAN | {"position_mode": self.mode} | changes)

    def change_plan(self, plan: PlanOrder, **changes: Any) -> ChangePlan:
        fields = {
            "plan_id": plan.id,
            "symbol": plan.symbol,
            "trigger_price": plan.trigger_price,
            "condition": plan.condition,
            "trend": plan.trend,
            "type": plan.type,
            "price": plan.price,
        }
        return _command(ChangePlan, fields | changes)

    def change_plan_attached(self, plan: PlanOrder, **attached: Any) -> ChangePlanAttached:
        given = {name: Decimal(value) for name, value in attached.items()}
        return ChangePlanAttached(
            at_ms=NOW, account_id=1, plan_id=plan.id, symbol=plan.symbol, attached=given
        )

    def stop(self, **changes: Any) -> StopOrder:
        return _of(self.account.triggers.stops, self.made(self.stop_command(**changes)))

    def stop_command(
        self,
        *,
        profit: Any = None,
        loss: Any = None,
        vol: str = "10",
        leg: dict[str, Any] | None = None,
        **changes: Any,
    ) -> PlaceStop:
        position = next(iter(self.account.positions.values()), None)
        fields = {
            "position_id": position.id if position is not None else 1,
            "vol": vol,
            "profit": leg_of(profit, vol=vol, **leg or {}),
            "loss": leg_of(loss, vol=vol, **leg or {}),
        }
        return _command(PlaceStop, fields | changes)

    def change_stop(self, stop: StopOrder, **legs: Any) -> ChangeStop:
        given = {name: leg_of(price, vol="0") for name, price in legs.items()}
        fields = {"profit": None, "loss": None} | given
        return ChangeStop(at_ms=NOW, account_id=1, stop_id=stop.id, **fields)

    def track(self, **changes: Any) -> TrackOrder:
        return _of(self.account.triggers.tracks, self.made(self.track_command(**changes)))

    def track_command(self, **changes: Any) -> PlaceTrack:
        return _command(PlaceTrack, TRACK | {"position_mode": self.mode} | changes)

    def prices(self, last: str, fair: str | None = None, index: str | None = None) -> None:
        """Each price for itself; the fair and the index price stay at 50000 unless given."""
        self.made(
            SetPrice(
                at_ms=self.at_ms,
                symbol=BTC,
                last=Decimal(last),
                fair=Decimal(fair or "50000"),
                index=Decimal(index or "50000"),
            )
        )

    def code(self, command: Command) -> int:
        """What the command is refused with."""
        before = msgspec.json.encode(self.state)
        with pytest.raises(Refused) as caught:
            self.made(command)
        assert msgspec.json.encode(self.state) == before, "a refused command left traces"
        return caught.value.code

    def holds(self) -> dict[int, int]:
        """What is held: contracts by position type."""
        positions = self.account.positions.values()
        return {position.type.value: int(position.hold_vol) for position in positions}

    @property
    def stops(self) -> list[StopOrder]:
        """The stops that wait."""
        return list(self.account.triggers.stops.open.values())


def attached(profit: str | None = None, loss: str | None = None, trend: int = 1) -> dict[str, Any]:
    """As an order carries it."""
    given: dict[str, Any] = {"profitTrend": trend, "lossTrend": trend, "priceProtect": 0}
    if profit is not None:
        given["takeProfitPrice"] = Decimal(profit)
    if loss is not None:
        given["stopLossPrice"] = Decimal(loss)
    return given


def leg_of(price: Any, *, vol: str, **changes: Any) -> StopLeg | None:
    if price is None or isinstance(price, StopLeg):
        return price
    return StopLeg(price=Decimal(price), vol=Decimal(vol), **changes)


def _of(shelf: Shelf[T], trigger_id: int) -> T:
    return shelf.open.get(trigger_id) or shelf.finished[trigger_id]


def _command(kind: Any, fields: dict[str, Any]) -> Any:
    known = {name: _decimal(name, value) for name, value in fields.items()}
    return kind(**({"at_ms": NOW, "account_id": 1} | known))


def _decimal(name: str, value: Any) -> Any:
    decimals = {"vol", "price", "trigger_price", "active_price", "back_value"}
    return Decimal(value) if name in decimals else value
