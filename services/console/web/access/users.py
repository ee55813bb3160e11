"""Who may sign in by password: a file, so that it comes with the deployment like every secret and
stands in no bucket and no trail. It is read again whenever it was changed.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import argon2
import msgspec
import structlog

from services.console.web.access.viewers import Role

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z"
_VERIFIED_AT_A_TIME = 2
"""Each takes 64 MiB for a twentieth of a second."""

_log = structlog.get_logger()
_hasher = argon2.PasswordHasher()


class User(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
    role: Role
    password_hash: str
    """argon2, with its parameters."""


class UsersFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file's JSON."""

    users: tuple[User, ...] = ()


_decoder = msgspec.json.Decoder(UsersFile)


def hash_password(password: str) -> str:
    """With a salt of its own, and today's recommended cost."""
    return _hasher.hash(password)


class Users:
    """The users of one file; `path` None: nobody signs in by password."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._users: dict[str, User] = {}
        self._verifying = asyncio.Semaphore(_VERIFIED_AT_A_TIME)
        # Verified for a name that nobody has, so that the answer takes as long.
        self._nobody = hash_password("")

    @property
    def exist(self) -> bool:
        return bool(self._read())

    def role_of(self, name: str) -> Role | None:
        """None: no longer, or not at all."""
        user = self._read().get(name)
        return None if user is None else user.role

    async def verify(self, name: str, password: str) -> User | None:
        """The user, where the password is theirs."""
        user = self._read().get(name)
        expected = self._nobody if user is None else user.password_hash
        async with self._verifying:
            is_right = await asyncio.to_thread(_is_right, expected, password)
        return user if is_right else None

    def _read(self) -> dict[str, User]:
        if self._path is None:
            return {}
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                document = _decoder.decode(self._path.read_bytes())
                self._users = {user.name: user for user in document.users}
                self._stamp = stamp
        except (OSError, msgspec.MsgspecError) as error:
            # Those of before stay: half a file must not lock everybody out.
            _log.warning("users.unread", error=f"{type(error).__name__}: {error}")
        return self._users


def _is_right(expected: str, password: str) -> bool:
    try:
        return _hasher.verify(expected, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
