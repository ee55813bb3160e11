"""What child processes print: one file each, appended to, cut off before it fills the disk."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_LIMIT_BYTES = 20_000_000
_TAIL_LINES = 15


@contextlib.contextmanager
def open_log(path: Path) -> Iterator[int]:
    """A descriptor to hand to a child; a file over 20 MB is set aside as `.1` first."""
    if path.exists() and path.stat().st_size > _LIMIT_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def size_of(descriptor: int) -> int:
    return os.fstat(descriptor).st_size


def tail(path: Path, *, start: int) -> str:
    """The last lines after the byte `start`."""
    with path.open("rb") as log:
        log.seek(start)
        return "\n".join(log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:])
