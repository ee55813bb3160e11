"""The checklist: its lines in the order of MEXC's guide, and how the lists of several accounts
become one. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from libs.common.contracts.checkup import CheckState


class CheckName(StrEnum):
    """In the order in which they are shown; docs/diagnosis.md says what each proves."""

    ARRIVED = "arrived"
    """It reached us and was let through: token, sender, pace, age, no halt."""
    JSON = "json"
    """The message says what is wanted."""
    LINKED_IP = "linked_ip"
    PERMISSIONS = "permissions"
    ACCESS_KEY = "access_key"
    SECRET_KEY = "secret_key"  # noqa: S105 - a line's name
    SYMBOL = "symbol"
    QUANTITY = "quantity"
    """Sizes and prices fit the contract, the route's limits and what is held."""
    MARGIN_MODE = "margin_mode"
    LEVERAGE = "leverage"
    POSITION_MODE = "position_mode"
    BALANCE = "balance"
    EXCHANGE = "exchange"
    """What the exchange made of it, where no other line has it."""


PROCESS = (
    CheckName.ARRIVED,
    CheckName.JSON,
    CheckName.SYMBOL,
    CheckName.QUANTITY,
    CheckName.ACCESS_KEY,
    CheckName.LINKED_IP,
    CheckName.SECRET_KEY,
    CheckName.PERMISSIONS,
    CheckName.POSITION_MODE,
    CheckName.MARGIN_MODE,
    CheckName.LEVERAGE,
    CheckName.BALANCE,
    CheckName.EXCHANGE,
)
"""In the order in which an alert comes to them: first ours, then the exchange's."""

AT_THE_EXCHANGE = frozenset(PROCESS[4:])
"""Nothing of this is known before the exchange was asked anything."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the checklist."""

    check: CheckName
    state: CheckState
    """Never `warning`: what lets trading go on is no answer to why nothing was traded."""
    evidence: str
    """What is known, with its numbers; the exchange's words and code untouched."""
    mend: str = ""
    """What to do, in one sentence; empty unless the line is wrong or unknown."""


Checklist = Mapping[CheckName, Check]
"""Of one account, whole."""

_WORST_FIRST = (CheckState.WRONG, CheckState.UNKNOWN, CheckState.OK, CheckState.NOT_REACHED)


def merged(lists: Sequence[tuple[str, Checklist]]) -> tuple[Check, ...]:
    """One list of several accounts', each with its name; of a line the worst state counts, and the
    evidence says whose it is.
    """
    if len(lists) == 1:
        ((_, only),) = lists
        return tuple(only[name] for name in CheckName)
    return tuple(_worst([(account, each[name]) for account, each in lists]) for name in CheckName)


def _worst(found: list[tuple[str, Check]]) -> Check:
    states = {check.state for _, check in found}
    state = next(each for each in _WORST_FIRST if each in states)
    named = [(account, check) for account, check in found if check.state is state]
    evidences = {check.evidence for _, check in named}
    if len(evidences) == 1 and len(named) == len(found):
        evidence = named[0][1].evidence
    else:
        told = (
            f"{account}: {each.evidence}" if account else each.evidence for account, each in named
        )
        evidence = "; ".join(told)
    # Each mend once: one sentence may serve several accounts.
    mends = dict.fromkeys(check.mend for _, check in named if check.mend)
    return Check(check=named[0][1].check, state=state, evidence=evidence, mend=" ".join(mends))
