"""The devstack's folder, and the lock that keeps a second `up` out of it."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from tools.devstack.errors import DevstackError


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[Path]:
    """Make the folder if need be, hold its lock, which the kernel drops when we die, and give its
    absolute path.
    """
    directory = directory.absolute()
    _make(directory)
    with (directory / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DevstackError(
                f"another `alertwire up` runs on {directory}: stop it, or choose another --dir"
                " and --port-base"
            ) from None
        yield directory


def _make(directory: Path) -> None:
    if not directory.exists():
        directory.mkdir(parents=True)
        # PostgreSQL's user must pass through; the files that matter are private themselves.
        directory.chmod(0o755)
    (directory / "logs").mkdir(exist_ok=True)
