"""The other routers: each tells every second that it is there, and how many shards it has. Nothing
of it is stored, and nothing but the sharing of work rests on it: what keeps two from the same shard
is its lease.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable

import msgspec
import nats.errors
import structlog

from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.processes import this_process

EVERY_S = 1.0
SILENT_FOR_S = 3.5
"""Who has not been heard for so long is gone."""
_RETRY_S = 0.5

_log = structlog.get_logger()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    router: str
    """Its process's token."""
    shards: int
    """Over how many the routes are shared, as it was set up: others are no replicas of ours."""
    has: int
    leaves: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Told).decode


class Replicas:
    def __init__(
        self,
        bus: Bus,
        *,
        shards: int,
        held: Callable[[], int],
        able: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`able`: whether this process could take a shard; while it could not, it is not there."""
        self._bus = bus
        self._shards = shards
        self._held = held
        self._able = able
        self._clock = clock
        self._me = this_process().token
        self._others: dict[str, tuple[int, float]] = {}

    def has(self) -> dict[str, int]:
        """How many shards each router has, this one among them."""
        heard_since = self._clock() - SILENT_FOR_S
        there = {router: has for router, (has, at) in self._others.items() if at > heard_since}
        return {**there, self._me: self._held()}

    @property
    def me(self) -> str:
        return self._me

    def forget(self, router: str) -> None:
        """It is known to be gone."""
        self._others.pop(router, None)

    async def follow(self) -> None:
        """Until cancelled; then the others are told."""
        while True:
            try:
                await self._follow()
            except (nats.errors.Error, OSError) as error:
                _log.warning("replicas.unheard", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(_RETRY_S)

    async def _follow(self) -> None:
        subscription = await self._bus.client.listen(subjects.ROUTERS_TOLD, self.hear)
        try:
            while True:
                self.tell()
                await asyncio.sleep(EVERY_S)
        finally:
            self.tell(leaves=True)
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._bus.client.forget(subscription)

    def tell(self, *, leaves: bool = False) -> None:
        """Now, since something has changed."""
        if not self._able() and not leaves:
            return
        told = Told(router=self._me, shards=self._shards, has=self._held(), leaves=leaves)
        with contextlib.suppress(nats.errors.Error, OSError):
            self._bus.client.post(subjects.ROUTERS_TOLD, _encode(told))

    def hear(self, _subject: str, _reply: str, payload: bytes, _headers: bytes | None) -> None:
        try:
            told = _decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            _log.warning("replicas.strange", error=str(error))
            return
        if told.router == self._me or told.shards != self._shards:
            return
        if told.leaves:
            self._others.pop(told.router, None)
        else:
            self._others[told.router] = (told.has, self._clock())
