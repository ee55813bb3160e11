"""A month of the trail as a file: JSON lines, gzipped where the name says so. The first line tells
what is in it and where its chains begin and end; each further line is a row. The same rows make
the same file to the byte.
"""

import contextlib
import gzip
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import UUID

import click
import msgspec

from services.auditor.rows import Row
from tools.cli.audit_suspecting import Edge, Kept

FORMAT = "alertwire-audit-1"
_DIGEST_BYTES = 1 << 20


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """One stream's part of a month: what it begins behind, and its last row."""

    stream: str
    rows: int
    before_seq: int
    before_hash: str
    first_seq: int
    last_seq: int
    hash: str
    last_stored_at: datetime

    def before(self) -> Edge:
        return Edge(seq=self.before_seq, hash=bytes.fromhex(self.before_hash))

    def end(self) -> Edge:
        return Edge(seq=self.last_seq, hash=bytes.fromhex(self.hash))


class Header(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    month: str
    streams: tuple[Extent, ...]


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    stream: str
    seq: int
    stored_at: datetime
    at: datetime
    subject: str
    stage: str
    service: str | None = None
    event_id: str | None = None
    alert_id: UUID | None = None
    route: str | None = None
    account: str | None = None
    symbol: str | None = None
    client_order_id: str | None = None
    intent_id: str | None = None
    traceparent: str | None = None
    made_by: str | None = None
    body: bytes
    """In base64, so that it is the same to the byte."""
    doc: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    hash: str


_encoder = msgspec.json.Encoder()
_header_decoder = msgspec.json.Decoder(Header)
_line_decoder = msgspec.json.Decoder(_Line)
_PLAIN = tuple(name for name in Row.__slots__ if name != "doc")


class NoExport(click.ClickException):
    """The file is none of ours, or broken."""


async def write_export(path: Path, *, header: Header, rows: AsyncIterator[Kept]) -> int:
    """Write the file whole or not at all; returns the number of rows."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    written = 0
    try:
        with unfinished.open("wb") as raw:
            with _packed(raw, name=path.name) as out:
                out.write(_encoder.encode(header) + b"\n")
                async for kept in rows:
                    out.write(_encoder.encode(_line(kept)) + b"\n")
                    written += 1
            raw.flush()
            os.fsync(raw.fileno())
        unfinished.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return written


def read_header(path: Path) -> Header:
    with _unpacked(path) as lines:
        return _header(path, lines.readline())


def read_rows(path: Path) -> Iterator[Kept]:
    """Raises `NoExport` at the first line that is no row."""
    with _unpacked(path) as lines:
        _header(path, lines.readline())
        for number, line in enumerate(lines, 2):
            try:
                yield _kept(_line_decoder.decode(line))
            except (msgspec.MsgspecError, ValueError) as error:
                raise NoExport(f"{path}: line {number} is no row: {error}") from None


def digest(path: Path) -> bytes:
    """The SHA-256 of the file as it lies there."""
    found = hashlib.sha256()
    with path.open("rb") as raw:
        while part := raw.read(_DIGEST_BYTES):
            found.update(part)
    return found.digest()


def _header(path: Path, line: bytes) -> Header:
    try:
        header = _header_decoder.decode(line)
    except msgspec.MsgspecError:
        raise NoExport(f"{path} is no export of the trail") from None
    if header.format != FORMAT:
        raise NoExport(f"{path} is of the format {header.format}, and this reads {FORMAT}")
    return header


def _line(kept: Kept) -> _Line:
    row = kept.row
    values = {name: getattr(row, name) for name in _PLAIN}
    doc = msgspec.UNSET if row.doc is None else msgspec.Raw(row.doc.encode())
    return _Line(**values, doc=doc, hash=kept.hash.hex())


def _kept(line: _Line) -> Kept:
    values = {name: getattr(line, name) for name in _PLAIN}
    doc = None if isinstance(line.doc, msgspec.UnsetType) else bytes(line.doc).decode()
    return Kept(row=Row(**values, doc=doc), hash=bytes.fromhex(line.hash))


@contextlib.contextmanager
def _packed(raw: IO[bytes], *, name: str) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if not name.endswith(".gz"):
        yield raw
        return
    # Without the time and the name, or the same rows would make another file.
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        yield packed


@contextlib.contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    try:
        with path.open("rb") as raw:
            if path.name.endswith(".gz"):
                with gzip.GzipFile(fileobj=raw, mode="rb") as lines:
                    yield lines
            else:
                yield raw
    except (EOFError, gzip.BadGzipFile) as error:
        raise NoExport(f"{path} is broken: {error}") from None
    except OSError as error:
        raise NoExport(f"{path} cannot be read: {error.strerror or error}") from None


# The name must outlast a power loss too, since the rows may be dropped next.
def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
