"""The login roles of the audit database, as members of the groups that the migrations grant rights.

The groups come with the schema; who logs in, and by which password, belongs to one installation.
"""

import hashlib
import hmac
import os
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum

import asyncpg

from libs.common.secret import Secret

WRITER = "alertwire_writer"
READER = "alertwire_reader"
_ITERATIONS = 4096
"""PostgreSQL's own default: a password from a generator needs no more."""


class Group(StrEnum):
    AUDITOR = "auditor"
    VIEWER = "viewer"


@dataclass(frozen=True, kw_only=True)
class Login:
    name: str
    group: Group
    password: Secret


async def ensure_login(connection: asyncpg.Connection, login: Login) -> bool:
    """Let the role in, with this password from now on. Whether it is new."""
    known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", login.name)
    verb = "ALTER" if known else "CREATE"
    # Parameters are not allowed here; `format` quotes them. A verifier, since statements are
    # logged, and shown to whoever watches the server.
    statement = await connection.fetchval(
        "SELECT format($1, $2::text, $3::text)",
        f"{verb} ROLE %I LOGIN PASSWORD %L",
        login.name,
        scram_verifier(login.password, salt=os.urandom(16)),
    )
    await connection.execute(statement)
    grant = await connection.fetchval(
        "SELECT format('GRANT %I TO %I', $1::text, $2::text)", login.group.value, login.name
    )
    await connection.execute(grant)
    return not known


def scram_verifier(password: Secret, *, salt: bytes) -> str:
    """What PostgreSQL keeps of a password (RFC 5803): enough to check it, not to log in with."""
    text = password.reveal()
    if not (text and text.isascii() and text.isprintable()):
        # Others would have to be normalised first, as clients do before they send them.
        raise ValueError("a login's password is one line of printable ASCII")
    salted = hashlib.pbkdf2_hmac("sha256", text.encode(), salt, _ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    shown_salt, shown_stored, shown_server = (
        b64encode(part).decode() for part in (salt, stored_key, server_key)
    )
    return f"SCRAM-SHA-256${_ITERATIONS}:{shown_salt}${shown_stored}:{shown_server}"
