"""One private connection of one account: what it pushes goes into the book, and the exchange is
asked again when the book wants it, at the latest on a timer.
"""

import asyncio
import contextlib
import time

import structlog

from libs.common.cancelling import cancelled
from libs.common.contracts.causes import Cause
from services.executor.accounts import Connected
from services.executor.asking import mend_clock
from services.executor.exchange import QueryFailed
from services.executor.pushes import FeedLost
from services.executor.settings import Timing

_log = structlog.get_logger()


class Keeper:
    """From the opening of the connection to its end."""

    def __init__(self, connected: Connected, *, timing: Timing) -> None:
        self.opened = asyncio.Event()
        """Set when the connection is open, and when it has ended."""
        self.corrected = asyncio.Event()
        """Set when a whole picture was read."""
        self._connected = connected
        self._book = connected.book
        self._timing = timing
        self._due_at = time.monotonic()
        self._sooner = asyncio.Event()
        self._asked_at = float("-inf")

    async def run(self) -> FeedLost:
        """Returns why it has ended."""
        self._book.want_correction = self._want
        async with asyncio.TaskGroup() as group:
            correcting = group.create_task(self._correct())
            try:
                await self._connected.feed.listen(on_open=self._open, on_push=self._book.pushed)
            except FeedLost as lost:
                return lost
            finally:
                self._book.lost()
                self.opened.set()
                # For certain: the next connection begins when this one has ended.
                await cancelled([correcting])
        raise AssertionError("a connection ends with FeedLost")

    def _open(self) -> None:
        self._book.opened()
        self.opened.set()

    def _want(self, within_s: float) -> None:
        # Not more often than the pause allows: each question costs both sides more than a push.
        pause_s = self._timing.correct_pause_s if within_s > 0 else self._timing.correct_again_s
        wanted_at = max(time.monotonic() + within_s, self._asked_at + pause_s)
        if wanted_at < self._due_at:
            self._due_at = wanted_at
            self._sooner.set()

    async def _correct(self) -> None:
        await self.opened.wait()
        while True:
            await self._until_due()
            self._asked_at = asked_at = time.monotonic()
            self._due_at = asked_at + self._timing.correct_s
            try:
                mode = self._book.position_mode or await self._connected.exchange.position_mode()
                told = await self._connected.exchange.positions()
            except QueryFailed as failure:
                if failure.kind is Cause.TIMESTAMP:
                    await mend_clock(self._connected.exchange)
                # To be refused each second for our address would do nobody any good.
                is_passing = failure.kind is not Cause.IP
                pause_s = (
                    self._timing.correct_again_s if is_passing else self._timing.correct_pause_s
                )
                self._due_at = time.monotonic() + pause_s
                _log.warning("picture.unread", account=self._connected.account.id, why=str(failure))
                continue
            self._book.position_mode = mode
            self._book.corrected(told.value, asked_at=asked_at)
            self.corrected.set()

    async def _until_due(self) -> None:
        while (left_s := self._due_at - time.monotonic()) > 0:
            self._sooner.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._sooner.wait()
