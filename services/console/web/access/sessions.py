"""Who has signed in, kept in the log's bucket `sessions`, so that every console knows them and a
restart signs nobody out. The bucket holds no session's id, only its hash.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import nats.errors
import nats.js.errors

from libs.common.bus import Bus
from libs.common.contracts import subjects
from services.console.problems import Problem

IDLE = timedelta(hours=12)
"""Unused for so long, a session ends. The bucket forgets it by then, too."""
LONGEST = timedelta(days=7)
_RENEWED_AFTER = timedelta(minutes=10)
_ID_BYTES = 32
_AWAY = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    csrf: str
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
        self._decode = msgspec.json.Decoder(Session).decode

    async def begin(self, name: str) -> Begun:
        now = datetime.now(UTC)
        begun = Begun(
            id=secrets.token_urlsafe(_ID_BYTES),
            session=Session(
                name=name, csrf=secrets.token_urlsafe(_ID_BYTES), began_at=now, seen_at=now
            ),
        )
        await self._put(_key(begun.id), begun.session)
        return begun

    async def find(self, session_id: str) -> Session | None:
        """None where it has ended; otherwise it goes on."""
        key, now = _key(session_id), datetime.now(UTC)
        try:
            bucket = await self._bus.js.key_value(subjects.BUCKET_SESSIONS)
            entry = await bucket.get(key)
        except nats.js.errors.KeyNotFoundError:
            return None
        except _AWAY as error:
            raise _away(error) from None
        session = self._decode(entry.value or b"")
        if now - session.seen_at > IDLE or now - session.began_at > LONGEST:
            return None
        if now - session.seen_at > _RENEWED_AFTER:
            await self._put(key, msgspec.structs.replace(session, seen_at=now))
        return session

    async def end(self, session_id: str) -> None:
        try:
            bucket = await self._bus.js.key_value(subjects.BUCKET_SESSIONS)
            await bucket.purge(_key(session_id))
        except _AWAY as error:
            raise _away(error) from None

    async def _put(self, key: str, session: Session) -> None:
        try:
            bucket = await self._bus.js.key_value(subjects.BUCKET_SESSIONS)
            await bucket.put(key, msgspec.json.encode(session))
        except _AWAY as error:
            raise _away(error) from None


def _key(session_id: str) -> str:
    return sha256(session_id.encode()).hexdigest()


def _away(error: BaseException) -> Problem:
    return Problem(503, f"The log does not answer ({type(error).__name__}); try again.")
