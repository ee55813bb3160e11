"""When accounts are checked: soon after they came or were changed, on a timer, when the exchange
has refused something, and when somebody asks. Of the accounts of one shard, while this process is
their owner. Nothing that trades waits for any of it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from libs.common.asking import answer, answering
from libs.common.bus import Bus, LogUnavailable
from libs.common.clock import Clock
from libs.common.contracts import codec, subjects
from libs.common.contracts.checkup import AccountChecked, CheckState, CheckupReason
from libs.common.contracts.intent import Denial
from libs.common.contracts.words import AccountId, AlertId
from libs.common.domain.identity import checkup_event_id
from services.executor import metrics
from services.executor.accounts import Accounts, Connected
from services.executor.checkup.checker import Checker, Request

SOON_S = 2.0
"""After an account came or was changed: its first questions are the picture's."""
APART_S = 0.5
"""Between the first checkups of accounts that came together."""
REFUSED_AGAIN_S = 60.0
"""Between two of one account for what the exchange has refused."""
_LOOK_S = 0.5
_AT_ONCE = 2
_ASKED_AT_ONCE = 4
_NEVER = datetime.max.replace(tzinfo=UTC)
_BUGS = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
"""A checkup that stumbles over what the exchange answers must not end the trading beside it."""

_log = structlog.get_logger()


@dataclass(kw_only=True, slots=True)
class _Turn:
    """When an account is checked next, and why."""

    found: Connected | str
    """The account as it was last seen, or why it cannot trade."""
    due_at: datetime
    reason: CheckupReason
    alert_id: AlertId | None = None
    refused_at: datetime = datetime.min.replace(tzinfo=UTC)
    """When it was last checked for a refusal."""
    running: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_queued: bool = False
    replies: list[str] = field(default_factory=list)
    """Who waits for an answer that is not begun yet."""


class Checkups:
    def __init__(
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        checker: Checker,
        shard_of: Callable[[AccountId], int | None],
        every_s: float,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._accounts = accounts
        self._checker = checker
        self._shard_of = shard_of
        self._every_s = every_s
        self._clock = clock
        self._turns: dict[AccountId, _Turn] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._asked_at_once = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._by_hand: asyncio.Queue[tuple[AccountId, str]] = asyncio.Queue()

    def ask(
        self, account: AccountId, reason: CheckupReason, *, alert_id: AlertId | None = None
    ) -> None:
        """Check it soon; for refusals at most once a minute, and then for the first of them."""
        # The account may have come a moment ago.
        self._refresh()
        turn = self._turns.get(account)
        if turn is None or turn.reason is CheckupReason.REFUSED:
            return
        if alert_id is None and turn.running.locked():
            # It is the checkup's own question that was refused, and it will tell so itself.
            return
        soonest = max(self._clock.now(), turn.refused_at + timedelta(seconds=REFUSED_AGAIN_S))
        turn.due_at = min(turn.due_at, soonest)
        turn.reason, turn.alert_id = reason, alert_id

    async def follow(self) -> None:
        """Until cancelled."""
        try:
            async with (
                answering(self._bus, subjects.CHECKUPS_ASKED, self._note),
                asyncio.TaskGroup() as group,
            ):
                group.create_task(self._follow_questions(group))
                await self._checker.ready()
                while True:
                    for account in self.due():
                        group.create_task(self.look(account))
                    await self._clock.sleep(_LOOK_S)
        finally:
            # Whoever owns the accounts next tells of them.
            for account in list(self._turns):
                self._forget(account)

    def due(self) -> list[AccountId]:
        """The accounts whose time has come, each once until it was looked at."""
        self._refresh()
        now = self._clock.now()
        due = [
            account
            for account, turn in sorted(self._turns.items())
            if turn.due_at <= now and not turn.is_queued
        ]
        for account in due:
            self._turns[account].is_queued = True
        return due

    async def look(self, account: AccountId) -> None:
        """The checkup that is due."""
        turn = self._turns.get(account)
        if turn is None:
            return
        async with self._at_once, turn.running:
            request = Request(account=account, reason=turn.reason, alert_id=turn.alert_id)
            turn.is_queued, turn.alert_id, turn.reason = False, None, CheckupReason.TIMER
            now = self._clock.now()
            if request.reason is CheckupReason.REFUSED:
                turn.refused_at = now
            turn.due_at = self._next(now)
            await self._check(request)

    async def look_now(self, account: AccountId) -> None:
        """Somebody waits for it."""
        turn = self._turns.get(account)
        if turn is None:
            return
        async with self._asked_at_once, turn.running:
            replies, turn.replies = turn.replies, []
            checked = await self._check(Request(account=account, reason=CheckupReason.ASKED))
        payload = codec.encode(checked) if checked is not None else b""
        for reply in replies:
            answer(self._bus, reply, payload)

    def _note(self, subject: str, reply: str, _payload: bytes) -> None:
        self._by_hand.put_nowait((AccountId(subjects.parse(subject).keys[0]), reply))

    async def _follow_questions(self, group: asyncio.TaskGroup) -> None:
        while True:
            account, reply = await self._by_hand.get()
            if self._shard_of(account) is None:
                continue
            self._refresh()
            turn = self._turns.get(account)
            if turn is None:
                answer(self._bus, reply, b"")
                continue
            turn.replies.append(reply)
            if len(turn.replies) == 1:
                group.create_task(self.look_now(account))

    def _refresh(self) -> None:
        """Take over what came, changed and went."""
        current = {
            AccountId(name)
            for name in self._accounts.settings.values
            if self._shard_of(AccountId(name)) is not None
        }
        for account in self._turns.keys() - current:
            self._forget(account)
        soon = self._clock.now() + timedelta(seconds=SOON_S)
        for account in sorted(current):
            found = self._accounts.find(account)
            seen = found.message if isinstance(found, Denial) else found
            turn = self._turns.get(account)
            if turn is None:
                self._turns[account] = _Turn(found=seen, due_at=soon, reason=CheckupReason.CHANGED)
            elif turn.found == seen:
                continue
            else:
                turn.found, turn.due_at, turn.reason = seen, soon, CheckupReason.CHANGED
            soon += timedelta(seconds=APART_S)

    def _next(self, now: datetime) -> datetime:
        if self._every_s <= 0:
            return _NEVER
        # Hundreds of accounts that came together do not come together for ever.
        return now + timedelta(seconds=self._every_s * random.uniform(0.9, 1.1))  # noqa: S311

    async def _check(self, request: Request) -> AccountChecked | None:
        checked: AccountChecked | None = None
        try:
            checked = await self._checker.check(request)
        except* _BUGS as failures:
            _log.error("checkup.failed", account=request.account, exc_info=failures)
        if checked is None:
            return None
        self._tell(checked)
        try:
            await self._bus.publish(
                subject=subjects.account_checked(checked.account),
                message=checked,
                event_id=checkup_event_id(account=checked.account, at=checked.at),
            )
        except LogUnavailable as failure:
            _log.warning("checkup.unpublished", account=request.account, error=str(failure))
        return checked

    def _tell(self, checked: AccountChecked) -> None:
        account = checked.account
        if account not in self._turns:
            # It went while it was checked.
            return
        for state in CheckState:
            metrics.checkup_state.labels(account, state.value).set(checked.state is state)
        if checked.key_days_left is None:
            metrics.key_days_left.remove(account)
        else:
            metrics.key_days_left.labels(account).set(checked.key_days_left)
        counted = Counter(finding.state.value for finding in checked.findings)
        wrong = [
            f"{finding.line.value}: {finding.evidence}"
            for finding in checked.findings
            if finding.state is CheckState.WRONG
        ]
        log = _log.warning if wrong else _log.info
        log(
            "account.checked",
            account=account,
            reason=checked.reason.value,
            state=checked.state.value,
            found=dict(counted),
            wrong=wrong,
        )

    def _forget(self, account: AccountId) -> None:
        self._turns.pop(account, None)
        metrics.key_days_left.remove(account)
        for state in CheckState:
            metrics.checkup_state.remove(account, state.value)
