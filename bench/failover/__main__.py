"""`python -m bench.failover`: ends whichever executor or router works, and tells how long the other
takes to go on.
"""

import asyncio
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench.errors import BenchError
from bench.failover.options import Options, parse
from bench.failover.report import document, table, verdict
from bench.failover.running import Measurement, Outcome
from chaos.errors import ChaosError
from chaos.report import complaints


def main() -> int:
    """0: every alert was executed once and in order; 1: not so, or it could not be run; 130:
    interrupted.
    """
    options = parse(sys.argv[1:])
    folder = Path(tempfile.mkdtemp(prefix="alertwire-failover-"))
    # PostgreSQL's user must pass through; the files that matter are private themselves.
    folder.chmod(0o755)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(_until_signalled(options, folder))
        return _conclude(outcome, options=options, directory=folder / "stack")
    except asyncio.CancelledError:
        _say("interrupted: everything is stopped, nothing was written")
        return 130
    except (BenchError, ChaosError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _until_signalled(options: Options, folder: Path) -> Outcome:
    running = asyncio.current_task()
    assert running is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    began = time.monotonic()

    def tell(text: str) -> None:
        _say(f"{time.monotonic() - began:6.1f} s  {text}")

    return await Measurement(options=options, folder=folder, tell=tell).whole()


def _conclude(outcome: Outcome, *, options: Options, directory: Path) -> int:
    machine: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average_after": round(os.getloadavg()[0], 2),
    }
    written = document(outcome.costs, settings=options.shown(), machine=machine)
    options.out.write_text(json.dumps(written, indent=2) + "\n")
    _say(f"\n{table(outcome.costs)}\n")
    _say(f"{verdict(outcome.costs)}; every figure is in {options.out}")
    if outcome.violations:
        for line in complaints(outcome.violations, directory=directory):
            print(f"error: {line}", file=sys.stderr)
        return 1
    _say(f"{outcome.alerts} alerts made {outcome.orders} orders, each once and in order")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
