"""How long the disk takes to keep a small write, which bounds a log that syncs before it acks."""

import os
import time
from pathlib import Path

from bench.figures import percentile

_WRITES = 100
_BLOCK = bytes(1024)


def sync_ms(folder: Path) -> float:
    """The median time of a write with its sync, one after the other."""
    times: list[float] = []
    path = folder / "sync"
    with path.open("wb", buffering=0) as file:
        for _ in range(_WRITES):
            began = time.perf_counter()
            file.write(_BLOCK)
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    path.unlink()
    return percentile(sorted(times), 0.5)
