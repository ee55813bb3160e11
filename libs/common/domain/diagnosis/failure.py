"""What went wrong on one line of the checklist. Pure values."""

from dataclasses import dataclass

from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckState
from libs.common.contracts.reasons import Reason
from libs.common.domain.diagnosis.checklist import CheckName


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Which line something belongs to, and what to do about it."""

    check: CheckName
    mend: str
    """May name `{route}`, `{account}` and `{symbol}`."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    check: CheckName
    evidence: str
    mend: str
    state: CheckState = CheckState.WRONG
    cause: Cause | None = None
    """Of what the exchange refused."""
    reason: Reason | None = None
    """Of what we denied or held back."""
