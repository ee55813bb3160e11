"""Who has signed in, kept in the log's bucket `sessions`, so that every console knows them and a
restart signs nobody out. The bucket holds no session's id, only its hash.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import nats.errors
import nats.js.errors
from nats.js.kv import KeyValue

from libs.common.buckets import read_all
from libs.common.bus import Bus
from libs.common.contracts import subjects
from services.console.problems import Problem

IDLE = timedelta(hours=12)
"""Unused for so long, a session ends. The bucket forgets it by then, too."""
LONGEST = timedelta(days=7)
MANY = 20
"""Of one name; whoever begins another ends the oldest."""
PROXY_MARK = "proxy"
"""Of sessions that were begun by no password."""
_RENEWED_AFTER = timedelta(minutes=10)
_ID_BYTES = 32
_LIST_TIMEOUT_S = 5.0
_AWAY = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    csrf: str
    mark: str
    """Of the password that it was begun with (`User.mark`), or `PROXY_MARK`."""
    began_at: datetime
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Begun:
    id: str
    """For the cookie; nowhere else."""
    session: Session


class Sessions:
    """Every method raises a 503 `Problem` while the log is away."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._decoder = msgspec.json.Decoder(Session)

    async def begin(self, name: str, *, mark: str) -> Begun:
        now = datetime.now(UTC)
        begun = Begun(
            id=secrets.token_urlsafe(_ID_BYTES),
            session=Session(
                name=name,
                csrf=secrets.token_urlsafe(_ID_BYTES),
                mark=mark,
                began_at=now,
                seen_at=now,
            ),
        )
        async with self._bucket() as bucket:
            mine = await self._of(bucket, name)
            too_many = max(0, len(mine) - MANY + 1)
            for key in sorted(mine, key=lambda key: mine[key].seen_at)[:too_many]:
                await bucket.purge(key)
            await bucket.put(_key(begun.id), msgspec.json.encode(begun.session))
        return begun

    async def find(self, session_id: str, *, is_used: bool = True) -> Session | None:
        """None where it has ended. Where it `is_used` it goes on; a page that asks by itself does
        not keep it alive.
        """
        key, now = _key(session_id), datetime.now(UTC)
        async with self._bucket() as bucket:
            try:
                entry = await bucket.get(key)
            except nats.js.errors.KeyNotFoundError:
                return None
            session = self._decoded(entry.value or b"")
            if session is None:
                return None
            if now - session.seen_at > IDLE or now - session.began_at > LONGEST:
                return None
            if is_used and now - session.seen_at > _RENEWED_AFTER:
                renewed = msgspec.structs.replace(session, seen_at=now)
                # Only what stands there: one that was ended meanwhile must not live again.
                with contextlib.suppress(nats.js.errors.BadRequestError):
                    await bucket.update(key, msgspec.json.encode(renewed), last=entry.revision)
        return session

    async def of(self, name: str) -> list[Session]:
        """Those of one name, last used first."""
        async with self._bucket() as bucket:
            mine = await self._of(bucket, name)
        return sorted(mine.values(), key=lambda each: each.seen_at, reverse=True)

    async def end(self, session_id: str) -> None:
        async with self._bucket() as bucket:
            await bucket.purge(_key(session_id))

    async def end_all(self, name: str) -> int:
        """Of one name, wherever they were begun; tells how many."""
        async with self._bucket() as bucket:
            mine = await self._of(bucket, name)
            for key in mine:
                await bucket.purge(key)
        return len(mine)

    async def _of(self, bucket: KeyValue, name: str) -> dict[str, Session]:
        found = await read_all(bucket, timeout_s=_LIST_TIMEOUT_S)
        decoded = {key: self._decoded(value) for key, value in found.items()}
        return {k: each for k, each in decoded.items() if each is not None and each.name == name}

    # What an older release wrote, or nobody of ours, is no session.
    def _decoded(self, value: bytes) -> Session | None:
        try:
            return self._decoder.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    @contextlib.asynccontextmanager
    async def _bucket(self) -> AsyncIterator[KeyValue]:
        try:
            yield await self._bus.js.key_value(subjects.BUCKET_SESSIONS)
        except _AWAY as error:
            raise Problem(
                503, f"The log does not answer ({type(error).__name__}); try again."
            ) from None


def _key(session_id: str) -> str:
    return sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()
