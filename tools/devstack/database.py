"""The devstack's audit database: on loopback, without TLS, and made where it is missing."""

from pathlib import Path

import asyncpg

from libs.common.secret import Secret
from tools.devstack.errors import DevstackError
from tools.logins import READER, WRITER, Group, Login, ensure_login
from tools.migrating import MigrationError, apply_migrations

DATABASE = "alertwire"
_GROUPS = {WRITER: Group.AUDITOR, READER: Group.VIEWER}


async def ensure_database(admin_url: str, *, name: str = DATABASE) -> None:
    """Create the database if it is missing; `admin_url` names another one of the same server."""
    connection = await asyncpg.connect(admin_url, ssl=False)
    try:
        query = "SELECT true FROM pg_database WHERE datname = $1"
        if not await connection.fetchval(query, name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


async def ensure_logins(url: str, *, passwords: dict[str, str]) -> None:
    """Let the login roles in, as members of the groups that the migrations have granted rights."""
    connection = await asyncpg.connect(url, ssl=False)
    try:
        for role, password in passwords.items():
            login = Login(name=role, group=_GROUPS[role], password=Secret(password))
            await ensure_login(connection, login)
    finally:
        await connection.close()


async def migrate(url: str, *, migrations: Path) -> None:
    """Apply what has not been applied yet."""
    try:
        await apply_migrations(f"{url}?sslmode=disable", migrations=migrations)
    except MigrationError as error:
        raise DevstackError(f"the migrations of the database failed: {error}") from error
