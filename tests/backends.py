"""NATS and PostgreSQL for tests: in containers where Docker is there, else from the devstack's
binaries. `TEST_BACKENDS` is `auto`, `docker` (which fails loudly) or `embedded`.
"""

import asyncio
import contextlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import nats
import pytest
from nats.js import JetStreamContext

from tools.devstack.child_logs import open_log
from tools.devstack.command import Command, spawn_options
from tools.devstack.database import ensure_database, ensure_logins, migrate
from tools.devstack.nats import NatsServer
from tools.devstack.ports import SPAN, Ports, PortTakenError, free_port, require_free
from tools.devstack.postgres import PostgresServer
from tools.logins import READER, WRITER
from tools.migrating import MIGRATIONS

NATS_IMAGE = os.environ.get("TEST_NATS_IMAGE", "nats:2.15-alpine")
POSTGRES_IMAGE = os.environ.get("TEST_POSTGRES_IMAGE", "postgres:18-alpine")
TEMPLATE = "migrated"
LOGIN_PASSWORD = "login"


def asked_mode() -> str:
    mode = os.environ.get("TEST_BACKENDS", "auto")
    if mode not in {"auto", "docker", "embedded"}:
        raise pytest.UsageError(f"TEST_BACKENDS must be auto, docker or embedded, not {mode!r}")
    return mode


def decided_mode() -> str:
    """`docker` or `embedded`. Left to choose, Docker needs a daemon that has or gets the images."""
    mode = asked_mode()
    if mode != "auto":
        return mode
    return "docker" if _docker_usable() else "embedded"


@contextlib.contextmanager
def running_nats(mode: str) -> Iterator[str]:
    """The URL of a server with JetStream."""
    with (_container_nats if mode == "docker" else _embedded_nats)() as url:
        yield url


@contextlib.asynccontextmanager
async def empty_log(url: str) -> AsyncIterator[JetStreamContext]:
    """A connection to a server that holds no streams any more."""
    connection = await nats.connect(url)
    try:
        context = connection.jetstream()
        for stream in await context.streams_info():
            await context.delete_stream(stream.config.name or "")
        yield context
    finally:
        await connection.close()


@contextlib.contextmanager
def running_postgres(mode: str) -> Iterator[str]:
    """The superuser's DSN."""
    with (_container_postgres if mode == "docker" else _embedded_postgres)() as dsn:
        yield dsn


async def make_template(admin_dsn: str) -> None:
    """A database with the schema in it, to copy from; both login roles may use its copies."""
    await ensure_database(admin_dsn, name=TEMPLATE)
    if any(MIGRATIONS.glob("*.sql")):
        template = dsn_of(admin_dsn, database=TEMPLATE)
        await migrate(template, migrations=MIGRATIONS)
        await ensure_logins(template, passwords={WRITER: LOGIN_PASSWORD, READER: LOGIN_PASSWORD})


@contextlib.asynccontextmanager
async def fresh_database(admin_dsn: str, *, name: str) -> AsyncIterator[str]:
    """The superuser's DSN of a copy of the template, dropped afterwards."""
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE} STRATEGY file_copy')
        try:
            yield dsn_of(admin_dsn, database=name)
        finally:
            await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


def dsn_of(dsn: str, *, database: str | None = None, user: str | None = None) -> str:
    """The same server, with another database or as one of the login roles."""
    start, _, kept = dsn.rpartition("/")
    if user is not None:
        start = f"postgresql://{user}:{LOGIN_PASSWORD}@{start.rpartition('@')[2]}"
    return f"{start}/{database or kept}"


def free_port_base() -> int:
    """For a whole devstack: below the range from which the system hands out ports by itself."""
    bases = list(range(20_000, 32_000, SPAN))
    random.shuffle(bases)
    for base in bases:
        with contextlib.suppress(PortTakenError):
            require_free(Ports(base))
            return base
    raise RuntimeError("no twenty ports in a row are free")


def _docker_usable() -> bool:
    if not _daemon_listens():
        return False
    import docker
    from docker.constants import DEFAULT_DOCKER_API_VERSION
    from docker.errors import DockerException, ImageNotFound
    from requests.exceptions import RequestException
    from testcontainers.core.config import testcontainers_config

    # With a version given it asks nothing yet: a client that fails later can be closed.
    client = docker.from_env(timeout=60, version=DEFAULT_DOCKER_API_VERSION)
    try:
        client.ping()
        for image in (NATS_IMAGE, POSTGRES_IMAGE, testcontainers_config.ryuk_image):
            try:
                client.images.get(image)
            except ImageNotFound:
                client.images.pull(image)
    except (DockerException, RequestException):
        return False
    finally:
        client.close()
    return True


# Asked beforehand, since the library leaks its socket when nobody listens.
def _daemon_listens() -> bool:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(host.removeprefix("unix://")) == 0


@contextlib.contextmanager
def _container_nats() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    container = (
        DockerContainer(NATS_IMAGE)
        .with_command("-js -sd /tmp/js")
        .with_tmpfs_mount("/tmp")
        .with_exposed_ports(4222)
        .waiting_for(LogMessageWaitStrategy("Server is ready"))
    )
    with container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(4222)
        yield f"nats://{host}:{port}"


@contextlib.contextmanager
def _container_postgres() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer(POSTGRES_IMAGE, driver=None) as container:
        yield container.get_connection_url()


@contextlib.contextmanager
def _embedded_nats() -> Iterator[str]:
    with scratch_folder() as directory:
        server = NatsServer(directory=directory, port=free_port(), user="test", password="test")
        with running_process(server.prepare(), log=directory / "nats.log"):
            asyncio.run(server.wait_ready())
            yield server.url


@contextlib.contextmanager
def _embedded_postgres() -> Iterator[str]:
    with scratch_folder() as directory:
        log_file = directory / "postgres.log"
        server = PostgresServer(
            directory=directory, port=free_port(), password="test", durable=False
        )
        with open_log(log_file) as log:
            command = asyncio.run(server.prepare(server.place(), log=log))
        with running_process(command, log=log_file):
            asyncio.run(server.wait_ready())
            yield server.url()


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="alertwire-test-"))
    directory.chmod(0o755)  # PostgreSQL's user passes through
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@contextlib.contextmanager
def running_process(command: Command, *, log: Path) -> Iterator[None]:
    with open_log(log) as descriptor:
        process = subprocess.Popen(command.argv, **spawn_options(command, log=descriptor))
    try:
        yield
    finally:
        process.send_signal(command.stop_signal)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
