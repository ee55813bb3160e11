"""What every measurement does at a terminal: a folder for a while, a run that can be interrupted,
its figures in a file and complaints at the end.
"""

import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import uvloop

from bench.errors import BenchError
from bench.signalled import Tell, say, until_signalled
from chaos.errors import ChaosError

T = TypeVar("T")


def run_measurement(
    *, prefix: str, whole: Callable[[Path, Tell], Awaitable[T]], conclude: Callable[[T, Path], int]
) -> int:
    """What `conclude` returns, which still finds the folder; 1: it could not be run; 130: it was
    interrupted.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    # PostgreSQL's user must pass through; the files that matter are private themselves.
    folder.chmod(0o755)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(until_signalled(lambda tell: whole(folder, tell)))
        return conclude(outcome, folder)
    except asyncio.CancelledError:
        say("interrupted: everything is stopped, nothing was written")
        return 130
    except (BenchError, ChaosError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average_after": round(os.getloadavg()[0], 2),
    }


def write_figures(figures: dict[str, object], *, out: Path) -> None:
    out.write_text(json.dumps(figures, indent=2) + "\n")


def complain(complaints: Sequence[str]) -> int:
    """The exit status."""
    for told in complaints:
        print(f"error: {told}", file=sys.stderr)
    return 1 if complaints else 0
