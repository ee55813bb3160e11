"""What a backup consists of: `manifest.json`, which is written last, so that a folder without it is
no backup. It names every file with its size and digest.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from tools.devstack.private_files import write_private

MANIFEST = "manifest.json"
FORMAT = 1
_PIECE_BYTES = 1024 * 1024


class SavedFile(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    bytes: int
    sha256: str


class SavedStream(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    messages: int
    first_seq: int
    last_seq: int
    file: SavedFile
    config: dict[str, Any]
    state: dict[str, Any]
    consumers: tuple[str, ...] = ()
    """Those that stay: router, executor shards, auditor."""


class SavedDatabase(msgspec.Struct, frozen=True, kw_only=True):
    file: SavedFile
    server: str
    """PostgreSQL's version."""
    heads: dict[str, int]
    """Where the trail ended, of each stream."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int = FORMAT
    made_at: datetime
    alertwire: str
    nats: str
    streams: list[SavedStream]
    """In the order in which they were saved, which is that in which they are put back."""
    database: SavedDatabase | None = None

    def files(self) -> list[SavedFile]:
        found = [stream.file for stream in self.streams]
        return found if self.database is None else [*found, self.database.file]


def saved_file(path: Path) -> SavedFile:
    return SavedFile(name=path.name, bytes=path.stat().st_size, sha256=_digest(path))


def write_manifest(directory: Path, manifest: Manifest) -> None:
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    write_private(directory / MANIFEST, text.decode() + "\n")


def read_manifest(directory: Path) -> Manifest:
    """Of a whole backup: every file is there and is what it was. Raises `click.ClickException`."""
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise click.ClickException(f"{directory} holds no backup, or one broken off") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise click.ClickException(f"{directory / MANIFEST} cannot be read: {error}") from None
    if manifest.format > FORMAT:
        raise click.ClickException(
            f"this backup is of a newer release: its format is {manifest.format}, ours {FORMAT}"
        )
    for file in manifest.files():
        path = directory / file.name
        if not path.is_file():
            raise click.ClickException(f"{file.name} is missing in the backup")
        if path.stat().st_size != file.bytes or _digest(path) != file.sha256:
            raise click.ClickException(f"{file.name} is not what it was when it was saved")
    return manifest


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
