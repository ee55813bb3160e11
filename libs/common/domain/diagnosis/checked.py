"""What an account's checkup knows about a line of the checklist. Pure."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType

from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import AccountChecked, CheckState, CheckupLine, Finding
from libs.common.contracts.words import VenueSymbol
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


def with_checkup(
    failure: Failure, checkup: AccountChecked | None, *, symbol: VenueSymbol | None
) -> Failure:
    """The failure with what the checkup knows beside it."""
    if checkup is None:
        return failure
    told, mend = _beside(failure, checkup, symbol=symbol)
    if not told:
        return failure
    return Failure(
        check=failure.check,
        state=failure.state,
        cause=failure.cause,
        evidence=f"{failure.evidence}; {told} (checkup of {at_second(checkup.at)})",
        mend=mend or failure.mend,
    )


def known_by(
    check: CheckName, checkup: AccountChecked | None, *, symbol: VenueSymbol | None
) -> Check | None:
    """What the checkup says of a line that the alert itself proves nothing about. What is wrong
    there is no reason why this alert failed, so it is told as `unknown`.
    """
    if checkup is None or check is CheckName.EXCHANGE:
        return None
    findings = [each for each in _findings(check, checkup, symbol) if each.state not in _SILENT]
    if not findings:
        return None
    bad = [each for each in findings if each.state not in _FINE]
    evidence = "; ".join(each.evidence for each in bad or findings if each.evidence)
    evidence = f"{evidence or 'nothing wrong'} (checkup of {at_second(checkup.at)})"
    if bad:
        mend = next((each.mend for each in bad if each.mend), "")
        return Check(check=check, state=CheckState.UNKNOWN, evidence=evidence, mend=mend)
    return Check(check=check, state=CheckState.OK, evidence=evidence)


def _beside(
    failure: Failure, checkup: AccountChecked, *, symbol: VenueSymbol | None
) -> tuple[str, str]:
    if failure.check is CheckName.LINKED_IP and checkup.linked_addresses is not None:
        return _addresses(checkup.addresses, checkup.linked_addresses)
    if failure.cause is Cause.TIMESTAMP and checkup.clock_offset_ms is not None:
        offset = checkup.clock_offset_ms
        side = "ahead of" if offset > 0 else "behind"
        return f"the exchange's clock is {abs(offset)} ms {side} ours", ""
    bad = [
        each
        for each in _findings(failure.check, checkup, symbol)
        if each.state in {CheckState.WRONG, CheckState.UNKNOWN}
        and (failure.check is not CheckName.EXCHANGE or each.line is CheckupLine.EXCHANGE)
    ]
    told = "; ".join(each.evidence for each in bad if each.evidence)
    mends = [each.mend for each in bad if each.mend and each.state is CheckState.WRONG]
    mend = mends[0] if mends and failure.check in _OF_THE_KEY else ""
    return told, mend


def _addresses(ours: Sequence[str], linked: Sequence[str]) -> tuple[str, str]:
    seen = ", ".join(ours) or "an address that is not known"
    to = ", ".join(linked) or "no address"
    missing = ", ".join(each for each in ours if each not in linked)
    mend = ""
    if missing:
        mend = f"Add {missing} to this key under API Management → Link IP Address."
    return f"MEXC sees {seen}; the key is linked to {to}", mend


def _findings(
    check: CheckName, checkup: AccountChecked, symbol: VenueSymbol | None
) -> Iterator[Finding]:
    for finding in checkup.findings:
        of_it = finding.symbol is None or finding.symbol == symbol
        if of_it and CHECK_OF_LINE[finding.line] is check:
            yield finding
