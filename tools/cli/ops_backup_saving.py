"""Saves the log and the database, in the order in which a restore can put them together again.

The database comes first and the log last: what the trail lacks then stands in the log, and the
auditor brings it. Anchors come before what they name.
"""

from datetime import UTC, datetime
from pathlib import Path

import click

from libs.common.bus import Bus
from libs.common.connecting import Access
from libs.common.consumers_made import consumers_made
from libs.common.contracts import subjects
from libs.common.metrics import release
from libs.common.secret import Secret
from tools.cli import ops_backup_database as database
from tools.cli.ops_backup_manifest import (
    Manifest,
    SavedDatabase,
    SavedStream,
    saved_file,
    write_manifest,
)
from tools.cli.ops_backup_reaching import reached
from tools.cli.ops_backup_snapshots import Tell, now_and_then, save_stream

NOT_SAVED = frozenset({subjects.BUCKET_OWNERS, subjects.BUCKET_SESSIONS})
"""Who owned a name or was signed in is nothing to bring back."""
STREAMS = (
    subjects.ANCHORS,
    *(subjects.bucket_stream(each) for each in subjects.BUCKETS if each not in NOT_SAVED),
    subjects.STREAM,
)
_DUMP = "database.dump"


async def save(directory: Path, *, log: Access, database: Secret | None, tell: Tell) -> Manifest:
    """To a folder that is new or empty."""
    _make_room(directory)
    made_at = datetime.now(UTC)
    saved = None if database is None else await _save_database(directory, database, tell=tell)
    async with reached(log) as bus:
        streams = [await _save(bus, stream, directory=directory, tell=tell) for stream in STREAMS]
        server = str(bus.client.connected_server_version)
    manifest = Manifest(
        made_at=made_at, alertwire=release(), nats=server, streams=streams, database=saved
    )
    write_manifest(directory, manifest)
    return manifest


def _make_room(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise click.ClickException(f"{directory} is not empty")
    except OSError as error:
        raise click.ClickException(f"{directory} cannot be used: {error.strerror}") from None


async def _save_database(directory: Path, url: Secret, *, tell: Tell) -> SavedDatabase:
    tell("the database is being saved")
    path = directory / _DUMP
    heads = await database.heads(url)
    server = await database.server_version(url)
    await database.dump(url, path=path)
    return SavedDatabase(file=saved_file(path), server=server, heads=heads)


async def _save(bus: Bus, stream: str, *, directory: Path, tell: Tell) -> SavedStream:
    tell(f"{stream} is being saved")
    path = directory / f"{stream}.snapshot"
    made = await consumers_made(bus.js, stream)
    told = await save_stream(bus, stream, path=path, tell=now_and_then(tell))
    state = told["state"]
    return SavedStream(
        name=stream,
        messages=state["messages"],
        first_seq=state["first_seq"],
        last_seq=state["last_seq"],
        file=saved_file(path),
        config=told["config"],
        state=state,
        consumers=tuple(sorted(each for each, info in made.items() if info.config.durable_name)),
    )
