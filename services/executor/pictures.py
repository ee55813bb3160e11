"""Keeps the live picture of every account. An account whose exchange does not push trades all the
same, by asking.
"""

import asyncio
import contextlib
import random

import structlog

from libs.common.cancelling import cancelled
from services.executor.accounts import Accounts, Connected
from services.executor.asking import mend_clock
from services.executor.exchange import QueryFailed
from services.executor.keeping import Keeper
from services.executor.pushes import FeedLost
from services.executor.settings import Timing

_OPENING_AT_ONCE = 16
"""Connections that are made side by side: hundreds of handshakes at once hold up every order."""
_SHOWN = 3
_LOOK_S = 0.02

_log = structlog.get_logger()


class Pictures:
    """Follows the accounts as they come, change and go."""

    def __init__(self, accounts: Accounts, *, timing: Timing) -> None:
        self._accounts = accounts
        self._timing = timing
        self._opening = asyncio.Semaphore(_OPENING_AT_ONCE)
        self._tried: set[Connected] = set()
        self._following: dict[Connected, asyncio.Task[None]] = {}

    def missing(self) -> str | None:
        """A readiness check: each account's picture was read once, or cannot be had now."""
        left = [one.account.id for one in self._accounts.current() if one not in self._tried]
        if not left:
            return None
        more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        return f"the positions of {', '.join(left[:_SHOWN])}{more} were not read yet"

    async def tried(self) -> None:
        """Until nothing is missing; an account that does not answer is given up after a while."""
        while self.missing() is not None:  # noqa: ASYNC110 - the checks answer when asked
            await asyncio.sleep(_LOOK_S)

    async def follow(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._accounts.changed.clear()
                current = set(self._accounts.current())
                for gone in self._following.keys() - current:
                    group.create_task(cancelled([self._following.pop(gone)]))
                    self._tried.discard(gone)
                for connected in current - self._following.keys():
                    self._following[connected] = group.create_task(self._keep(connected))
                await self._accounts.changed.wait()

    async def _keep(self, connected: Connected) -> None:
        failed = 0
        while True:
            keeper = Keeper(connected, timing=self._timing)
            async with asyncio.TaskGroup() as group:
                noting = group.create_task(self._note_tried(connected, keeper))
                lost = await self._one(keeper)
                noting.cancel()
            self._tried.add(connected)
            _log.warning("picture.lost", account=connected.account.id, why=str(lost))
            if lost.refused:
                # Why is told in words alone; where it was the time, only a new measure helps.
                await mend_clock(connected.exchange)
                # Where it was our address, the answer to a signed question says so by its code.
                with contextlib.suppress(QueryFailed):
                    await connected.exchange.position_mode()
            failed = 0 if keeper.corrected.is_set() else failed + 1
            delay_s = min(self._timing.reopen_s * 2.0**failed, self._timing.reopen_largest_s)
            # Hundreds of accounts that were cut off in one moment do not come back in one.
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def _one(self, keeper: Keeper) -> FeedLost:
        async with asyncio.TaskGroup() as group, self._opening:
            running = group.create_task(keeper.run())
            await keeper.opened.wait()
        return running.result()

    async def _note_tried(self, connected: Connected, keeper: Keeper) -> None:
        await keeper.corrected.wait()
        self._tried.add(connected)
        _log.info("picture.live", account=connected.account.id)
