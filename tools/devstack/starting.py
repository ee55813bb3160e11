"""The order in which the stack comes up: what waits for what, and what runs side by side."""

import asyncio
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from tools.devstack.calling import NoAnswerError, call
from tools.devstack.child_logs import open_log
from tools.devstack.console_users import ensure_users
from tools.devstack.credentials import Credentials, load_credentials, load_sealing_key
from tools.devstack.database import DATABASE, ensure_database, ensure_logins, migrate
from tools.devstack.errors import DevstackError
from tools.devstack.nats import NatsServer
from tools.devstack.ports import Ports
from tools.devstack.postgres import PostgresServer
from tools.devstack.processes import Processes
from tools.devstack.supervisor import Child, Supervisor, describe_exit
from tools.logins import READER, WRITER
from tools.migrating import MIGRATIONS

READY_DEADLINE_S = 30.0
_HOPELESS_DEATHS = 3
_ON_THE_LOG = ("ingest", "router", "executor")
_ON_THE_DATABASE = ("auditor", "console")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Backends:
    """The two servers that the services stand on, and the passwords to them."""

    credentials: Credentials
    nats: NatsServer
    postgres: PostgresServer

    @classmethod
    def of(cls, directory: Path, *, ports: Ports, syncs_always: bool = True) -> "Backends":
        kept = load_credentials(directory)
        return cls(
            credentials=kept,
            nats=NatsServer(
                directory=directory,
                port=ports.of("nats"),
                user=kept.nats_user,
                password=kept.nats_password,
                syncs_always=syncs_always,
            ),
            postgres=PostgresServer(
                directory=directory, port=ports.of("postgres"), password=kept.postgres_password
            ),
        )

    def database_url(self, role: str | None = None) -> str:
        """For a login role, or for the superuser."""
        passwords = self.login_passwords()
        if role is None:
            return self.postgres.url(database=DATABASE)
        return self.postgres.url(database=DATABASE, user=role, password=passwords[role])

    def processes(self, directory: Path, *, ports: Ports) -> Processes:
        """What gives each of our own processes its environment."""
        return Processes(
            directory=directory,
            ports=ports,
            credentials=self.credentials,
            sealing=load_sealing_key(directory),
            nats_url=self.nats.address,
            writer_url=self.database_url(WRITER),
            reader_url=self.database_url(READER),
        )

    def login_passwords(self) -> dict[str, str]:
        kept = self.credentials
        return {WRITER: kept.writer_password, READER: kept.reader_password}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Starting:
    """One start of everything; `tell` hears of each step."""

    directory: Path
    ports: Ports
    backends: Backends
    supervisor: Supervisor
    tell: Callable[[str], None]

    async def servers(self) -> None:
        """NATS and PostgreSQL alone: for what is done to the log and the database at rest."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._log_side())
            group.create_task(self._database_side())

    async def run(self) -> None:
        """Return when every process answers, or raise `DevstackError`."""
        processes = self.backends.processes(self.directory, ports=self.ports)
        waiting: list[tuple[str, Child]] = []

        async def start(*names: str) -> None:
            for name in names:
                child = await self.supervisor.start(processes.command(name))
                waiting.append((name, child))

        async with asyncio.TaskGroup() as group:
            log_side = group.create_task(self._log_side())
            database_side = group.create_task(self._database_side())
            await start("paper_exchange")
            await log_side
            await start(*_ON_THE_LOG)
            await database_side
            await start(*_ON_THE_DATABASE)
        async with asyncio.TaskGroup() as group:
            for name, child in waiting:
                group.create_task(self._ready(name, child, url=processes.ready_url(name)))

    async def _log_side(self) -> None:
        await self.supervisor.start(self.backends.nats.prepare())
        # Imported while the server starts: the client alone takes a fifth of a second.
        from tools.devstack.topology import apply_topology  # noqa: PLC0415

        await self.backends.nats.wait_ready()
        await apply_topology(self.backends.nats.url)
        self.tell("NATS is ready, the log's stream and buckets are there")

    async def _database_side(self) -> None:
        postgres = self.backends.postgres
        place = postgres.place()
        if place.notice:
            self.tell(place.notice)
        with open_log(self.supervisor.log_file("postgres")) as log:
            command = await postgres.prepare(place, log=log)
        await self.supervisor.start(command)
        await postgres.wait_ready()
        await ensure_database(postgres.url())
        await migrate(self.backends.database_url(), migrations=MIGRATIONS)
        passwords = self.backends.login_passwords()
        await ensure_logins(self.backends.database_url(), passwords=passwords)
        ensure_users(self.directory, self.backends.credentials)
        self.tell("PostgreSQL is ready, its schema is up to date")

    async def _ready(self, name: str, child: Child, *, url: str) -> None:
        deadline = time.monotonic() + READY_DEADLINE_S
        last = "no answer yet"
        while True:
            try:
                answer = await call("GET", url, timeout_s=2)
            except NoAnswerError as error:
                last = str(error)
            else:
                if answer.status == 200:
                    self.tell(f"{name} is ready")
                    return
                last = answer.body[:500].decode(errors="replace")
            if time.monotonic() > deadline or child.deaths >= _HOPELESS_DEATHS:
                raise DevstackError(_not_ready(name, child, last=last))
            await asyncio.sleep(0.05)


def _not_ready(name: str, child: Child, *, last: str) -> str:
    if child.deaths:
        last = f"it died {child.deaths} times, last with {describe_exit(child.last_exit)}"
    return f"{name} is not ready: {last}\nthe end of {child.log_file}:\n{child.log_tail()}"
