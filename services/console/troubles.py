"""What is wrong with the installation, from what was seen of it: pure. The limits are those of the
Prometheus rules, and each trouble names the section of docs/runbook.md that says what to do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from libs.common.contracts import subjects
from libs.common.contracts.checkup import AccountChecked, CheckState
from libs.common.contracts.presence import Presence
from libs.common.contracts.words import AccountId
from libs.common.router_shards import shards_named
from libs.common.topology import AUDITOR
from services.console.lags import ConsumerLag, LogState
from services.console.presences import silent

WAITING_MAX = 200
OLDEST_MAX_S = 60.0
BEHIND_MAX_S = 60.0
KEY_DAYS_MIN = 14


class Weight(StrEnum):
    WRONG = "wrong"
    WARNING = "warning"
    """Trading goes on; somebody should look."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    part: str
    """Of the document."""
    what: str
    weight: Weight
    text: str
    runbook: str


@dataclass(frozen=True, kw_only=True)
class TrailState:
    problem: str | None = None
    """Why it cannot be read."""
    seq: int | None = None
    """Of the newest message of the log that is in it."""
    stored_at: datetime | None = None
    behind_messages: int | None = None
    """At most; None where that cannot be told."""
    oldest_missing_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AccountSeen:
    account: AccountId
    checked: AccountChecked | None
    """None: the log has no checkup of it."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Each part, or why it could not be had."""

    at: datetime
    presences: Sequence[Presence] = ()
    presences_problem: str | None = None
    log: LogState | None = None
    log_problem: str | None = None
    lags: Sequence[ConsumerLag] = ()
    lags_problem: str | None = None
    trail: TrailState = field(default_factory=TrailState)
    accounts: Sequence[AccountSeen] = ()
    accounts_problem: str | None = None


def troubles_of(seen: Seen) -> list[Trouble]:
    """The worst first."""
    found = [*_services(seen), *_log(seen), *_consumers(seen), *_trail(seen), *_accounts(seen)]
    return sorted(found, key=lambda trouble: trouble.weight is not Weight.WRONG)


def state_of(troubles: Sequence[Trouble]) -> str:
    """In one word."""
    if any(trouble.weight is Weight.WRONG for trouble in troubles):
        return Weight.WRONG.value
    return Weight.WARNING.value if troubles else "ok"


def age_s(at: datetime | None, *, now: datetime) -> float | None:
    """Clocks differ: what seems to come from the future is new."""
    return None if at is None else round(max(0.0, (now - at).total_seconds()), 3)


def _services(seen: Seen) -> Iterator[Trouble]:
    if seen.presences_problem is not None:
        yield _wrong(
            *("services", "all", f"nobody can be asked: {seen.presences_problem}"),
            "alertwirelogunavailable",
        )
        return
    missing = silent(seen.presences)
    for service in missing:
        yield _wrong("services", service, "nobody answers", "alertwireservicedown")
    for service in sorted({each.service for each in seen.presences}):
        yield from _ready(service, [each for each in seen.presences if each.service == service])
    for lag in seen.lags:
        service = service_of(lag)
        if service == AUDITOR or service in missing:
            continue
        if not any(each.owns(lag.name) for each in seen.presences):
            yield _wrong("services", lag.name, "nobody works at it", "alertwirenobodyworks")


def _ready(service: str, processes: Sequence[Presence]) -> Iterator[Trouble]:
    for process in processes:
        if process.ready:
            continue
        why = "; ".join(f"{name}: {text}" for name, text in process.missing.items())
        alone = not any(each.ready for each in processes)
        yield Trouble(
            part="services",
            what=service if alone else f"{service} {process.instance}",
            weight=Weight.WRONG if alone else Weight.WARNING,
            text=f"not ready: {why or 'it does not say why'}",
            runbook="alertwireservicenotready",
        )


def _log(seen: Seen) -> Iterator[Trouble]:
    if seen.log_problem is not None:
        text = f"the log does not answer: {seen.log_problem}"
        yield _wrong("log", subjects.STREAM, text, "alertwirelogunavailable")


def _consumers(seen: Seen) -> Iterator[Trouble]:
    # Where the log is away, it has been said.
    if seen.lags_problem is not None and seen.log_problem is None:
        text = f"it cannot be told how far they are: {seen.lags_problem}"
        yield _wrong("consumers", "all", text, "alertwirelogunavailable")
    for lag in seen.lags:
        trades = service_of(lag) != AUDITOR
        what = lag.name if lag.stream == subjects.STREAM else f"{lag.name} of {lag.stream}"
        oldest_s = age_s(lag.oldest_at, now=seen.at)
        if oldest_s is not None and oldest_s > OLDEST_MAX_S:
            text = f"its oldest message is {oldest_s:,.0f} s old"
            if trades:
                yield _wrong("consumers", what, text, "alertwiremessagestuck")
            else:
                yield _warning("consumers", what, text, "alertwireauditorlagging")
        elif lag.waiting > WAITING_MAX and trades:
            text = f"{lag.waiting:,} messages wait"
            yield _warning("consumers", what, text, "alertwireconsumerlagging")


def _trail(seen: Seen) -> Iterator[Trouble]:
    trail = seen.trail
    if trail.problem is not None:
        text = f"PostgreSQL cannot be read: {trail.problem}"
        yield _wrong("trail", "postgres", text, "alertwireauditorlagging")
        return
    behind_s = age_s(trail.oldest_missing_at, now=seen.at)
    told = any(lag.name == AUDITOR and lag.oldest_at is not None for lag in seen.lags)
    # What the auditor has not acknowledged is told there; here it is what is not in the trail.
    if behind_s is not None and behind_s > BEHIND_MAX_S and not told:
        text = f"the trail is {behind_s:,.0f} s behind the log"
        yield _warning("trail", "postgres", text, "alertwireauditorlagging")


def _accounts(seen: Seen) -> Iterator[Trouble]:
    if seen.accounts_problem is not None:
        text = f"their checkups cannot be had: {seen.accounts_problem}"
        yield _warning("accounts", "all", text, "alertwirelogunavailable")
    for account in seen.accounts:
        checked = account.checked
        if checked is None:
            continue
        days = checked.key_days_left
        if checked.stopped:
            text = "it is stopped: nothing is opened on it"
            yield _wrong("accounts", account.account, text, "alertwireaccountstopped")
        elif checked.state is CheckState.WRONG:
            text = f"its last checkup found something wrong: {', '.join(bad_lines(checked))}"
            yield _wrong("accounts", account.account, text, "alertwirecheckupwrong")
        elif checked.state is not CheckState.OK and (days is None or days >= KEY_DAYS_MIN):
            text = f"its last checkup: {', '.join(bad_lines(checked))}"
            yield _warning("accounts", account.account, text, "alertwirecheckupwrong")
        if days is not None and days < KEY_DAYS_MIN:
            text = f"its key runs out in {days} days"
            yield _warning("accounts", account.account, text, "alertwirekeyexpires")


def bad_lines(checked: AccountChecked) -> list[str]:
    """Of a checkup, what is not right, each once."""
    lines = (finding.line.value for finding in checked.findings if finding.state in _BAD)
    return list(dict.fromkeys(lines))


def service_of(lag: ConsumerLag) -> str:
    """Whose consumer it is."""
    if lag.name == AUDITOR:
        return AUDITOR
    return "executor" if shards_named(lag.name) is None else "router"


_BAD = frozenset(CheckState) - {CheckState.OK, CheckState.NOT_REACHED}


def _wrong(part: str, what: str, text: str, runbook: str) -> Trouble:
    return Trouble(part=part, what=what, weight=Weight.WRONG, text=text, runbook=runbook)


def _warning(part: str, what: str, text: str, runbook: str) -> Trouble:
    return Trouble(part=part, what=what, weight=Weight.WARNING, text=text, runbook=runbook)
