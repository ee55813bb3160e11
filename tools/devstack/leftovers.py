"""Ends what a killed earlier `up` has left running.

Process ids are reused, so each is kept with the time its process started.
"""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tools.devstack.private_files import read_json, write_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """Processes by name, on disk as `pids.json`."""

    path: Path

    def write(self, pids: dict[str, int]) -> None:
        started = {name: {"pid": pid, "started": start_of(pid)} for name, pid in pids.items()}
        write_json(self.path, started)

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)

    def still_running(self) -> dict[str, int]:
        kept = read_json(self.path) or {}
        return {
            name: entry["pid"]
            for name, entry in kept.items()
            if entry["started"] is not None and start_of(entry["pid"]) == entry["started"]
        }


def end_leftovers(record: Record, *, timeout_s: float = 8.0) -> list[str]:
    """End every recorded process that still runs; returns their names."""
    found = record.still_running()
    for name, pid in found.items():
        _signal(pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while record.still_running() and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in record.still_running().values():
        _signal(pid, signal.SIGKILL)
    while record.still_running() and time.monotonic() < deadline + 2:
        time.sleep(0.05)
    record.clear()
    return sorted(found)


def start_of(pid: int) -> str | None:
    """When a process started, in whatever unit the system has; None if it does not run."""
    if sys.platform != "linux":
        shown = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return shown.stdout.strip() or None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the name in brackets, which may itself hold spaces and brackets.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else fields[18]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
