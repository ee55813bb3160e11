"""What an account is and how its key stands, in words for people: pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.common.contracts.account_picture import EgressTold
from libs.common.contracts.checkup import AccountChecked, CheckState, CheckupLine, Finding
from libs.common.contracts.control import Control, Scope
from libs.common.contracts.route import Account, Route
from services.console.drafting import masked
from services.console.pictures import addresses_of
from services.console.web.accounts.holdings import MODES
from services.console.web.routes.states import place_words

_LINES = {
    CheckupLine.EGRESS: "Our address",
    CheckupLine.EXCHANGE: "Exchange",
    CheckupLine.CLOCK: "Clock",
    CheckupLine.ACCESS_KEY: "Access key",
    CheckupLine.LINKED_IP: "Linked address",
    CheckupLine.SECRET_KEY: "Secret key",
    CheckupLine.PERMISSIONS: "Permissions",
    CheckupLine.KEY_DAYS: "Key's days",
    CheckupLine.POSITION_MODE: "Position mode",
    CheckupLine.BALANCE: "Balance",
    CheckupLine.SYMBOL: "Contract",
    CheckupLine.MARGIN_MODE: "Margin mode",
    CheckupLine.LEVERAGE: "Leverage",
}
_MARKS = {
    CheckState.OK: "✓",
    CheckState.WARNING: "!",
    CheckState.WRONG: "✕",
    CheckState.UNKNOWN: "?",
    CheckState.NOT_REACHED: "·",
}
KEY_LIVES_DAYS = 90
_DAYS_FEW = 14


@dataclass(frozen=True, kw_only=True)
class AccountLine:
    """An account in the list."""

    id: str
    place: str
    key: str
    mode: str
    halted_by: str
    checkup: str
    """The state of the latest one; nothing where there was none."""
    checked_at: datetime | None
    first_wrong: str
    """The first line that is not as it should be."""
    days_left: int | None
    days_are_few: bool
    routes: list[str]


@dataclass(frozen=True, kw_only=True)
class FindingLine:
    line: str
    code: str
    """The line's name in `alertwire doctor`."""
    state: str
    word: str
    mark: str
    of: str
    evidence: str
    mend: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """A checkup's findings; what could not be asked is named together."""

    state: str
    at: datetime
    summary: str
    lines: list[FindingLine]
    unreached: list[str]


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """What to link a key to."""

    seen: list[str]
    is_known: bool
    silent: int
    """Executors that answer and do not know their address."""
    problem: str = ""

    @property
    def pasted(self) -> str:
        """As MEXC takes them: with commas, without spaces."""
        return ",".join(self.seen)


def line_of(
    account: Account,
    *,
    halts: Iterable[Control],
    routes: Iterable[Route],
    checked: AccountChecked | None,
) -> AccountLine:
    days = checked.key_days_left if checked else None
    return AccountLine(
        id=account.id,
        place=place_words(account),
        key=masked(account.access_key),
        mode=MODES[account.position_mode],
        halted_by=halted_by(account.id, halts),
        checkup=checked.state.value if checked else "",
        checked_at=checked.at if checked else None,
        first_wrong=_first_wrong(checked) if checked else "",
        days_left=days,
        days_are_few=days is not None and days < _DAYS_FEW,
        routes=[route.id for route in routes],
    )


def halted_by(account_id: str, halts: Iterable[Control]) -> str:
    """What holds the account back from opening."""
    for halt in halts:
        if halt.scope is Scope.ALL or (halt.scope is Scope.ACCOUNT and halt.id == account_id):
            return f"{halt.what} is halted"
    return ""


def report(checked: AccountChecked) -> Report:
    states = [finding.state for finding in checked.findings]
    counted = [f"{states.count(one)} {words(one)}" for one in CheckState if one in states]
    return Report(
        state=checked.state.value,
        at=checked.at,
        summary=", ".join(counted),
        lines=[_line(each) for each in checked.findings if each.state != CheckState.NOT_REACHED],
        unreached=list(
            dict.fromkeys(
                _LINES[each.line]
                for each in checked.findings
                if each.state is CheckState.NOT_REACHED
            )
        ),
    )


def words(state: CheckState) -> str:
    return state.value.replace("_", " ")


def addresses(told: Sequence[EgressTold]) -> Addresses:
    seen = addresses_of(told)
    return Addresses(
        seen=seen,
        is_known=bool(seen),
        silent=sum(not one.seen for one in told),
        problem=next((one.problem for one in told if one.problem), ""),
    )


def key_words(checked: AccountChecked | None, *, own: Sequence[str] = ()) -> Iterator[str]:
    """What the exchange tells about the key: where it works from, and for how long."""
    if checked is None:
        return
    linked = checked.linked_addresses
    if linked is None:
        yield "MEXC does not tell which addresses this key is linked to."
    elif not linked:
        yield (
            f"No address is linked: the key works from anywhere, and lives {KEY_LIVES_DAYS} days."
        )
    else:
        yield f"Linked at MEXC: {', '.join(linked)}."
        strange = [one for one in own if one not in linked]
        if strange:
            yield f"Not linked yet: {', '.join(strange)}."
    if checked.key_days_left is not None:
        days = checked.key_days_left
        yield f"The key has {days} {'day' if days == 1 else 'days'} left."


def _line(finding: Finding) -> FindingLine:
    return FindingLine(
        line=_LINES[finding.line],
        code=finding.line.value,
        state=finding.state.value,
        word=words(finding.state),
        mark=_MARKS[finding.state],
        of=" of ".join(str(each) for each in (finding.symbol, finding.route) if each),
        evidence=finding.evidence,
        mend=finding.mend,
    )


def _first_wrong(checked: AccountChecked) -> str:
    bad = (CheckState.WRONG, CheckState.UNKNOWN, CheckState.WARNING)
    for state in bad:
        for finding in checked.findings:
            if finding.state is state:
                return f"{_LINES[finding.line]}: {finding.evidence}"
    return ""
