"""Positions, signals and plans as a person would write them: `long 3, short 2`, `sell 5`,
`close long 3, open short 2`. Nothing here decides anything.
"""

from decimal import Decimal
from typing import Any

from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Holding
from libs.common.contracts.words import (
    Action,
    MarketPosition,
    PositionMode,
    PositionSide,
    TradeMode,
)
from libs.common.domain.picture import Picture, Prices
from libs.common.domain.planning import Planned, plan_orders
from tests.factories import D, make_holding, make_intent

NOTHING = "nothing"
ONE_SIDE = {"closelong": "flat long", "closeshort": "flat short"}


def held(text: str, **changes: Any) -> tuple[Holding, ...]:
    """`none`, or sides with their contracts."""
    if text == "none":
        return ()
    return tuple(make_holding(*part.split(), **changes) for part in text.split(", "))


def signal(text: str, **changes: Any) -> Intent:
    """`sell 5`, `flat`, `flat long`, `flat 50%`, `reverse`, `reverse 5`, `target long 5`.

    `closelong` and `closeshort` reach the planner as the router words them: flat of one side.
    """
    for word, worded in ONE_SIDE.items():
        text = text.replace(word, worded)
    action, *rest = text.split()
    said: dict[str, Any] = {"action": Action(action), "contracts": None}
    for word in rest:
        if action == "target" and word in set(MarketPosition):
            said["wanted"] = MarketPosition(word)
        elif word in set(PositionSide):
            said["close_side"] = PositionSide(word)
        elif word.endswith("%"):
            said["close_percent"] = D(word[:-1])
        else:
            said["contracts"] = D(word)
    if action == "target":
        said["trade_mode"] = TradeMode.TARGET
    return make_intent(**{**said, **changes})


def picture(
    holdings: str | tuple[Holding, ...] = "none",
    *,
    position_mode: PositionMode = PositionMode.HEDGE,
    price: str | None = "50000",
    **changes: Any,
) -> Picture:
    prices = None if price is None else Prices(last=D(price), mark=D(price), index=D(price))
    return Picture(
        holdings=held(holdings) if isinstance(holdings, str) else holdings,
        position_mode=position_mode,
        prices=prices,
        **changes,
    )


def plan(intent: Intent, seen: Picture) -> Planned:
    planned = plan_orders(intent, seen)
    assert isinstance(planned, Planned), planned
    return planned


def denial(intent: Intent, seen: Picture) -> Denial:
    denied = plan_orders(intent, seen)
    assert isinstance(denied, Denial), denied
    assert denied.message
    return denied


def moves(planned: Planned) -> str:
    """The legs, in their order."""
    said = (
        f"{leg.effect.value} {leg.position_side.value} {_number(leg.contracts)}"
        for leg in planned.legs
    )
    return ", ".join(said) or NOTHING


def answer(intent: Intent, seen: Picture) -> str:
    """The legs in their order, or why there are none; what is withheld stands behind."""
    planned = plan_orders(intent, seen)
    if isinstance(planned, Denial):
        return f"denied {planned.reason.value}"
    assert planned.changes == ()
    withheld = f", withheld {planned.withheld.reason.value}" if planned.withheld else ""
    return moves(planned) + withheld


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")
