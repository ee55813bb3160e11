"""The file of those who sign in by password, and how passwords are kept in it: never themselves.
Nothing of the web: the command that writes the file knows this, too.
"""

import unicodedata
from hashlib import sha256
from typing import Annotated

import argon2
import msgspec

from services.console.web.access.viewers import Role

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z"
PASSWORD_CHARS_MIN = 12
PASSWORD_CHARS_MAX = 1_000

_hasher = argon2.PasswordHasher()


class User(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
    role: Role
    password_hash: str
    """argon2, with its parameters."""

    @property
    def mark(self) -> str:
        """Of this password. A session keeps it, and ends when the user has another."""
        return sha256(self.password_hash.encode()).hexdigest()


class UsersFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file's JSON."""

    users: tuple[User, ...] = ()

    def __post_init__(self) -> None:
        names = [user.name for user in self.users]
        # Which of the two would count?
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name} stands in it twice")


decode_users = msgspec.json.Decoder(UsersFile).decode


def hash_password(password: str) -> str:
    """With a salt of its own, and today's recommended cost."""
    return _hasher.hash(_bytes(password))


def is_right(expected: str, password: str) -> bool:
    """Whether a password is the one whose hash that is."""
    if len(password) > PASSWORD_CHARS_MAX:
        return False
    try:
        return _hasher.verify(expected, _bytes(password))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


# Keyboards write one letter in several ways.
def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
