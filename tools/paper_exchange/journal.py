"""Keeps the books across restarts and crashes of the process: every applied command is one line,
written at once (without a sync to disk), and is replayed at the start. Replay ends in a snapshot,
so the journal stays short.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from libs.common.settings import SettingsError
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.commands import Command
from tools.paper_exchange.engine.contracts import Contracts
from tools.paper_exchange.engine.state import State

# A snapshot of full books takes a good part of a second, in which nothing is answered.
COMPACT_ABOVE_BYTES = 256 * 1024 * 1024
# The files hold paper secrets: their owner alone may read them.
_OWNER_ONLY = 0o600
_SETTING = "ALERTWIRE_STATE_DIR"


class JournalError(Exception):
    """The kept books cannot be read; the message names the file and the line."""


@contextlib.contextmanager
def sole_owner(directory: Path | None) -> Iterator[None]:
    """Keeps other processes from the books while the block runs: two would overwrite each other's.

    Raises `SettingsError` where another process has them, or the folder cannot be used.
    """
    if directory is None:
        yield
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / "owner", os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
    except OSError as error:
        raise SettingsError(f"{_SETTING} {directory} cannot be used: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(f"{_SETTING} {directory} is in use by another process") from None
        yield
    finally:
        os.close(descriptor)


class _Entry(msgspec.Struct):
    sequence: int
    command: Command


class _Snapshot(msgspec.Struct):
    sequence: int
    state: State


class Journal:
    """Open it with `restore`, then `append` what was applied."""

    def __init__(self, directory: Path) -> None:
        self._snapshot = directory / "snapshot.json"
        self._lines = directory / "journal.jsonl"
        self._encoder = msgspec.json.Encoder()
        self._descriptor = -1
        self._sequence = 0
        self._size = 0
        directory.mkdir(parents=True, exist_ok=True)

    def restore(self, contracts: Contracts, *, fresh: State) -> State:
        """The state as it was, or `fresh` where nothing was kept."""
        state = self._read_snapshot() or fresh
        for symbol, price in fresh.prices.items():
            state.prices.setdefault(symbol, price)
        if self._lines.exists():
            self._replay(state, contracts)
        self.compact(state)
        return state

    def append(self, command: Command) -> None:
        self._sequence += 1
        line = self._encoder.encode(_Entry(self._sequence, command)) + b"\n"
        os.write(self._descriptor, line)
        self._size += len(line)

    @property
    def is_long(self) -> bool:
        return self._size > COMPACT_ABOVE_BYTES

    def compact(self, state: State) -> None:
        """Write a snapshot and start the journal anew. A crash between the two is harmless: lines
        that the snapshot already holds are skipped by their sequence.
        """
        self.close()
        draft = self._snapshot.with_suffix(".new")
        draft.touch(mode=_OWNER_ONLY)
        draft.write_bytes(self._encoder.encode(_Snapshot(self._sequence, state)))
        draft.replace(self._snapshot)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        self._descriptor = os.open(self._lines, flags, _OWNER_ONLY)
        self._size = 0

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read_snapshot(self) -> State | None:
        if not self._snapshot.exists():
            return None
        try:
            kept = msgspec.json.decode(self._snapshot.read_bytes(), type=_Snapshot)
        except msgspec.DecodeError as error:
            raise JournalError(f"{self._snapshot} cannot be read: {error}") from None
        self._sequence = kept.sequence
        return kept.state

    def _replay(self, state: State, contracts: Contracts) -> None:
        decoder = msgspec.json.Decoder(_Entry)
        lines = self._lines.read_bytes().split(b"\n")
        # What follows the last newline was cut off by a crash, and was never answered.
        for place, line in enumerate(lines[:-1], start=1):
            try:
                entry = decoder.decode(line)
            except msgspec.DecodeError as error:
                raise JournalError(f"{self._lines} line {place}: {error}") from None
            if entry.sequence > self._sequence:
                apply(state, contracts, entry.command)
                self._sequence = entry.sequence
