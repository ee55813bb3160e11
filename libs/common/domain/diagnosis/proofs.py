"""What the trail proves to have been right, line by line, each with what it is proved by. Pure.
Nothing is proved by the want of a complaint.
"""

from collections.abc import Iterable, Iterator

from libs.common.contracts.alert import Alert
from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Leg
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import ExecutionKind, OrderType
from libs.common.domain.diagnosis.cause_checks import passed
from libs.common.domain.diagnosis.checklist import CheckName
from libs.common.domain.diagnosis.wording import (
    done_of,
    named,
    opens,
    received,
    sizes_of,
    wanted,
)
from libs.common.domain.journey import JourneyPart, JourneyStep
from libs.common.domain.lifecycle import GOOD_ENDS, OrderState
from libs.common.domain.moving import describe
from libs.common.domain.quantity import plain

Proofs = dict[CheckName, str]

_KEY_WORKS = (CheckName.ACCESS_KEY, CheckName.LINKED_IP, CheckName.SECRET_KEY)
_OF_OPENING = frozenset({CheckName.MARGIN_MODE, CheckName.LEVERAGE, CheckName.BALANCE})
_BY_ANY_ORDER = (*_KEY_WORKS, CheckName.PERMISSIONS, CheckName.SYMBOL)
_BY_AN_OPENING_ORDER = (*_BY_ANY_ORDER, CheckName.QUANTITY, CheckName.POSITION_MODE, *_OF_OPENING)

_BEHIND_THE_TICKER = frozenset(
    {
        *(Reason.SIZE_MISSING, Reason.BELOW_MINIMUM, Reason.ABOVE_MAXIMUM),
        *(Reason.ORDER_NOTIONAL, Reason.PRICE_INVALID, Reason.LEVERAGE_ABOVE_MAXIMUM),
    }
)
"""Denials of the router that it comes to once it has found the contract."""
_WITHOUT_A_PICTURE = frozenset(
    {
        *(Reason.STALE, Reason.HALTED, Reason.ACCOUNT_UNKNOWN, Reason.KEY_UNREADABLE),
        *(Reason.EXCHANGE_REFUSED_QUERY, Reason.ADDRESS_NOT_LINKED, Reason.ADDRESS_UNEXPECTED),
    }
)
"""Denials of the executor for which the exchange need not have told anything."""


def proofs_of(part: JourneyPart, *, alert: Alert | None) -> Proofs:
    """The first proof of a line counts."""
    found: Proofs = {}
    for check, evidence in _all(part, alert=alert):
        found.setdefault(check, evidence)
    return found


def _all(part: JourneyPart, *, alert: Alert | None) -> Iterator[tuple[CheckName, str]]:
    if alert is not None:
        yield CheckName.ARRIVED, f"{received(alert)} and stored"
        order = alert.order
        size = f" {plain(order.quantity)}" if order.quantity is not None else ""
        yield CheckName.JSON, f"understood as {order.action.value}{size} {order.ticker}"
    yield from _ours(part)
    if _has_picture(part):
        held = f": {describe(part.plan.holdings)}" if part.plan is not None else ""
        yield from _each(_KEY_WORKS, f"the exchange told what {part.account} holds{held}")
    for step in part.steps:
        yield from _by_step(part, step)
    if part.denied is not None and (cause := cause_in(part.denied.denial)) is not None:
        code = part.denied.denial.context.get("code", "none")
        why = f"the exchange looks at it before what it refused (code {code})"
        yield from _each(passed(cause), why)


def _ours(part: JourneyPart) -> Iterator[tuple[CheckName, str]]:
    intent = part.intent
    if intent is not None:
        yield CheckName.ARRIVED, f"the router made an intent of it: {wanted(intent)}"
        yield CheckName.JSON, f"understood as {wanted(intent)}"
        yield CheckName.SYMBOL, next(iter(intent.steps), f"it is {intent.symbol}")
        if intent.contracts is not None:
            evidence = f"{plain(intent.contracts)} contracts: {sizes_of(intent)}"
            yield CheckName.QUANTITY, evidence
        elif intent.size is None and part.plan is not None:
            yield CheckName.QUANTITY, part.plan.summary or "as much as is held"
        elif part.plan is not None and part.plan.legs:
            legs = ", ".join(plain(leg.contracts) for leg in part.plan.legs)
            yield CheckName.QUANTITY, f"{legs} contracts: {sizes_of(intent)}"
    denied = part.denied
    if denied is not None and denied.denial.reason in _BEHIND_THE_TICKER:
        yield CheckName.SYMBOL, "the ticker is one of the exchange's contracts"


def _has_picture(part: JourneyPart) -> bool:
    denied = part.denied
    by_executor = denied is not None and denied.intent_id is not None
    told = by_executor and denied is not None and denied.denial.reason not in _WITHOUT_A_PICTURE
    return part.account is not None and (part.plan is not None or told)


def _by_step(part: JourneyPart, step: JourneyStep) -> Iterator[tuple[CheckName, str]]:
    told = step.told
    if told is None:
        return
    if taken(step):
        yield from _each(_by_taking(part, step), f"the exchange took {named(step)}")
    elif told.kind is ExecutionKind.REJECTED and told.cause is not None:
        lines = passed(told.cause)
        if not opens(step):
            lines -= _OF_OPENING
        why = f"the exchange looks at it before what it refused: {step.words}"
        yield from _each(lines, why)
    if step.state in GOOD_ENDS or step.filled_contracts:
        yield CheckName.EXCHANGE, done_of(part).removeprefix("; ")
    elif step.state is OrderState.RESTING:
        yield CheckName.EXCHANGE, f"{named(step)} waits there"


def taken(step: JourneyStep) -> bool:
    """Whether the exchange said yes to it, whatever came of it."""
    return step.exchange_order_id is not None or step.state in GOOD_ENDS


def _by_taking(part: JourneyPart, step: JourneyStep) -> Iterable[CheckName]:
    leg = leg_of(part, step)
    if not opens(step) or leg is None:
        return _BY_ANY_ORDER
    # A stop order is measured only once its price has come.
    waits = leg.order_type is OrderType.STOP and not step.filled_contracts
    return _BY_ANY_ORDER if waits else _BY_AN_OPENING_ORDER


def leg_of(part: JourneyPart, step: JourneyStep) -> Leg | None:
    legs = part.plan.legs if part.plan is not None else ()
    return next((leg for leg in legs if leg.client_order_id == step.client_order_id), None)


def cause_in(denial: Denial) -> Cause | None:
    """What the exchange refused, where we denied something because of that."""
    told = denial.context.get("cause")
    if told is None:
        return None
    try:
        return Cause(told)
    except ValueError:
        # A later release's word: it proves nothing.
        return Cause.SYSTEM


def asked(part: JourneyPart) -> bool:
    """Whether anything was asked of the exchange for this."""
    denied = part.denied
    refused = denied is not None and (
        cause_in(denied.denial) is not None or denied.denial.reason is Reason.EXCHANGE_REFUSED_QUERY
    )
    return _has_picture(part) or refused or any(step.told is not None for step in part.steps)


def _each(checks: Iterable[CheckName], evidence: str) -> Iterator[tuple[CheckName, str]]:
    return ((check, evidence) for check in checks)
