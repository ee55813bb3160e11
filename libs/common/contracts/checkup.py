"""A checkup: what was found out about an account before any money moves, and again on a timer.
`alertwire doctor` shows it, and the diagnosis of an alert takes its evidence from the latest one.
Beside it what else was asked of the exchange for an account, apart from any alert.
"""

from datetime import datetime
from enum import StrEnum

from libs.common.contracts.messages import Message, Part
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.words import AccountId, AlertId, RouteId, VenueSymbol


class CheckupLine(StrEnum):
    """In the order in which one stands on the other."""

    EGRESS = "egress"
    """Our own address, as independent services see it, against the expected ones."""
    EXCHANGE = "exchange"
    """The exchange answers, and how fast."""
    CLOCK = "clock"
    ACCESS_KEY = "access_key"
    """The exchange knows the key."""
    LINKED_IP = "linked_ip"
    SECRET_KEY = "secret_key"  # noqa: S105 - a line's name
    """What is signed with the secret is accepted."""
    PERMISSIONS = "permissions"
    KEY_DAYS = "key_days"
    POSITION_MODE = "position_mode"
    BALANCE = "balance"
    SYMBOL = "symbol"
    """Of a route's contract: whether it may be traded by the API."""
    MARGIN_MODE = "margin_mode"
    LEVERAGE = "leverage"


class CheckState(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """Trading goes on; somebody should look."""
    WRONG = "wrong"
    UNKNOWN = "unknown"
    NOT_REACHED = "not_reached"
    """A line before it is wrong, so it could not be asked."""


class CheckupReason(StrEnum):
    """Why the account was looked at."""

    ASKED = "asked"
    TIMER = "timer"
    REFUSED = "refused"
    """The exchange has refused something for a cause that a checkup can explain."""


class Finding(Part, frozen=True, kw_only=True):
    line: CheckupLine
    state: CheckState
    evidence: str
    """What was seen, with its numbers."""
    mend: str = ""
    """What to do about it, in one sentence."""
    route: RouteId | None = None
    """With `symbol`, of the lines that belong to a route's contract."""
    symbol: VenueSymbol | None = None


class AccountChecked(Message, frozen=True, kw_only=True, tag="account.checked"):
    account: AccountId
    at: datetime
    reason: CheckupReason
    findings: tuple[Finding, ...]
    addresses: tuple[str, ...] = ()
    """Ours, as echo services see them."""
    expected_addresses: tuple[str, ...] = ()
    linked_addresses: tuple[str, ...] | None = None
    """Those that the key is linked to; None where the exchange does not tell."""
    permissions: tuple[str, ...] | None = None
    """In the exchange's words; None where it does not tell."""
    key_days_left: int | None = None
    """None where the key does not run out, or the exchange does not tell."""
    clock_offset_ms: int | None = None
    """The exchange's clock less ours."""
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    stopped: bool = False
    """Nothing is opened on the account until the exchange accepts a call of its again."""
    calls: tuple[ExchangeCall, ...] = ()
    alert_id: AlertId | None = None
    """Of `refused`: the alert whose order was refused."""

    @property
    def state(self) -> CheckState:
        """The worst that was found."""
        found = {finding.state for finding in self.findings}
        return next((state for state in _WORST_FIRST if state in found), CheckState.OK)


class AccountCalled(Message, frozen=True, kw_only=True, tag="account.called"):
    """Something of the account was set at the exchange that belongs to no alert: its leverage."""

    account: AccountId
    at: datetime
    what: str
    """In words: what was asked, and what came of it."""
    symbol: VenueSymbol | None = None
    calls: tuple[ExchangeCall, ...] = ()
    alert_id: AlertId | None = None


_WORST_FIRST = (
    CheckState.WRONG,
    CheckState.UNKNOWN,
    CheckState.NOT_REACHED,
    CheckState.WARNING,
    CheckState.OK,
)
