"""Sessions that this process has seen lately, for the time in which the log is away: who wants to
know what is wrong must not be asked to sign in by what is wrong.

Changes take the log, so that there is none to be made with one. Who was taken out of the file of
users is out all the same, and who was signed out by this process is not remembered.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from libs.common.bus import Bus
from services.console.problems import Problem
from services.console.web.access.sessions import Session, Sessions

REMEMBERED_S = 3_600.0
"""Since the log has last told of it."""
_REMEMBERED_MAX = 10_000
_NOT_NOW = 503


class RememberedSessions(Sessions):
    """`find` raises a 503 only where a session is not remembered either."""

    def __init__(self, bus: Bus, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(bus)
        self._log = bus
        self._now = now
        self._seen: OrderedDict[str, tuple[float, Session]] = OrderedDict()

    async def find(self, session_id: str, **more: Any) -> Session | None:
        key = _key(session_id)
        if not self._log.client.is_connected and (known := self._remembered(key)) is not None:
            # The client would wait for seconds until it is there again.
            return known
        try:
            found = await super().find(session_id, **more)
        except Problem as problem:
            known = self._remembered(key) if problem.status == _NOT_NOW else None
            if known is None:
                raise
            return known
        self._seen.pop(key, None)
        if found is not None:
            self._seen[key] = (self._now(), found)
        while len(self._seen) > _REMEMBERED_MAX:
            self._seen.popitem(last=False)
        return found

    # What was ended here must not live again when the log goes away.
    async def end(self, session_id: str) -> None:
        self._seen.pop(_key(session_id), None)
        await super().end(session_id)
        self._seen.pop(_key(session_id), None)

    async def end_all(self, name: str) -> int:
        ended = await super().end_all(name)
        for key in [key for key, (_, session) in self._seen.items() if session.name == name]:
            del self._seen[key]
        return ended

    def _remembered(self, key: str) -> Session | None:
        at, session = self._seen.get(key, (0.0, None))
        return session if session is not None and self._now() - at < REMEMBERED_S else None


def _key(session_id: str) -> str:
    return sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()
