"""What went wrong with an alert on one account, each with its line, the words that were said and
what mends it. Pure.
"""

from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckState
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.execution import Execution
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Leg
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import ExecutionKind
from libs.common.domain.diagnosis.cause_checks import CAUSE_CHECKS
from libs.common.domain.diagnosis.checklist import CheckName
from libs.common.domain.diagnosis.failure import Failure, Verdict
from libs.common.domain.diagnosis.proofs import cause_in, leg_of
from libs.common.domain.diagnosis.reason_checks import REASON_CHECKS
from libs.common.domain.diagnosis.wording import asked_of, denied, done_of, named, sizes_of
from libs.common.domain.journey import JourneyOrder, JourneyPart, JourneyStep
from libs.common.domain.lifecycle import BAD_ENDS, OrderState
from libs.common.domain.quantity import plain

_PERMISSION_MEND = "Give this key {what} of Futures under API Management."
_ADDRESS_MEND = "Add {what} to this key under API Management → Link IP Address."
_CANCELED_MEND = (
    "Nothing is to be mended where it was canceled on request; else look at the order in MEXC's"
    " order history."
)
_UNKNOWN_MEND = (
    "Look for it in MEXC's order history before you send anything again; the executor goes on"
    " asking, and `alertwire trace` shows the answer."
)


def refusal(refused: AlertRefused) -> Failure:
    """Of an alert that ingest refused."""
    verdict = REASON_CHECKS[refused.reason]
    value = f" It was: {refused.value}" if refused.value is not None else ""
    evidence = f"answered {refused.status}, {refused.reason.value}: {refused.message}{value}"
    mend = _filled(verdict.mend, route=refused.route, field=refused.field or "it names")
    return Failure(check=verdict.check, evidence=evidence, mend=mend)


def failures_of(part: JourneyPart) -> list[Failure]:
    """The one that counts most first; of a line only the first is kept by who reads this."""
    found = [_ended(part, step) for step in part.steps if _failed(step)]
    found += [_unsent(part, step) for step in part.steps if _held_back(step) is not None]
    found += [_unknown(part, step) for step in part.steps if step.state is OrderState.UNKNOWN]
    if part.denied is not None:
        found.append(_denial(part, part.denied.denial))
    if part.withheld is not None:
        found.append(_denial(part, part.withheld))
    if part.letter is not None:
        found.insert(0, _given_up(part, part.letter))
    # What was not sent for no reason of its own is so for want of what failed before it.
    return found or [_unsent(part, step) for step in part.steps if _is_unsent(step)]


def _failed(step: JourneyStep) -> bool:
    return step.state in BAD_ENDS and not _is_unsent(step)


def _held_back(step: JourneyStep) -> Reason | None:
    return step.told.reason if step.told is not None and _is_unsent(step) else None


def _is_unsent(step: JourneyStep) -> bool:
    told = step.told
    return (
        told is not None
        and step.state is OrderState.CANCELED
        and told.kind is ExecutionKind.CANCELED
        and told.code is None
        and step.exchange_order_id is None
    )


def _unsent(part: JourneyPart, step: JourneyStep) -> Failure:
    # Of an order in an older trail none is told: as a rule it was too old. A change found nothing.
    reason = _held_back(step)
    coded = f"{reason.value}: " if reason is not None else ""
    if reason is None:
        reason = Reason.STALE if isinstance(step, JourneyOrder) else Reason.NOTHING_HELD
    return Failure(
        check=REASON_CHECKS[reason].check,
        evidence=f"{asked_of(step)}: {coded}{step.words}{done_of(part)}",
        mend=_text(part, REASON_CHECKS[reason]),
        reason=reason,
    )


def _ended(part: JourneyPart, step: JourneyStep) -> Failure:
    told = step.told
    evidence = f"{named(step)}: {_what_was_said(step)}{done_of(part)}"
    if told is None or (told.code is None and step.state is not OrderState.REJECTED):
        return Failure(
            check=CheckName.EXCHANGE,
            state=CheckState.UNKNOWN,
            evidence=evidence,
            mend=_CANCELED_MEND,
        )
    return _refused(part, step, told, evidence=evidence)


def _refused(part: JourneyPart, step: JourneyStep, told: Execution, *, evidence: str) -> Failure:
    cause = told.cause or Cause.OTHER
    verdict = CAUSE_CHECKS[cause]
    mend = _text(part, verdict)
    if cause is Cause.PERMISSION:
        mend = _PERMISSION_MEND.format(what="Order Placing")
    if cause is Cause.QUANTITY:
        evidence += _sent_sizes(part, leg_of(part, step))
    if told.cause is None and told.code is not None:
        mend = _text(part, CAUSE_CHECKS[Cause.OTHER])
    return Failure(check=verdict.check, evidence=evidence, mend=mend, cause=cause)


def _what_was_said(step: JourneyStep) -> str:
    words = step.words or "the exchange names no reason"
    if step.state is OrderState.PARTLY_FILLED and step.filled_contracts is not None:
        return f"ended with {plain(step.filled_contracts)} filled: {words}"
    if step.state is OrderState.CANCELED:
        return f"canceled: {words}" if step.exchange_order_id else words
    if step.exchange_order_id is not None:
        return f"taken, and refused afterwards: {words}"
    return words


def _sent_sizes(part: JourneyPart, leg: Leg | None) -> str:
    """One code of the exchange is for sizes and prices alike: what was sent tells which."""
    if leg is None:
        return ""
    at = f" at {plain(leg.price)}" if leg.price is not None else ""
    sent = f"; sent were {plain(leg.contracts)} contracts{at}"
    if part.intent is None:
        return sent
    one = part.intent.instrument
    off = []
    if leg.contracts % one.step_contracts or leg.contracts < one.minimum_contracts:
        off.append("the size is not one of these")
    if leg.price is not None and leg.price % one.tick_price:
        off.append(f"the price is off the tick of {plain(one.tick_price)}")
    ticks = f", and prices on ticks of {plain(one.tick_price)}" if leg.price is not None else ""
    verdict = " and ".join(off) or "what was sent fits, so the contract may have changed since"
    return f"{sent}; {sizes_of(part.intent)}{ticks}: {verdict}"


def _unknown(part: JourneyPart, step: JourneyStep) -> Failure:
    words = step.words or "no answer told what became of it"
    sent = f" by {step.sent.method} {step.sent.path}" if step.sent is not None else ""
    return Failure(
        check=CheckName.EXCHANGE,
        state=CheckState.UNKNOWN,
        evidence=f"{named(step)} was sent{sent} as {step.client_order_id}: {words}{done_of(part)}",
        mend=_UNKNOWN_MEND,
    )


def _denial(part: JourneyPart, denial: Denial) -> Failure:
    context, cause = denial.context, cause_in(denial)
    refused = [
        f"{name} {context[name]}"
        for name in ("code", "path")
        if name in context and f"{name} {context[name]}" not in denial.message
    ]
    told = f" ({', '.join(refused)})" if refused else ""
    verdict = REASON_CHECKS[denial.reason]
    if denial.reason is Reason.EXCHANGE_REFUSED_QUERY and cause is not None:
        verdict = CAUSE_CHECKS[cause]
    mend = _text(part, verdict, denial)
    if verdict.check is CheckName.PERMISSIONS:
        mend = _PERMISSION_MEND.format(what="View Order Details and View Account Details")
    if denial.reason is Reason.ADDRESS_NOT_LINKED and context.get("addresses"):
        mend = _ADDRESS_MEND.format(what=context["addresses"])
    return Failure(
        check=verdict.check,
        evidence=f"{denied(denial)}{told}{done_of(part)}",
        mend=mend,
        cause=cause,
        reason=denial.reason,
    )


def _given_up(part: JourneyPart, letter: DeadLetter) -> Failure:
    unknown = [named(step) for step in part.steps if step.state is OrderState.UNKNOWN]
    lost = f"; sent, and its end never learnt: {', '.join(unknown)}" if unknown else ""
    tries = f"after {letter.deliveries} deliveries" if letter.deliveries > 1 else "for good"
    evidence = f"the {letter.service} gave up {tries}: {letter.reason}{lost}{done_of(part)}"
    place = part.letter_seq
    return Failure(
        # On one account it was handed on to the executor, and so to the exchange.
        check=CheckName.ARRIVED if part.account is None else CheckName.EXCHANGE,
        evidence=evidence,
        mend=f"See by `alertwire dead show {place}` what it would do now, and let it be done by"
        f" `alertwire dead replay {place}` if it is still wanted.",
    )


def _text(part: JourneyPart, verdict: Verdict, denial: Denial | None = None) -> str:
    known = part.intent or part.plan
    route = known.route if known is not None else part.denied.route if part.denied else "ROUTE"
    symbol = known.symbol if known is not None else "the contract"
    context = denial.context if denial is not None else {}
    return _filled(
        verdict.mend,
        route=route,
        account=part.account or context.get("account", "ACCOUNT"),
        symbol=symbol,
        field=context.get("field", "that the evidence names"),
    )


def _filled(mend: str, **names: str) -> str:
    for name, value in names.items():
        mend = mend.replace(f"{{{name}}}", value)
    return mend
