"""Passwords and keys of one devstack, made once and kept in files that only their owner may read.

They guard what listens on loopback from the machine's other users.
"""

import dataclasses
import secrets
from pathlib import Path

from tools.devstack.private_files import read_json, write_json, write_private


@dataclasses.dataclass(frozen=True, kw_only=True)
class Credentials:
    """What `credentials.json` holds. Passwords are URL-safe as they stand."""

    nats_user: str = dataclasses.field(repr=False)
    nats_password: str = dataclasses.field(repr=False)
    postgres_password: str = dataclasses.field(repr=False)
    writer_password: str = dataclasses.field(repr=False)
    reader_password: str = dataclasses.field(repr=False)
    console_token: str = dataclasses.field(repr=False)
    operator_password: str = dataclasses.field(repr=False)
    viewer_password: str = dataclasses.field(repr=False)

    @property
    def console_users(self) -> dict[str, dict[str, str]]:
        """Who signs in to the console, by role."""
        passwords = {"operator": self.operator_password, "viewer": self.viewer_password}
        return {role: {"name": role, "password": word} for role, word in passwords.items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SealingKey:
    """Where the private keys lie, and the public half of the current one."""

    file: Path
    public_file: Path


def load_credentials(directory: Path) -> Credentials:
    """Read `credentials.json`; what it lacks is generated and written back."""
    path = directory / "credentials.json"
    kept = read_json(path) or {}
    names = [field.name for field in dataclasses.fields(Credentials)]
    values = {name: kept.get(name) or _generated(name) for name in names}
    if values != kept:
        write_json(path, values)
    return Credentials(**values)


def load_sealing_key(directory: Path) -> SealingKey:
    """Read `sealing.key`, or make a first key there. The public half is written where it is
    missing, so that a rotation is done as everywhere: `alertwire ops sealing-key`.
    """
    from libs.common.sealing import (  # noqa: PLC0415 - slow to import, and only needed here
        new_sealing_key,
        read_sealing_keys,
    )

    path, public = directory / "sealing.key", directory / "sealing.pub"
    if not path.exists():
        write_private(path, new_sealing_key().decode() + "\n")
    if not public.exists():
        current, *_ = read_sealing_keys(bytearray(path.read_bytes()))
        public.write_text(current.public + "\n", encoding="ascii")
    return SealingKey(file=path, public_file=public)


def _generated(name: str) -> str:
    return "alertwire" if name == "nats_user" else secrets.token_hex(20)
