"""What is diagnosed of messages as they stand in the log."""

from datetime import timedelta

from libs.common.contracts.checkup import (
    AccountChecked,
    CheckState,
    CheckupLine,
    CheckupReason,
    Finding,
)
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.words import AccountId
from libs.common.domain.diagnosis.checklist import Check, CheckName
from libs.common.domain.diagnosis.diagnosing import diagnose
from libs.common.domain.journey import TrailEvent
from tests.factories import NOW


def events_of(*messages: AnyMessage) -> list[TrailEvent]:
    return [
        TrailEvent(
            seq=number,
            stage="",
            service="",
            at=NOW + timedelta(seconds=number),
            stored_at=None,
            message=message,
        )
        for number, message in enumerate(messages)
    ]


def diagnosed(*messages: AnyMessage, checkups=()) -> dict[str, Check]:
    """The lines by their names; empty where nothing is to be told."""
    found = diagnose(events_of(*messages), checkups=checkups)
    if found:
        assert [line.check for line in found] == list(CheckName)
    return {line.check.value: line for line in found}


def in_state(lines: dict[str, Check], *states: str) -> set[str]:
    return {name for name, line in lines.items() if line.state.value in states}


def make_finding(line, state="ok", evidence="", **changes) -> Finding:
    known = {"line": CheckupLine(line), "state": CheckState(state), "evidence": evidence}
    return Finding(**{**known, **changes})


def make_checkup(*findings: Finding, account="paper", **changes) -> AccountChecked:
    values = {
        "account": AccountId(account),
        "at": NOW,
        "reason": CheckupReason.REFUSED,
        "findings": findings,
    }
    return AccountChecked(**{**values, **changes})
