"""`python -m bench.outage`: stops PostgreSQL for minutes under load, and tells who notices it."""

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
from bench.outage.options import Options, parse
from bench.outage.report import complaints, document, story, table
from bench.outage.running import Measurement, Outcome
from bench.signalled import say, until_signalled
from chaos.errors import ChaosError


def main() -> int:
    """0: nothing was delayed beyond telling or lost; 1: something was, or it could not be run; 130:
    interrupted.
    """
    options = parse(sys.argv[1:])
    folder = Path(tempfile.mkdtemp(prefix="alertwire-outage-"))
    # PostgreSQL's user must pass through; the files that matter are private themselves.
    folder.chmod(0o755)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(
                until_signalled(
                    lambda tell: Measurement(options=options, folder=folder, tell=tell).whole()
                )
            )
    except asyncio.CancelledError:
        say("interrupted: everything is stopped, nothing was written")
        return 130
    except (BenchError, ChaosError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _conclude(outcome, options=options)


def _conclude(outcome: Outcome, *, options: Options) -> int:
    machine: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_after": round(os.getloadavg()[0], 2),
    }
    written = document(outcome, settings=options.shown(), machine=machine)
    options.out.write_text(json.dumps(written, indent=2) + "\n")
    say(f"\n{table(outcome)}\n\n{story(outcome)}; every figure is in {options.out}")
    for line in complaints(outcome):
        print(f"error: {line}", file=sys.stderr)
    return 0 if outcome.is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
