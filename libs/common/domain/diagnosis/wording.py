"""How the checklist speaks of what stands in the trail. Pure."""

from datetime import UTC, datetime

from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.words import Effect
from libs.common.domain.journey import JourneyOrder, JourneyPart, JourneyStep
from libs.common.domain.lifecycle import GOOD_ENDS, OrderState
from libs.common.domain.quantity import plain


def at_second(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def received(alert: Alert | AlertRefused) -> str:
    sender = f" from {alert.source_address}" if alert.source_address else ""
    return f"received {at_second(alert.at)}{sender}"


def asked_of(step: JourneyStep) -> str:
    """What the step was to do."""
    if isinstance(step, JourneyOrder):
        move = f"{step.effect.value} {step.position_side.value} {plain(step.contracts)}"
        return f"{move} {step.symbol}"
    return f"{getattr(step, 'kind', 'change').replace('_', ' ')} {step.symbol}"


def named(step: JourneyStep) -> str:
    """By the ids under which it is found."""
    theirs = f" (order {step.exchange_order_id})" if step.exchange_order_id else ""
    return f"{asked_of(step)}{theirs}"


def done_of(part: JourneyPart) -> str:
    """What of it was done, as the end of a sentence; empty where nothing was."""
    told = [_done(step) for step in part.steps if step.state in GOOD_ENDS or step.filled_contracts]
    return f"; done: {', '.join(told)}" if told else ""


def denied(denial: Denial) -> str:
    return f"{denial.reason.value}: {denial.message}"


def wanted(intent: Intent) -> str:
    size = f" {plain(intent.contracts)} contracts" if intent.contracts is not None else ""
    return f"{intent.action.value}{size} of {intent.symbol}"


def sizes_of(intent: Intent) -> str:
    """What the contract takes."""
    one = intent.instrument
    return (
        f"{intent.symbol} takes steps of {plain(one.step_contracts)} from"
        f" {plain(one.minimum_contracts)} to {plain(one.maximum_contracts)} contracts of"
        f" {plain(one.contract_size)} {one.base}"
    )


def opens(step: JourneyStep) -> bool:
    return isinstance(step, JourneyOrder) and step.effect is Effect.OPEN


def _done(step: JourneyStep) -> str:
    if step.state is OrderState.CHANGED or not isinstance(step, JourneyOrder):
        return asked_of(step)
    price = f" at {plain(step.average_price)}" if step.average_price is not None else ""
    if step.state is OrderState.FILLED or step.filled_contracts is None:
        return f"{asked_of(step)}{price}"
    return f"{plain(step.filled_contracts)} of {asked_of(step)}{price}"
