"""Who may sign in by password: a file, so that it comes with the deployment like every secret and
stands in no bucket and no trail. It is read again whenever it was changed.
"""

import asyncio
from pathlib import Path

import msgspec
import structlog

from services.console.problems import Problem
from services.console.web.access.user_file import (
    User,
    decode_users,
    hash_password,
    is_right,
)

_VERIFIED_AT_A_TIME = 2
"""Each takes 64 MiB for a twentieth of a second."""
_WAITING_MAX = 20
"""Whoever comes when so many wait is told to come back: an hour of waiting helps nobody."""

_log = structlog.get_logger()


class Users:
    """The users of one file; `path` None: nobody signs in by password."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._users: dict[str, User] = {}
        self._verifying = asyncio.Semaphore(_VERIFIED_AT_A_TIME)
        self._waiting = 0
        # Verified for a name that nobody has, so that the answer takes as long.
        self._nobody = hash_password("")

    @property
    def exist(self) -> bool:
        return bool(self._read())

    def find(self, name: str) -> User | None:
        """None: no longer, or not at all."""
        return self._read().get(name)

    async def verify(self, name: str, password: str) -> User | None:
        """The user, where the password is theirs. Raises a 503 `Problem` where too many ask."""
        user = self.find(name)
        expected = self._nobody if user is None else user.password_hash
        if self._waiting >= _WAITING_MAX:
            raise Problem(503, "Too many are signing in at this moment: try again.")
        self._waiting += 1
        try:
            async with self._verifying:
                is_theirs = await asyncio.to_thread(is_right, expected, password)
        finally:
            self._waiting -= 1
        return user if is_theirs else None

    def _read(self) -> dict[str, User]:
        if self._path is None:
            return {}
        try:
            found = self._path.stat()
        except FileNotFoundError:
            # Taken away: then nobody is meant to get in.
            self._stamp, self._users = None, {}
            return self._users
        except OSError as error:
            _log.warning("users.unread", error=type(error).__name__)
            return self._users
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                document = decode_users(self._path.read_bytes())
                self._users = {user.name: user for user in document.users}
            except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
                # Those of before stay: half a file must not lock everybody out.
                _log.warning("users.unread", error=f"{type(error).__name__}: {error}")
        return self._users
