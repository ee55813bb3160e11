"""What was seen of an account, line by line in the order in which one stands on the other: pure.
Each finding has what was seen with its numbers, and the mend in one sentence.
"""

from collections.abc import Callable

from libs.common.contracts.checkup import CheckState, CheckupLine, Finding
from services.executor.checkup import judging_key, judging_lanes, judging_way
from services.executor.checkup.observed import Observed

Judge = Callable[[Observed], Finding]

_WAY: tuple[Judge, ...] = (judging_way.egress, judging_way.exchange, judging_way.clock)
_KEY: tuple[Judge, ...] = (
    judging_key.access_key,
    judging_key.linked_ip,
    judging_key.secret_key,
    judging_key.permissions,
    judging_key.key_days,
)
_PLACES = {line: place for place, line in enumerate(CheckupLine)}


def judge_checkup(seen: Observed) -> tuple[Finding, ...]:
    """All lines, in the order of `CheckupLine`."""
    findings = [judge(seen) for judge in (*_WAY, *_KEY, judging_lanes.position_mode)]
    findings += judging_lanes.lanes(seen)
    if seen.denial:
        findings = [_denied(seen, finding) for finding in findings]
    return tuple(sorted(findings, key=lambda found: _PLACES[found.line]))


def _denied(seen: Observed, finding: Finding) -> Finding:
    if finding.line is CheckupLine.EGRESS:
        return finding
    if finding.line is CheckupLine.SECRET_KEY:
        return Finding(
            line=finding.line,
            state=CheckState.WRONG,
            evidence=seen.denial,
            mend=f"enter the secret key again: {judging_key.way_to_enter(seen.account)}",
        )
    return Finding(
        line=finding.line,
        state=CheckState.NOT_REACHED,
        evidence="without a secret key nothing is asked",
        route=finding.route,
        symbol=finding.symbol,
    )
