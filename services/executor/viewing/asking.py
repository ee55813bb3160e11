"""Asks for what the live picture of an account lacks: once for all who want to see it, not more
often than every few seconds, and by questions alone, which cost nothing of the order budget.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from libs.common.bus import Bus, LogUnavailable
from libs.common.contracts import subjects
from libs.common.contracts.account_picture import DriftSeen
from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import AccountChecked
from libs.common.contracts.drift import PositionDrifted
from libs.common.contracts.words import AccountId
from services.executor.accounts import Connected
from services.executor.exchange import QueryFailed, Told
from services.executor.viewing.asked import Asked, Piece
from services.executor.viewing.marks import MarkPrices

T = TypeVar("T")

AGAIN_S = 3.0
"""Between the beginnings of two refreshes of one account, however many ask."""
REFUSED_AGAIN_S = 15.0
"""The same where the exchange refuses every question: nobody is served by more of that."""
ENDS_AFTER_S = 15.0
"""What was not answered by then is asked for by the next refresh."""
DRIFTS_MAX = 20
_FOR_ALL = frozenset({Cause.IP, Cause.KEY, Cause.SIGNATURE})
"""What no other question would fare better with."""
_BUGS = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
"""A picture that stumbles over what it is told must not end the trading beside it."""

_log = structlog.get_logger()


@dataclass(kw_only=True, slots=True)
class _Turn:
    connected: Connected
    asked: Asked = field(default_factory=Asked)
    due_at: float = float("-inf")
    begun_at: float = float("-inf")
    running: "asyncio.Task[None] | None" = None
    refused: bool = False


class Inquirer:
    """Knows what was told last of each account that somebody looks at."""

    def __init__(
        self,
        *,
        bus: Bus,
        marks: MarkPrices,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._marks = marks
        self._clock = clock
        self._turns: dict[AccountId, _Turn] = {}

    async def look(
        self, connected: Connected, tasks: asyncio.TaskGroup, *, within_s: float
    ) -> Asked:
        """What is known, after waiting for a refresh to end, but no longer than so much from its
        beginning: who comes later does not wait for a slow exchange all over again.
        """
        account = connected.account.account_id
        turn = self._turns.get(account)
        if turn is None or turn.connected is not connected:
            # Another key or setting: what the one before was told is not this one's.
            turn = self._turns[account] = _Turn(connected=connected)
        now = self._clock()
        if turn.running is None and now >= turn.due_at:
            turn.begun_at, turn.due_at = now, now + AGAIN_S
            turn.running = tasks.create_task(self._refresh(turn))
        if turn.running is not None:
            left_s = turn.begun_at + within_s - now
            await asyncio.wait({turn.running}, timeout=max(left_s, 0.0))
        return turn.asked

    def forget(self, account: AccountId) -> None:
        """It is gone, or cannot trade."""
        self._turns.pop(account, None)

    async def _refresh(self, turn: _Turn) -> None:
        turn.refused = False
        try:
            async with asyncio.timeout(ENDS_AFTER_S), asyncio.TaskGroup() as group:
                group.create_task(self._ask_what_is_held(turn))
                group.create_task(self._ask_what_waits(turn))
                group.create_task(self._read_the_log(turn))
        except* TimeoutError:
            _log.info("account_picture.unfinished", account=turn.connected.account.id)
        except* _BUGS as failures:
            account = turn.connected.account.id
            _log.error("account_picture.failed", account=account, exc_info=failures)
        finally:
            turn.running = None
            if turn.refused:
                turn.due_at = max(turn.due_at, self._clock() + REFUSED_AGAIN_S)

    async def _ask_what_is_held(self, turn: _Turn) -> None:
        asked, exchange, book = turn.asked, turn.connected.exchange, turn.connected.book
        await self._tell(turn, asked.positions, exchange.views.positions)
        await self._tell(turn, asked.balances, exchange.checks.funds)
        if book.position_mode is None:
            await self._tell(turn, asked.position_mode, exchange.checks.position_mode)
        held = {symbol for symbol, _ in book.shown}
        held |= {one.symbol for one in asked.positions.value or ()}
        await self._marks.ask(turn.connected, held)

    async def _ask_what_waits(self, turn: _Turn) -> None:
        asked, views = turn.asked, turn.connected.exchange.views
        await self._tell(turn, asked.orders, views.orders)
        await self._tell(turn, asked.triggers, views.triggers)
        await self._tell(turn, asked.protections, views.protections)
        await self._tell(turn, asked.trails, views.trails)

    async def _tell(
        self, turn: _Turn, piece: Piece[T], question: Callable[[], Awaitable[Told[T]]]
    ) -> None:
        if turn.refused:
            piece.fail("the exchange refuses the account's questions")
            return
        asked_at = self._clock()
        try:
            told = await question()
        except QueryFailed as failure:
            turn.refused = failure.kind in _FOR_ALL
            piece.fail(str(failure))
        else:
            piece.tell(told.value, asked_at=asked_at)

    async def _read_the_log(self, turn: _Turn) -> None:
        asked, account = turn.asked, turn.connected.account.account_id
        asked_at = self._clock()
        try:
            asked.checkup.tell(await self._checkup(account), asked_at=asked_at)
            asked.drift.tell(await self._drift(account), asked_at=asked_at)
        except LogUnavailable as away:
            for piece in (asked.checkup, asked.drift):
                piece.fail(f"the log does not answer: {away}")

    async def _checkup(self, account: AccountId) -> AccountChecked | None:
        entry = await self._bus.last(subjects.account_checked(account))
        found = entry.message if entry is not None else None
        return found if isinstance(found, AccountChecked) else None

    async def _drift(self, account: AccountId) -> DriftSeen | None:
        """The log knows it also where another process has told it."""
        drifts = []
        told = await self._bus.subjects(subjects.positions_drifted_on(account))
        for subject in told[:DRIFTS_MAX]:
            entry = await self._bus.last(subject)
            if entry is not None and isinstance(entry.message, PositionDrifted):
                drifts.append(entry.message)
        if not drifts:
            return None
        last = max(drifts, key=lambda one: one.at)
        return DriftSeen(
            symbol=last.symbol,
            at=last.at,
            expected=last.expected,
            held=last.held,
            alert_id=last.alert_id,
            route=last.route,
        )
