"""`alertwire ops migrate`: the trail's schema brought up to date, and who logs in to it."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import asyncpg
import click

from libs.common.secret import Secret
from libs.common.settings import SettingsError, from_env, setting
from tools.cli.place import Place, with_place
from tools.cli.showing import counted, examples, json_option, print_json
from tools.logins import READER, WRITER, Group, Login, ensure_login
from tools.migrating import MIGRATIONS, MigrationError, apply_migrations, without_password

_TRY_AGAIN_S = 0.5
_CONNECT_TIMEOUT_S = 5.0
_LOCK = 0x616C_6572_7477_6972
"""Of the database: who migrates it holds this, so that a Job that is started twice works once."""
_DECIDED_MODES = {"disable", "require", "verify-ca", "verify-full"}
_NOT_THERE_YET = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.TooManyConnectionsError,
    # Of a server that an init script is still setting up.
    asyncpg.InvalidCatalogNameError,
)


@dataclass(frozen=True, kw_only=True)
class OwnerSettings:
    postgres_url: Secret | None = setting(
        "The trail, as the login that owns it: postgresql://user:password@…", default=None
    )


@dataclass(frozen=True, kw_only=True)
class Migrated:
    applied: list[str]
    logins: dict[str, str]
    """What was done to each: `created` or `updated`."""


class LoginOption(click.ParamType[Login]):
    """`NAME=GROUP=FILE`; or `NAME=FILE` and `GROUP=FILE` for the two names that the stack uses."""

    name = "login"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Login:
        known = {WRITER: Group.AUDITOR, READER: Group.VIEWER}
        words, file = value.split("=")[:-1], value.rpartition("=")[2]
        if len(words) == 1:
            by_group = {group.value: name for name, group in known.items()}
            words = [by_group.get(words[0], words[0])]
            words.append(known.get(words[0], ""))
        if len(words) != 2 or not words[0] or words[1] not in set(Group) or not file:
            self.fail(
                f"{value!r} is not NAME=GROUP=FILE with a group auditor or viewer", param, ctx
            )
        try:
            password = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.fail(f"the password of {words[0]} cannot be read: {error}", param, ctx)
        if not (password and password.isascii() and password.isprintable()):
            self.fail(f"{file} holds no password: one line of printable ASCII", param, ctx)
        return Login(name=words[0], group=Group(words[1]), password=Secret(password))


@click.command(
    epilog=examples(
        "alertwire ops migrate",
        "alertwire ops migrate --wait 120 --login auditor=/run/secrets/auditor-password",
        "alertwire ops migrate --login trail_reader=viewer=/run/secrets/reader-password",
    )
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long the database may take to answer.",
)
@click.option(
    "--login",
    "logins",
    type=LoginOption(),
    multiple=True,
    metavar="[NAME=]GROUP=FILE",
    help="Let NAME log in as a member of the group `auditor` or `viewer`, with the password in"
    f" FILE.  [names by default: {WRITER}, {READER}]",
)
@json_option
@with_place
def migrate(*, wait_s: float, logins: Sequence[Login], as_json: bool, place: Place) -> None:
    """Bring the audit database's schema up to date, and say what was applied.

    Takes the address from ALERTWIRE_POSTGRES_URL, or the file that ALERTWIRE_POSTGRES_URL_FILE
    names, as the login that owns the schema; with --login it needs the right to create roles.
    Nothing happens where all was done before. The database itself has to be there.
    """
    try:
        done = asyncio.run(_migrate(_address(place), wait_s=wait_s, logins=logins))
    except MigrationError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        print_json(asdict(done))
        return
    for name in done.applied:
        click.echo(f"applied {name}")
    count = counted(len(done.applied), "migration")
    click.echo(f"{count} applied" if done.applied else "the schema is up to date")
    for name, what in done.logins.items():
        click.echo(f"login {name} {what}")


def dbmate_url(url: str, *, encrypted: bool) -> str:
    """The address as dbmate takes it. It knows neither `prefer` nor `allow`, and no word at all
    means `require` to it, so it is told what our own connection has come to.
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if query.get("sslmode") not in _DECIDED_MODES:
        query["sslmode"] = "require" if encrypted else "disable"
    return urlunsplit(parts._replace(query=urlencode(query)))


def _address(place: Place) -> Secret:
    # Only ours: other variables are for other commands.
    mine = {name: value for name, value in os.environ.items() if "_POSTGRES_URL" in name}
    try:
        given = from_env(OwnerSettings, {} if place.named else mine).postgres_url
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    return given or place.postgres_url()


async def _migrate(url: Secret, *, wait_s: float, logins: Sequence[Login]) -> Migrated:
    address = url.reveal()
    try:
        async with _locked(address, wait_s=wait_s) as connection:
            before = await _versions(connection)
            encrypted = await connection.fetchval(
                "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            )
            await apply_migrations(dbmate_url(address, encrypted=bool(encrypted)))
            applied = await _versions(connection) - before
            done = {}
            for login in logins:
                created = await ensure_login(connection, login)
                done[login.name] = "created" if created else "updated"
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        words = without_password(str(error), url=address)
        raise MigrationError(f"Postgres: {words or type(error).__name__}") from None
    files = sorted(path.name for path in MIGRATIONS.glob("*.sql"))
    return Migrated(applied=[name for name in files if name.split("_")[0] in applied], logins=done)


@contextlib.asynccontextmanager
async def _locked(address: str, *, wait_s: float) -> AsyncIterator[asyncpg.Connection]:
    """A connection, as soon as the database is there and nobody else migrates it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while True:
        try:
            connection = await asyncpg.connect(address, timeout=_CONNECT_TIMEOUT_S)
            break
        except _NOT_THERE_YET:
            if loop.time() >= deadline:
                raise
            await asyncio.sleep(_TRY_AGAIN_S)
    try:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            if loop.time() >= deadline:
                raise MigrationError("somebody else is migrating this database")
            await asyncio.sleep(_TRY_AGAIN_S)
        yield connection
    finally:
        await connection.close(timeout=_CONNECT_TIMEOUT_S)


async def _versions(connection: asyncpg.Connection) -> set[str]:
    if await connection.fetchval("SELECT to_regclass('public.schema_migrations')") is None:
        return set()
    rows = await connection.fetch("SELECT version FROM public.schema_migrations")
    return {row["version"] for row in rows}
