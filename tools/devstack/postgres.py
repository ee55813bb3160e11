"""PostgreSQL as a child process: its folder, its address, and when it takes connections.

It listens on loopback TCP only and asks everybody for a password.
"""

import asyncio
import dataclasses
import os
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import quote

import asyncpg

from tools.devstack.command import Command, spawn_options
from tools.devstack.errors import DevstackError
from tools.devstack.identity import Identity, unprivileged
from tools.devstack.ports import HOST
from tools.devstack.postgres_place import Place, find_place
from tools.devstack.private_files import write_private

SUPERUSER = "postgres"
# Sorting and letter case by code point and Unicode, whatever the machine's locales are.
_INITDB = (
    *("--username", SUPERUSER, "--auth", "scram-sha-256", "--encoding", "utf8"),
    *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
)
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
_UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class PostgresNotReadyError(DevstackError):
    """The database could not be made, or takes no connections."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PostgresServer:
    directory: Path
    port: int
    password: str = dataclasses.field(repr=False)
    durable: bool = True
    """False for tests alone: nothing is synced to disk."""

    def url(
        self, *, database: str = "postgres", user: str = SUPERUSER, password: str | None = None
    ) -> str:
        shown = quote(self.password if password is None else password, safe="")
        return f"postgresql://{user}:{shown}@{HOST}:{self.port}/{database}"

    def place(self) -> Place:
        return find_place(self.directory, identity=unprivileged())

    async def prepare(self, place: Place, *, log: int) -> Command:
        """Make the data folder if there is none yet, and say how to start the server."""
        data = place.home / "data"
        if not data.exists():
            await self._initialise(place, log=log)
        settings = {"port": str(self.port)} | _SETTINGS
        if not self.durable:
            settings |= _UNSAFE_BUT_FAST
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return Command(
            name="postgres",
            argv=(str(place.binaries / "bin/postgres"), "-D", str(data), *options),
            cwd=place.home,
            env=_ENVIRONMENT,
            stop_signal=signal.SIGINT,  # "fast": ends sessions instead of waiting for them
            identity=unprivileged(),
            tier=0,
        )

    async def wait_ready(self, *, timeout_s: float = 20.0) -> None:
        """Return when a query can be asked."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                connection = await asyncpg.connect(self.url(), ssl=False, timeout=5)
            except asyncpg.InvalidPasswordError:
                raise PostgresNotReadyError(
                    "PostgreSQL refuses the password in credentials.json: it belongs to other data"
                ) from None
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
                if time.monotonic() > deadline:
                    raise PostgresNotReadyError(
                        f"PostgreSQL on port {self.port} is not ready after {timeout_s:.0f} s;"
                        " see logs/postgres.log"
                    ) from None
                await asyncio.sleep(0.02)
            else:
                await connection.close()
                return

    async def _initialise(self, place: Place, *, log: int) -> None:
        # Made beside and renamed, so that a broken-off initdb is never taken for a database.
        unfinished = place.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = place.home / "password"
        identity = unprivileged()
        _lend(password, self.password, to=identity)
        files = ("--pgdata", str(unfinished), "--pwfile", str(password))
        initdb = Command(
            name="initdb",
            argv=(
                *(str(place.binaries / "bin/initdb"), *files, *_INITDB),
                *(() if self.durable else ("--no-sync",)),
            ),
            cwd=place.home,
            env=_ENVIRONMENT,
            identity=identity,
        )
        try:
            if await _run(initdb, log=log) != 0:
                raise PostgresNotReadyError("initdb failed; see logs/postgres.log")
        finally:
            password.unlink(missing_ok=True)
        unfinished.rename(place.home / "data")


# A file that its one reader owns: initdb takes the password from no safer place.
def _lend(path: Path, text: str, *, to: Identity | None) -> None:
    write_private(path, text)
    if to is not None:
        os.chown(path, to.uid, to.gid)


async def _run(command: Command, *, log: int) -> int:
    child = await asyncio.create_subprocess_exec(*command.argv, **spawn_options(command, log=log))
    try:
        return await child.wait()
    finally:
        if child.returncode is None:
            # With its own children, who would write on for a moment: they are one group.
            os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
