"""Answers questions of other services, a few side by side and each for a bounded time, so that no
number of them can hold up what the service is there for. Whatever goes wrong is told in words.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from libs.common.asking import answer, answering
from libs.common.bus import Bus, LogUnavailable

OnAsked = Callable[[str, bytes], Awaitable[msgspec.Struct]]
"""From the subject and what was asked with it to the answer."""

BUSY = "busy with other questions: ask again in a moment"
_BUGS = (
    *(ValueError, ArithmeticError, LookupError, TypeError, AttributeError),
    *(RuntimeError, OSError),
)
"""A stumble over a question must not end what runs beside it."""

_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger()


class Answers:
    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        bus: Bus,
        *,
        subject: str,
        on_asked: OnAsked,
        problem: Callable[[str], msgspec.Struct],
        at_once: int,
        within_s: float,
        queue: str = "",
        is_ours: Callable[[str], bool] = lambda _subject: True,
    ) -> None:
        """`subject` may hold wildcards, and `is_ours` says which of them concern this process: for
        others it keeps silent. `problem` makes an answer of a sentence.
        """
        self._bus = bus
        self._subject = subject
        self._on_asked = on_asked
        self._problem = problem
        self._at_once = at_once
        self._within_s = within_s
        self._queue = queue
        self._is_ours = is_ours
        self._running = 0
        self._asked: asyncio.Queue[tuple[str, str, bytes]] = asyncio.Queue()

    async def follow(self) -> None:
        """Until cancelled."""
        async with (
            answering(self._bus, self._subject, self._note, queue=self._queue),
            asyncio.TaskGroup() as group,
        ):
            while True:
                subject, reply, payload = await self._asked.get()
                group.create_task(self._answer(subject, reply, payload))

    def _note(self, subject: str, reply: str, payload: bytes) -> None:
        if not self._is_ours(subject):
            return
        if self._running >= self._at_once:
            self._reply(reply, self._problem(BUSY))
            return
        self._running += 1
        self._asked.put_nowait((subject, reply, payload))

    async def _answer(self, subject: str, reply: str, payload: bytes) -> None:
        found: msgspec.Struct | None = None
        why = ""
        try:
            async with asyncio.timeout(self._within_s):
                found = await self._on_asked(subject, payload)
        except* TimeoutError:
            why = f"not known within {self._within_s:g} s"
        except* LogUnavailable as away:
            why = f"the log does not answer: {away.exceptions[0]}"
        except* msgspec.MsgspecError as strange:
            why = f"the question was not understood: {strange.exceptions[0]}"
        except* _BUGS as failures:
            why = "the service has failed over this question; its log has the stack"
            _log.error("question.failed", subject=subject, exc_info=failures)
        finally:
            self._running -= 1
        self._reply(reply, self._problem(why) if found is None else found)

    def _reply(self, reply: str, found: msgspec.Struct) -> None:
        answer(self._bus, reply, _encode(found))
