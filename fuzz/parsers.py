"""Runs each target under atheris for its share of the time, one after the other."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fuzz.seeds import FOUND, ROOT, seeds
from fuzz.targets import TARGETS

BYTES_MAX = 64 * 1024
"""What ingest takes of a body at most."""
_UNIT_S = 10
_MEMORY_MB = 1024
_SHARES = {"alert": 0.4}
"""Of all time; the others share the rest."""
_STAT = re.compile(r"^stat::(\w+): +(\d+)$", re.MULTILINE)
_GRACE_S = 60


@dataclass(frozen=True, kw_only=True)
class Fuzzed:
    target: str
    executions: int
    per_s: int
    peak_mb: int
    found: str
    """How it ended, if not in time; empty where nothing was found."""

    def __str__(self) -> str:
        told = f"{self.executions} inputs, {self.per_s}/s, at most {self.peak_mb} MB"
        return f"{self.target}: {told}" + (f"\n{self.found}" if self.found else "")


def fuzz_parsers(seconds: float, *, seed: int) -> Iterator[Fuzzed]:
    rest = (1 - sum(_SHARES.values())) / (len(TARGETS) - len(_SHARES))
    for name in TARGETS:
        yield _fuzz(name, max(1, round(seconds * _SHARES.get(name, rest))), seed=seed)


def _fuzz(target: str, seconds: int, *, seed: int) -> Fuzzed:
    kept = FOUND / target
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="alertwire-fuzz-") as folder:
        for number, data in enumerate(seeds(target)):
            (Path(folder) / f"{number:04}").write_bytes(data)
        options = {
            "max_total_time": seconds,
            "max_len": BYTES_MAX,
            # 0 would be another one each time.
            "seed": seed + 1,
            "timeout": _UNIT_S,
            "rss_limit_mb": _MEMORY_MB,
            "print_final_stats": 1,
            "artifact_prefix": f"{kept}/",
        }
        done = subprocess.run(
            [
                *(sys.executable, "-m", "fuzz.guided", target, folder),
                *(f"-{name}={value}" for name, value in options.items()),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + _GRACE_S,
            check=False,
        )
    if not any(kept.iterdir()):
        kept.rmdir()
    output = done.stdout + done.stderr
    stats = {name: int(value) for name, value in _STAT.findall(output)}
    return Fuzzed(
        target=target,
        executions=stats.get("number_of_executed_units", 0),
        per_s=stats.get("average_exec_per_sec", 0),
        peak_mb=stats.get("peak_rss_mb", 0),
        found="" if done.returncode == 0 else output[-3_000:],
    )
