"""`alertwire ops backup` and `ops restore`: the log and the database in a folder, and back.

What is in it and what is not, and what a restore does so that no order is sent again, stands in
docs/operations.md.
"""

import asyncio
from pathlib import Path
from typing import Any

import click

from tools.cli.ops_backup_manifest import Manifest, read_manifest
from tools.cli.ops_backup_saving import save
from tools.cli.ops_restoring import Restored, Restoring
from tools.cli.place import Place, with_place
from tools.cli.showing import counted, examples, json_option, print_json

_DIRECTORY = click.argument("directory", type=click.Path(file_okay=False, path_type=Path))


@click.command(
    epilog=examples(
        "alertwire ops backup /backups/2026-11-29",
        "alertwire ops backup /backups/2026-11-29 --verify",
    )
)
@_DIRECTORY
@click.option("--no-database", is_flag=True, help="The log alone: something else saves Postgres.")
@click.option("--verify", is_flag=True, help="Save nothing: look whether a backup is whole.")
@json_option
@with_place
def backup(
    *, directory: Path, no_database: bool, verify: bool, as_json: bool, place: Place
) -> None:
    """Save the log and the database to a new folder, while everything runs.

    Every stream with its consumers, routes and accounts, sealed secrets as they are. NOT in it: the
    executor's sealing key, without which nobody opens those; the console's users; settings.
    """
    if verify:
        manifest = read_manifest(directory)
    else:
        database = None if no_database else place.postgres_url()
        manifest = asyncio.run(save(directory, log=place.nats(), database=database, tell=_aside))
    if as_json:
        print_json(_told(manifest))
        return
    for stream in manifest.streams:
        what = counted(stream.messages, "message")
        click.echo(f"{stream.name:<16} {what} up to {stream.last_seq}")
    if manifest.database is None:
        click.echo("database         not in this backup")
    else:
        click.echo(f"database         {counted(manifest.database.file.bytes, 'byte')}")
    size = sum(file.bytes for file in manifest.files())
    whole = "whole" if verify else "saved"
    click.echo(f"{whole}: {size / 1e6:,.1f} MB of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")


@click.command(
    epilog=examples(
        "alertwire ops restore /backups/2026-11-29",
        "alertwire ops restore /backups/2026-11-29 --keep-database",
        "alertwire ops restore /backups/2026-11-29 --replicas 1 --placement -",
    )
)
@_DIRECTORY
@click.option("--replace", is_flag=True, help="Delete the log that is there.")
@click.option(
    "--keep-database",
    is_flag=True,
    help="The database is there already, restored by something else or never lost.",
)
@click.option(
    "--replace-database", is_flag=True, help="Delete the trail that is there, for the older one."
)
@click.option("--no-database", is_flag=True, help="There is none: the trail begins anew.")
@click.option(
    "--replicas",
    type=click.IntRange(1, 5),
    metavar="N",
    help="Servers that keep each message, if others than it was.",
)
@click.option(
    "--placement",
    multiple=True,
    metavar="TAG",
    help="Tag of the servers that may keep it, if others than it was; `-` for none.",
)
@json_option
@with_place
def restore(  # noqa: PLR0913 - its options
    *,
    directory: Path,
    replace: bool,
    keep_database: bool,
    replace_database: bool,
    no_database: bool,
    replicas: int | None,
    placement: tuple[str, ...],
    as_json: bool,
    place: Place,
) -> None:
    """Put a backup back, while no service runs; nothing that it left open is carried out again.

    Alerts and orders of which the log does not show the end become dead letters, and everything is
    halted: look at the exchange, then `alertwire resume`. Where the trail is newer than the log,
    the log is filled up from it.
    """
    if keep_database + replace_database + no_database > 1:
        raise click.UsageError(
            "--keep-database, --replace-database and --no-database exclude each other"
        )
    manifest = read_manifest(directory)
    restoring = Restoring(
        directory=directory,
        manifest=manifest,
        log=place.nats(),
        database=None if no_database else place.postgres_url(),
        replace=replace,
        keep_database=keep_database,
        replace_database=replace_database,
        replicas=replicas,
        placement=placement,
        tell=_aside,
    )
    restored = asyncio.run(restoring.run())
    if as_json:
        print_json(_told(manifest) | _outcome(restored))
        return
    _say(manifest, restored)


def _say(manifest: Manifest, restored: Restored) -> None:
    settled = restored.settled
    for stream, places in settled.taken_on.places.items():
        click.echo(f"{stream}: the trail was {counted(places, 'message')} ahead; they are back")
    for account in sorted(settled.taken_on.secrets_gone):
        click.echo(f"the key of account {account} was changed after the backup: enter it again")
    for what in settled.flattening:
        click.echo(f"the halt of {what} was to close what is held, and no longer does")
    if settled.buried:
        click.echo(
            f"{counted(len(settled.buried), 'message')} left open, now among the dead letters:"
            " alertwire dead list"
        )
    click.echo(
        f"restored from {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC; everything is halted until"
        " `alertwire resume`"
    )


def _told(manifest: Manifest) -> dict[str, Any]:
    return {
        "made_at": manifest.made_at.isoformat(),
        "alertwire": manifest.alertwire,
        "nats": manifest.nats,
        "streams": {
            stream.name: {
                "messages": stream.messages,
                "last_seq": stream.last_seq,
                "bytes": stream.file.bytes,
            }
            for stream in manifest.streams
        },
        "database": None
        if manifest.database is None
        else {"bytes": manifest.database.file.bytes, "heads": manifest.database.heads},
    }


def _outcome(restored: Restored) -> dict[str, Any]:
    settled = restored.settled
    return {
        "database_restored": restored.database,
        "taken_on": settled.taken_on.places,
        "secrets_gone": sorted(settled.taken_on.secrets_gone),
        "no_longer_flattening": settled.flattening,
        "buried": [
            {"service": each.service, "seq": each.seq, "alert_id": each.alert_id}
            for each in settled.buried
        ],
    }


def _aside(line: str) -> None:
    click.echo(line, err=True)
