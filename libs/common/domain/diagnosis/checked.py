"""What an account's checkup knows about a line of the checklist. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import AccountChecked, CheckState, CheckupLine, Finding
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import RouteId, VenueSymbol
from libs.common.domain.diagnosis.checklist import Check, CheckName
from libs.common.domain.diagnosis.failure import Failure
from libs.common.domain.diagnosis.wording import at_second

CHECK_OF_LINE: MappingProxyType[CheckupLine, CheckName] = MappingProxyType(
    {
        CheckupLine.EGRESS: CheckName.LINKED_IP,
        CheckupLine.LINKED_IP: CheckName.LINKED_IP,
        CheckupLine.ACCESS_KEY: CheckName.ACCESS_KEY,
        CheckupLine.KEY_DAYS: CheckName.ACCESS_KEY,
        CheckupLine.SECRET_KEY: CheckName.SECRET_KEY,
        CheckupLine.PERMISSIONS: CheckName.PERMISSIONS,
        CheckupLine.SYMBOL: CheckName.SYMBOL,
        CheckupLine.MARGIN_MODE: CheckName.MARGIN_MODE,
        CheckupLine.LEVERAGE: CheckName.LEVERAGE,
        CheckupLine.POSITION_MODE: CheckName.POSITION_MODE,
        CheckupLine.BALANCE: CheckName.BALANCE,
        CheckupLine.EXCHANGE: CheckName.EXCHANGE,
        CheckupLine.CLOCK: CheckName.EXCHANGE,
    }
)

_OF_THE_KEY = frozenset(
    {CheckName.LINKED_IP, CheckName.PERMISSIONS, CheckName.ACCESS_KEY, CheckName.SECRET_KEY}
)
"""Lines where the checkup knows better what mends it than who met the refusal."""
_FINE = frozenset({CheckState.OK, CheckState.WARNING})
_SILENT = frozenset({CheckState.NOT_REACHED})
_OF_A_CONTRACT = frozenset({CheckName.SYMBOL, CheckName.MARGIN_MODE, CheckName.LEVERAGE})


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What of an account the alert is about; None where that is not known."""

    route: RouteId | None
    symbol: VenueSymbol | None


def with_checkup(failure: Failure, checkup: AccountChecked | None, *, scope: Scope) -> Failure:
    """The failure with what the checkup knows beside it."""
    if checkup is None:
        return failure
    told, mend = _beside(failure, checkup, scope=scope)
    if not told:
        return failure
    evidence = f"{failure.evidence}; {told} (checkup of {at_second(checkup.at)})"
    return replace(failure, evidence=evidence, mend=mend or failure.mend)


def known_by(check: CheckName, checkup: AccountChecked | None, *, scope: Scope) -> Check | None:
    """What the checkup says of a line that the alert itself proves nothing about. What is wrong
    there is no reason why this alert failed, so it is told as `unknown`.
    """
    if checkup is None or check is CheckName.EXCHANGE:
        return None
    findings = [each for each in _findings(check, checkup, scope) if each.state not in _SILENT]
    if not findings:
        return None
    bad = [each for each in findings if each.state not in _FINE]
    if not bad and not any(each.line.value == check.value for each in findings):
        # That our own address is as expected says nothing about the key's.
        return None
    evidence = "; ".join(each.evidence for each in bad or findings if each.evidence)
    evidence = f"{evidence or 'nothing wrong'} (checkup of {at_second(checkup.at)})"
    if bad:
        mend = _sentence(next((each.mend for each in bad if each.mend), ""))
        return Check(check=check, state=CheckState.UNKNOWN, evidence=evidence, mend=mend)
    return Check(check=check, state=CheckState.OK, evidence=evidence)


def _beside(failure: Failure, checkup: AccountChecked, *, scope: Scope) -> tuple[str, str]:
    if failure.check is CheckName.LINKED_IP and checkup.linked_addresses is not None:
        told, mend = _addresses(checkup.addresses, checkup.linked_addresses)
        # Who is barred by what is expected here is not let in by what is linked there.
        return told, "" if failure.reason is Reason.ADDRESS_UNEXPECTED else mend
    if failure.cause is Cause.TIMESTAMP and checkup.clock_offset_ms is not None:
        offset = checkup.clock_offset_ms
        side = "ahead of" if offset > 0 else "behind"
        return f"the exchange's clock is {abs(offset)} ms {side} ours", ""
    bad = [
        each
        for each in _findings(failure.check, checkup, scope)
        if each.state in {CheckState.WRONG, CheckState.UNKNOWN}
        and (failure.check is not CheckName.EXCHANGE or each.line is CheckupLine.EXCHANGE)
    ]
    told = "; ".join(each.evidence for each in bad if each.evidence)
    mends = [each.mend for each in bad if each.mend and each.state is CheckState.WRONG]
    mend = _sentence(mends[0]) if mends and failure.check in _OF_THE_KEY else ""
    return told, mend


def _addresses(ours: Sequence[str], linked: Sequence[str]) -> tuple[str, str]:
    seen = ", ".join(ours) or "an address that is not known"
    to = ", ".join(linked) or "no address"
    missing = ", ".join(each for each in ours if each not in linked)
    mend = ""
    if missing:
        mend = f"Add {missing} to this key under API Management → Link IP Address."
    return f"MEXC sees {seen}; the key is linked to {to}", mend


def _findings(check: CheckName, checkup: AccountChecked, scope: Scope) -> Iterator[Finding]:
    for finding in checkup.findings:
        if CHECK_OF_LINE[finding.line] is not check:
            continue
        # What is said of no contract says nothing of this one.
        symbols = {scope.symbol} if check in _OF_A_CONTRACT else {None, scope.symbol}
        if finding.symbol in symbols and finding.route in {None, scope.route}:
            yield finding


def _sentence(mend: str) -> str:
    """A checkup's mend as the checklist's stand."""
    if not mend:
        return ""
    return f"{mend[0].upper()}{mend[1:]}{'' if mend.endswith('.') else '.'}"
