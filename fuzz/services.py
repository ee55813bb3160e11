"""Both HTTP APIs of a whole stack on loopback, asked for as long as there is time; what they take
of memory is looked at meanwhile.
"""

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fuzz.apis import Api, Driven, drive
from fuzz.hammering import hammer
from fuzz.seeds import ROOT
from tests.e2e.running_stack import RunningStack

GROWTH_MAX_MB = 48
"""Between the first round, which fills every cache, and the last one."""
_ASKED = ("ingest", "console")
_EXAMPLES = 15
_ROUNDS_MIN = 2
_HAMMERED = 2_000
"""Requests of a round to each of them, besides those that are made from the descriptions."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    driven: Driven
    rounds: int
    memory_mb: dict[str, tuple[int, int]]
    """Of each process after the first round and at the end."""

    @property
    def findings(self) -> list[str]:
        grown = [
            f"{name} grew from {before} to {after} MB"
            for name, (before, after) in self.memory_mb.items()
            if after - before > GROWTH_MAX_MB
        ]
        return [*self.driven.findings, *grown]

    def __str__(self) -> str:
        statuses = ", ".join(
            f"{n} x {status}" for status, n in sorted(self.driven.statuses.items())
        )
        memory = ", ".join(f"{name} {a} to {b} MB" for name, (a, b) in self.memory_mb.items())
        return f"{self.driven.calls} calls in {self.rounds} rounds ({statuses}); {memory}"


def fuzz_services(seconds: float, *, seed: int) -> Asked:
    with _stack() as stack:
        apis = _apis(stack)
        pids = {name: stack.description["processes"][name] for name in _ASKED}
        driven = Driven()
        first: dict[str, int] = {}
        began = time.monotonic()
        rounds = 0
        while rounds < _ROUNDS_MIN or time.monotonic() - began < seconds:
            for api in apis:
                driven.add(drive(api, examples=_EXAMPLES, seed=seed * 1_000 + rounds))
            ingest, console = apis
            driven.add(hammer(ingest, console, requests=_HAMMERED, seed=seed * 1_000 + rounds))
            rounds += 1
            first = first or {name: resident_mb(pid) for name, pid in pids.items()}
        memory = {name: (first[name], resident_mb(pid)) for name, pid in pids.items()}
        return Asked(driven=driven, rounds=rounds, memory_mb=memory)


def resident_mb(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


@contextlib.contextmanager
def _stack() -> Iterator[RunningStack]:
    folder = Path(tempfile.mkdtemp(prefix="alertwire-fuzz-"))
    # PostgreSQL's user must pass through; the files that matter are private themselves.
    folder.chmod(0o755)
    stack = RunningStack(folder / "stack")
    try:
        stack.start()
        yield stack
    finally:
        stack.stop_if_running()
        shutil.rmtree(folder, ignore_errors=True)


def _apis(stack: RunningStack) -> tuple[Api, Api]:
    told = stack.description
    webhook = urlsplit(told["demo"]["webhook"])
    descriptions = ROOT / "docs" / "openapi"
    ingest = Api(
        url=f"{webhook.scheme}://{webhook.netloc}",
        description=json.loads((descriptions / "ingest.json").read_text()),
        named={"token": webhook.path.rpartition("/")[2]},
    )
    console = Api(
        url=told["console"],
        description=json.loads((descriptions / "console.json").read_text()),
        token=told["console_token"],
        named={"route_id": "demo", "account_id": "paper"},
        # An account that was made here is asked about at no exchange.
        said={"base_url": "http://127.0.0.1:9", "ws_url": "ws://127.0.0.1:9/edge"},
        # Accounts that were just made, or whose exchange does not answer.
        away=("The executor", "No executor has answered"),
    )
    return ingest, console
