"""Which process this is, said so that another one on the same machine can tell whether it still
lives, and one elsewhere cannot be mistaken.
"""

import os
from functools import cache
from pathlib import Path
from uuid import uuid4

import msgspec

_PROC = Path("/proc")


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A process. Where the system has no /proc, only `token` tells it apart."""

    token: str
    host: str
    pid: int
    boot: str = ""
    """The machine's boot, and the namespace that `pid` counts in."""
    started: str = ""
    """In the kernel's ticks since the boot: a pid may be given again."""


@cache
def this_process() -> Holder:
    pid = os.getpid()
    return Holder(
        token=uuid4().hex,
        host=os.uname().nodename,
        pid=pid,
        boot=_boot(),
        started=_started(pid),
    )


def is_certainly_dead(holder: Holder) -> bool:
    """True only where the process ran on this machine, in this namespace, and is gone."""
    if not holder.boot or not holder.started or holder.boot != _boot():
        return False
    return _started(holder.pid) != holder.started


def _boot() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Empty where there is no such process, or where it has ended and nobody has noticed."""
    try:
        # The name in brackets may hold spaces and brackets itself.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = fields[0], fields[19]
    return "" if state in {"Z", "X"} else started
