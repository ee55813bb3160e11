"""`alertwire ops migrate` on a real PostgreSQL: an empty database becomes one that the auditor and
the console log in to, whoever calls it, and however often.
"""

import asyncio
import json
import socket
import subprocess
import sys
import uuid

import asyncpg
import pytest

from tests import backends
from tools.devstack.database import ensure_database
from tools.migrating import MIGRATIONS

pytestmark = pytest.mark.integration

OWNER_PASSWORD = "owner's:p@ss/word%"
OWNER_QUOTED = "owner%27s%3Ap%40ss%2Fword%25"
NOT_LONG = ["--wait", "0"]
NAMES = sorted(path.name for path in MIGRATIONS.glob("*.sql"))


@pytest.fixture
async def owned(pg_dsn):
    """The DSN of an empty database as its owner reaches it, who may create roles and is no
    superuser; the group roles may be there already, of another database of the same server.
    """
    name = f"test_{uuid.uuid4().hex}"
    await ensure_database(pg_dsn, name=name)
    admin = await asyncpg.connect(pg_dsn)
    quoted = OWNER_PASSWORD.replace("'", "''")
    await admin.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{quoted}'")
    await admin.execute(f'ALTER DATABASE "{name}" OWNER TO {name}')
    for group in ("auditor", "viewer"):
        if await admin.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", group):
            await admin.execute(f"GRANT {group} TO {name} WITH ADMIN OPTION")
    try:
        yield backends.dsn_of(pg_dsn, database=name, user=name).replace(
            f":{backends.LOGIN_PASSWORD}@", f":{OWNER_QUOTED}@"
        )
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        made = await admin.fetch("SELECT rolname FROM pg_roles WHERE rolname LIKE $1", f"{name}%")
        for row in sorted(made, key=lambda row: -len(row["rolname"])):
            await admin.execute(f"DROP OWNED BY {row['rolname']}")
            await admin.execute(f"DROP ROLE {row['rolname']}")
        await admin.close()


async def run(*arguments, environ):
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.cli", "ops", "migrate", *arguments),
        env={"PATH": "/usr/bin:/bin", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await child.communicate()
    text = output.decode()
    assert OWNER_PASSWORD not in text
    assert OWNER_QUOTED not in text
    return child.returncode, text


async def test_an_empty_database_is_migrated_once(owned, tmp_path):
    file = tmp_path / "url"
    file.write_text(owned + "\n")
    code, first = await run("--json", environ={"ALERTWIRE_POSTGRES_URL_FILE": str(file)})
    assert (code, json.loads(first)) == (0, {"applied": NAMES, "logins": {}})

    code, again = await run(environ={"ALERTWIRE_POSTGRES_URL": owned})
    assert (code, again) == (0, "the schema is up to date\n")


async def test_two_at_once_apply_each_migration_once(owned):
    environ = {"ALERTWIRE_POSTGRES_URL": owned}
    both = await asyncio.gather(*(run("--json", environ=environ) for _ in range(2)))
    assert [code for code, _ in both] == [0, 0], both
    applied = [json.loads(text)["applied"] for _, text in both]
    assert sorted(applied) == [[], NAMES]


async def test_logins_are_made_and_get_another_password(owned, tmp_path):
    database = owned.rpartition("/")[2]
    writer, reader = f"{database}_w", f"{database}_r"
    paths = {name: tmp_path / name for name in (writer, reader)}
    options = [
        *("--login", f"{writer}=auditor={paths[writer]}"),
        *("--login", f"{reader}=viewer={paths[reader]}"),
    ]
    for password, what in (("first-'quoted'", "created"), ("second", "updated")):
        for path in paths.values():
            path.write_text(password + "\n")
        code, output = await run(*options, environ={"ALERTWIRE_POSTGRES_URL": owned})
        assert code == 0, output
        assert password not in output
        assert output.endswith(f"login {writer} {what}\nlogin {reader} {what}\n")

        host = owned.rpartition("@")[2].rpartition("/")[0]
        for name, allowed in ((writer, True), (reader, False)):
            connection = await asyncpg.connect(
                f"postgresql://{host}/{database}", user=name, password=password
            )
            query = "SELECT has_table_privilege('audit_event', 'INSERT')"
            assert await connection.fetchval(query) is allowed
            await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://{host}/{database}", user=writer, password="wrong")


async def test_it_waits_for_a_database_that_comes_later(owned):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        host, _, real = owned.rpartition("@")[2].rpartition("/")[0].rpartition(":")
        later = owned.replace(f"{host}:{real}", f"127.0.0.1:{port}")
        running = asyncio.create_task(run(environ={"ALERTWIRE_POSTGRES_URL": later}))
        await asyncio.sleep(0.8)  # It is refused meanwhile: nobody listens yet.
    gate = await asyncio.start_server(
        lambda reader, writer: _pass_on(reader, writer, host=host, port=int(real)),
        "127.0.0.1",
        port,
    )
    async with gate:
        code, output = await running
    assert code == 0, output
    assert f"applied {NAMES[0]}" in output


async def _pass_on(reader, writer, *, host, port):
    there, back = await asyncio.open_connection(host, port)

    async def copy(source, target):
        while data := await source.read(65_536):
            target.write(data)
        target.close()

    await asyncio.gather(copy(reader, back), copy(there, writer))


@pytest.mark.parametrize(
    ("environ", "arguments", "code", "told"),
    [
        ({}, [], 1, "no stack is running"),
        ({"ALERTWIRE_POSTGRES_URL_FILE": "/nowhere"}, [], 2, "/nowhere: No such file"),
        (
            {"ALERTWIRE_POSTGRES_URL": "postgresql://u:hush@127.0.0.1:1/x"},
            ["--wait", "0"],
            1,
            "127",
        ),
        ({"ALERTWIRE_POSTGRES_URL": "x"}, ["--login", "a=b=c"], 2, "NAME=GROUP=FILE"),
        ({"ALERTWIRE_POSTGRES_URL": "x"}, ["--login", "auditor=/nowhere"], 2, "cannot be read"),
    ],
    ids=["nowhere", "file", "refused", "group", "password"],
)
async def test_what_is_wrong_is_told_without_a_password(environ, arguments, code, told):
    got, output = await run(*arguments, environ=environ)
    assert got == code
    assert told in output
    assert "hush" not in output


async def test_a_wrong_password_is_told_at_once(owned):
    wrong = owned.replace(OWNER_QUOTED, "no")
    code, output = await run(environ={"ALERTWIRE_POSTGRES_URL": wrong})
    assert code == 1
    assert "password authentication failed" in output


async def test_a_migration_that_fails_is_told_in_the_servers_words(owned):
    connection = await asyncpg.connect(owned)
    await connection.execute("CREATE TABLE audit_event (in_the_way int)")
    await connection.close()
    code, output = await run(environ={"ALERTWIRE_POSTGRES_URL": owned})
    assert code == 1
    assert "audit_event" in output
