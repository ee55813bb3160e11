"""The file of those who sign in to this devstack's console, made once: one of each role."""

from pathlib import Path

import msgspec

from services.console.web.access.user_file import User, UsersFile, hash_password
from services.console.web.access.viewers import Role
from tools.devstack.credentials import Credentials
from tools.devstack.private_files import write_private


def users_file(directory: Path) -> Path:
    return directory / "console-users.json"


def ensure_users(directory: Path, credentials: Credentials) -> None:
    """Who was added since stays."""
    path = users_file(directory)
    if path.exists():
        return
    users = tuple(
        User(name=each["name"], role=Role(role), password_hash=hash_password(each["password"]))
        for role, each in credentials.console_users.items()
    )
    write_private(path, msgspec.json.encode(UsersFile(users=users)).decode())
