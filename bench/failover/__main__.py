"""`python -m bench.failover`: ends whichever executor or router works, and tells how long the other
takes to go on.
"""

import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench.errors import BenchError
from bench.failover.options import Options, parse
from bench.failover.report import document, table, verdict
from bench.failover.running import Measurement, Outcome
from bench.signalled import say, until_signalled
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
            outcome = runner.run(
                until_signalled(
                    lambda tell: Measurement(options=options, folder=folder, tell=tell).whole()
                )
            )
        return _conclude(outcome, options=options, directory=folder / "stack")
    except asyncio.CancelledError:
        say("interrupted: everything is stopped, nothing was written")
        return 130
    except (BenchError, ChaosError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    say(f"\n{table(outcome.costs)}\n")
    say(f"{verdict(outcome.costs)}; every figure is in {options.out}")
    if outcome.violations:
        for line in complaints(outcome.violations, directory=directory):
            print(f"error: {line}", file=sys.stderr)
        return 1
    say(f"{outcome.alerts} alerts made {outcome.orders} orders, each once and in order")
    return 0


if __name__ == "__main__":
    sys.exit(main())
