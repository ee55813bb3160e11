"""One child process to be: what to run, as whom, and how to end it.

Children live in a session of their own, so that a terminal's Ctrl-C reaches only the supervisor,
and on Linux the kernel ends them when the supervisor dies without a word.
"""

import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.devstack.identity import Identity

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: the child must not import or allocate more than it has to.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    name: str
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    identity: Identity | None = None
    """As whom to run; None means as the supervisor."""
    tier: int = 1
    """Higher tiers are stopped first: the services before what they stand on."""


def spawn_options(command: Command, *, log: int) -> dict[str, Any]:
    """Keyword arguments for `subprocess.Popen` (and asyncio's counterpart); output goes to `log`.

    Start children from the main thread: the kernel ties a child's life to the starting thread.
    """
    options: dict[str, Any] = {
        "cwd": command.cwd,
        "env": dict(command.env),
        "stdin": subprocess.DEVNULL,
        "stdout": log,
        "stderr": log,
        "start_new_session": True,
        "preexec_fn": _die_with(os.getpid(), signal_number=_orphan_signal(command)),
    }
    if command.identity is not None:
        options |= command.identity.spawn_options()
    return options


def _orphan_signal(command: Command) -> int:
    # Postgres ends its own children on SIGINT and would leave them behind on SIGKILL.
    return command.stop_signal if command.stop_signal == signal.SIGINT else signal.SIGKILL


def _die_with(parent: int, *, signal_number: int) -> Callable[[], None]:
    # Runs in the child after its change of user, which would clear the setting.
    def before_exec() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return before_exec
