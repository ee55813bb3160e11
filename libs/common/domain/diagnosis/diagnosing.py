"""Why an alert was not executed, as a checklist: each line right, wrong, not told or not reached,
with its evidence and what mends it.

Pure and total: whatever part of the trail is there gives an answer, and so does a trail of an older
release.
"""

from collections.abc import Iterable, Mapping

from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.checkup import AccountChecked, CheckState
from libs.common.contracts.words import AccountId, AlertStatus
from libs.common.domain.diagnosis.checked import Scope, known_by, with_checkup
from libs.common.domain.diagnosis.checklist import (
    AT_THE_EXCHANGE,
    PROCESS,
    Check,
    Checklist,
    CheckName,
    merged,
)
from libs.common.domain.diagnosis.failure import Failure
from libs.common.domain.diagnosis.failures import failures_of, refusal
from libs.common.domain.diagnosis.proofs import Proofs, asked, proofs_of
from libs.common.domain.diagnosis.wording import received
from libs.common.domain.journey import Journey, JourneyPart, TrailEvent, journey

_NOT_REACHED = "the alert ended before this"
_NOT_TOLD = "not told by anything in the trail"
_UNDER_WAY = "still under way"


def diagnose(
    events: Iterable[TrailEvent], *, checkups: Iterable[AccountChecked] = ()
) -> tuple[Check, ...]:
    """Empty of an alert that was executed, or is under way with nothing wrong; else all lines, in
    order. `checkups`: of each account the one nearest to the alert. One that was made because of
    this very alert may stand among its events, and counts before others.
    """
    told = list(events)
    found = journey(told)
    refused = next((one.message for one in told if isinstance(one.message, AlertRefused)), None)
    if refused is not None:
        return merged([("", _refused(refused))])
    if not needs_diagnosis(found):
        return ()
    alert = next((one.message for one in told if isinstance(one.message, Alert)), None)
    known = {checkup.account: checkup for checkup in checkups}
    known |= {
        one.message.account: one.message for one in told if isinstance(one.message, AccountChecked)
    }
    return merged([(part.account or "", _of(part, alert, known)) for part in found.parts])


def needs_diagnosis(found: Journey) -> bool:
    """Whether anything of it went wrong."""
    if found.status is AlertStatus.PENDING:
        return any(failures_of(part) for part in found.parts)
    return found.status is not AlertStatus.EXECUTED


def _refused(refused: AlertRefused) -> Checklist:
    # Whoever was refused at the door met no account, so no checkup says anything about it.
    failure = refusal(refused)
    proofs: Proofs = {}
    if failure.check is not CheckName.ARRIVED:
        proofs[CheckName.ARRIVED] = received(refused)
    return {
        name: _line(name, {failure.check: failure}, proofs, otherwise=_line_not_reached(name))
        for name in CheckName
    }


def _of(
    part: JourneyPart, alert: Alert | None, checkups: Mapping[AccountId, AccountChecked]
) -> Checklist:
    checkup = checkups.get(part.account) if part.account is not None else None
    scope = _scope(part)
    failures: dict[CheckName, Failure] = {}
    for failure in failures_of(part):
        failures.setdefault(failure.check, with_checkup(failure, checkup, scope=scope))
    proofs = proofs_of(part, alert=alert)
    reached = max((PROCESS.index(check) for check in failures), default=-1)
    was_asked = asked(part)
    lines: dict[CheckName, Check] = {}
    for name in CheckName:
        is_behind = PROCESS.index(name) > reached or name in _untouched(part)
        if is_behind or (name in AT_THE_EXCHANGE and not was_asked):
            otherwise = _line_not_reached(name, under_way=not failures)
        else:
            otherwise = _line_not_told(name, account=part.account)
        if name is CheckName.EXCHANGE and (of := _answered(failures)) is not None:
            evidence = f"what the exchange said stands at {of}"
            otherwise = Check(check=name, state=CheckState.NOT_REACHED, evidence=evidence)
        known = known_by(name, checkup, scope=scope)
        lines[name] = _line(name, failures, proofs, otherwise=known or otherwise)
    return lines


def _answered(failures: Mapping[CheckName, Failure]) -> CheckName | None:
    return next((each.check for each in failures.values() if each.cause is not None), None)


def _untouched(part: JourneyPart) -> frozenset[CheckName]:
    # The router looks for the route and the account first.
    by_router = part.denied is not None and part.denied.intent_id is None
    return frozenset({CheckName.SYMBOL, CheckName.QUANTITY} if by_router else ())


def _line(
    name: CheckName, failures: Mapping[CheckName, Failure], proofs: Proofs, *, otherwise: Check
) -> Check:
    failure = failures.get(name)
    if failure is not None:
        # What was stopped on its way has come so far all the same.
        came = f" ({proofs[name]})" if name is CheckName.ARRIVED and name in proofs else ""
        evidence = f"{failure.evidence}{came}"
        return Check(check=name, state=failure.state, evidence=evidence, mend=failure.mend)
    if name in proofs:
        return Check(check=name, state=CheckState.OK, evidence=proofs[name])
    return otherwise


def _line_not_reached(name: CheckName, *, under_way: bool = False) -> Check:
    evidence = _UNDER_WAY if under_way else _NOT_REACHED
    return Check(check=name, state=CheckState.NOT_REACHED, evidence=evidence)


def _line_not_told(name: CheckName, *, account: AccountId | None) -> Check:
    mend = ""
    if name in AT_THE_EXCHANGE and account is not None:
        mend = f"`alertwire doctor {account}` asks for it."
    return Check(check=name, state=CheckState.UNKNOWN, evidence=_NOT_TOLD, mend=mend)


def _scope(part: JourneyPart) -> Scope:
    known = [one for one in (part.intent, part.plan, part.denied) if one is not None]
    return Scope(
        route=next((one.route for one in known), None),
        symbol=next((one.symbol for one in known if one.symbol is not None), None),
    )
