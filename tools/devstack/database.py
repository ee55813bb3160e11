"""The audit database: who may log in, and its schema.

The schema's group roles come with the migrations; the login roles that belong to them, and their
passwords, belong to one installation and are made here.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg

from tools.devstack.errors import DevstackError

DATABASE = "alertwire"
WRITER = "alertwire_writer"
READER = "alertwire_reader"
_GROUPS = {WRITER: "auditor", READER: "viewer"}


class MigrationError(DevstackError):
    """dbmate could not bring the schema up to date; the message holds its words."""


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
            known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if known else "CREATE"
            # Parameters are not allowed here; `format` quotes them.
            statement = await connection.fetchval(
                "SELECT format($1, $2::text, $3::text)",
                f"{verb} ROLE %I LOGIN PASSWORD %L",
                role,
                password,
            )
            await connection.execute(statement)
            await connection.execute(f"GRANT {_GROUPS[role]} TO {role}")
    finally:
        await connection.close()


async def migrate(url: str, *, migrations: Path) -> None:
    """Apply what has not been applied yet."""
    # In the environment, since arguments of a process can be read by everybody.
    environment = {"PATH": os.defpath, "DATABASE_URL": f"{url}?sslmode=disable"}
    dbmate = Path(sys.executable).with_name("dbmate")
    child = await asyncio.create_subprocess_exec(
        *(str(dbmate), "--no-dump-schema", "--migrations-dir", str(migrations), "migrate"),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise MigrationError(f"the migrations of the database failed: {output.decode().strip()}")
