"""Brings the schema up to date with dbmate, which keeps in the database what it has applied.

Who calls says where the database is; the devstack and `alertwire ops migrate` both do.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

MIGRATIONS = Path(__file__).resolve().parents[1] / "services/auditor/migrations"


class MigrationError(Exception):
    """dbmate could not bring the schema up to date; the message holds its words."""


async def apply_migrations(url: str, *, migrations: Path = MIGRATIONS) -> None:
    """Apply what has not been applied yet. `url` says by `sslmode` whether with TLS, as dbmate
    understands it: it is never left to a default.
    """
    # In the environment, since arguments of a process can be read by everybody.
    environment = {"PATH": os.defpath, "DATABASE_URL": url}
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
        raise MigrationError(without_password(output.decode(errors="replace").strip(), url=url))


def without_password(text: str, *, url: str) -> str:
    """A tool's words with stars for the password that the address holds, however it is written."""
    found = urlsplit(url).password or ""
    for secret in (found, unquote(found)):
        text = text.replace(secret, "***") if secret else text
    return text
