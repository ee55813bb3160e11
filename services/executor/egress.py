"""Watches under which address this process is seen from outside: an executor that is seen under one
that is not expected must not work (docs/decisions/0019-own-address-and-stopped-accounts.md).
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from yarl import URL

from libs.common.settings import SettingsError
from services.executor import metrics
from services.executor.addresses import (
    EgressState,
    Judgement,
    checked_networks,
    judge_egress,
    listed,
)
from services.executor.echoing import Echo, ask_echoes
from services.executor.settings import Settings

Ask = Callable[[Sequence[str]], Awaitable[list[Echo]]]

_CHECK_MAX_S = 3_600
_WARNED_OF = frozenset({EgressState.UNEXPECTED, EgressState.UNVERIFIED})
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class EgressTiming:
    """Tests shorten it, nothing else changes it."""

    check_s: float = 60.0
    """Between two checks while all is well."""
    again_s: float = 5.0
    """Between two checks at most while something is wrong or not known, and at least always: an
    exchange that refuses every call must not make us ask others as often."""
    ask_s: float = 3.0
    """How long one answer is waited for."""
    hold_s: float = 30.0
    """How long the first answer of all is waited for before the work begins without it; with
    ALERTWIRE_EGRESS_STRICT for ever."""


class EgressWatch:
    """What is known of our own address."""

    def __init__(
        self,
        *,
        urls: Sequence[str],
        expected: Sequence[str] = (),
        expected_by_accounts: Callable[[], Iterable[str]] = lambda: (),
        timing: EgressTiming | None = None,
        ask: Ask | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`expected_by_accounts` counts where nothing is `expected` of the executor itself;
        `clock`: seconds that nobody sets.
        """
        self._expected = tuple(expected)
        self.expected_by_accounts = expected_by_accounts
        self.addresses: tuple[str, ...] = ()
        """As they were told last, sorted; empty where none ever was."""
        self.seen_at: datetime | None = None
        """When that was."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when the addresses have changed."""
        self._urls = tuple(urls)
        self._timing = timing or EgressTiming()
        self._ask = ask or self._ask_echoes
        self._clock = clock
        self._asked_since: float | None = None
        self._wanted = asyncio.Event()
        self._judged = asyncio.Event()
        self._silent: set[str] = set()
        self._state = EgressState.UNCHECKED
        # Where nobody is asked, nobody answering is no alarm.
        metrics.egress_answers.set(0 if self._urls else math.nan)
        self._note()

    @property
    def expected(self) -> tuple[str, ...]:
        """Of the executor, else what its accounts expect together: where none of them expects us,
        it is the process that is in the wrong place.
        """
        return self._expected or tuple(sorted(set(self.expected_by_accounts())))

    def rejudge(self) -> None:
        """What is expected may have changed."""
        self._note()
        self._judged.set()

    @property
    def problem(self) -> str | None:
        """Why this executor must not work."""
        return self._judge().problem

    def recheck(self) -> None:
        """Ask soon: something has happened that another address of ours would explain."""
        self._wanted.set()

    async def fit(self, stop: asyncio.Event) -> bool:
        """Wait until nothing is wrong with our address, so far as that is checked; False where
        `stop` came first.
        """
        while self.problem is not None and not stop.is_set():
            self._judged.clear()
            judged = asyncio.ensure_future(self._judged.wait())
            stopped = asyncio.ensure_future(stop.wait())
            try:
                await asyncio.wait({judged, stopped}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                judged.cancel()
                stopped.cancel()
        return not stop.is_set()

    async def follow(self) -> None:
        """Until cancelled."""
        while self._urls:
            self._wanted.clear()
            await self.check()
            pause_s = min(self._timing.again_s, self._timing.check_s)
            await asyncio.sleep(pause_s)
            if self._state in {EgressState.UNCHECKED, EgressState.EXPECTED}:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._timing.check_s - pause_s):
                        await self._wanted.wait()

    async def check(self) -> None:
        """Ask once. Where nobody answers, what was told last still counts."""
        if self._asked_since is None:
            self._asked_since = self._clock()
        echoes = await self._ask(self._urls)
        self._tell_silence(echoes)
        told = sorted({echo.address for echo in echoes if echo.address is not None})
        before = self.addresses
        if told:
            self.addresses, self.seen_at = tuple(told), datetime.now(UTC)
        if self.addresses != before:
            _log.info("egress.seen", addresses=list(self.addresses), before=list(before))
        metrics.egress_answers.set(sum(echo.address is not None for echo in echoes))
        self._note()
        self._judged.set()
        if self.addresses != before:
            self.on_change()

    def _judge(self) -> Judgement:
        asked_since = self._asked_since
        return judge_egress(
            self.addresses,
            # Where nobody is asked, nobody will tell.
            self.expected if self._urls else (),
            waited_s=0.0 if asked_since is None else self._clock() - asked_since,
            hold_s=self._timing.hold_s,
        )

    def _note(self) -> None:
        judgement, before = self._judge(), self._state
        self._state = judgement.state
        metrics.egress_ok.set(judgement.problem is None)
        if judgement.state is before:
            return
        tell = _log.warning if judgement.state in _WARNED_OF else _log.info
        tell(
            f"egress.{judgement.state.value}",
            why=judgement.problem,
            addresses=list(self.addresses),
            expected=list(self.expected),
        )

    def _tell_silence(self, echoes: Sequence[Echo]) -> None:
        """Once, until the service has answered again."""
        for echo in echoes:
            if echo.address is None and echo.service not in self._silent:
                _log.warning("egress.unanswered", service=echo.service, why=echo.why)
        self._silent = {echo.service for echo in echoes if echo.address is None}

    async def _ask_echoes(self, urls: Sequence[str]) -> list[Echo]:
        return await ask_echoes(urls, timeout_s=self._timing.ask_s)


def egress_watch(settings: Settings) -> EgressWatch:
    """As it is configured. Raises `SettingsError`; make it inside the event loop."""
    urls = listed(settings.echo_urls)
    for url in urls:
        if not _is_http(url):
            raise SettingsError(f"ALERTWIRE_ECHO_URLS: {url!r} is no http(s) address")
    try:
        expected = checked_networks(settings.expected_addresses)
    except ValueError as error:
        raise SettingsError(f"ALERTWIRE_EXPECTED_ADDRESSES: {error}") from None
    if expected and not urls:
        raise SettingsError(
            "ALERTWIRE_EXPECTED_ADDRESSES needs ALERTWIRE_ECHO_URLS: nobody else tells our address"
        )
    if settings.egress_strict and not urls:
        raise SettingsError(
            "ALERTWIRE_EGRESS_STRICT needs ALERTWIRE_ECHO_URLS: nobody else tells our address"
        )
    if not 1 <= settings.egress_check_s <= _CHECK_MAX_S:
        raise SettingsError(f"ALERTWIRE_EGRESS_CHECK_S lies between 1 and {_CHECK_MAX_S}")
    timing = EgressTiming(check_s=settings.egress_check_s)
    if settings.egress_strict:
        timing = replace(timing, hold_s=math.inf)
    return EgressWatch(urls=urls, expected=expected, timing=timing)


def _is_http(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)
