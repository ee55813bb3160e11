"""`python -m bench`: measures the stack as it is shipped, prints a table, writes `bench.json`."""

import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from bench.disk import sync_ms
from bench.errors import BenchError
from bench.goals import verdicts
from bench.options import Options, parse
from bench.report import USUAL, complaint, document
from bench.running import Outcome, whole_run
from bench.signalled import say, until_signalled
from bench.tables import tables, verdict_table


def main() -> int:
    """0: every alert has its order; 1: not so, or it could not be run; 130: interrupted."""
    options = parse(sys.argv[1:])
    machine = _machine()
    folder = Path(tempfile.mkdtemp(prefix="alertwire-bench-"))
    # PostgreSQL's user must pass through; the files that matter are private themselves.
    folder.chmod(0o755)
    try:
        machine |= {"disk_sync_ms": sync_ms(folder)}
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(
                until_signalled(lambda tell: whole_run(options, folder=folder, tell=tell))
            )
    except asyncio.CancelledError:
        say("interrupted: everything is stopped, nothing was written")
        return 130
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _conclude(outcome, options=options, machine=machine)


def _conclude(outcome: Outcome, *, options: Options, machine: dict[str, Any]) -> int:
    machine |= {"load_average_after": _load_average()}
    judged = verdicts(outcome.results, options)
    written = document(
        outcome.results,
        machine=machine,
        settings=options.shown()
        | {"durability": outcome.durability, "spans_received": outcome.spans},
        restarted=outcome.restarted,
        verdicts=judged,
    )
    options.out.write_text(json.dumps(written, indent=2) + "\n")
    say(f"\n{tables(outcome.results)}\n\n{verdict_table(judged)}\n")
    say(
        f"{machine['cores']} cores, Python {machine['python']}, a disk that syncs in"
        f" {machine['disk_sync_ms']:.2f} ms, load average"
        f" {machine['load_average_before']} before and {machine['load_average_after']} after;"
        f" every figure is in {options.out}"
    )
    for name in outcome.restarted:
        say(f"{name} was restarted during the run")
    complaints = [
        told for each in outcome.results if each.system != USUAL and (told := complaint(each))
    ]
    for told in complaints:
        print(f"error: {told}", file=sys.stderr)
    return 1 if complaints else 0


def _machine() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average_before": _load_average(),
    }


def _load_average() -> float:
    return round(os.getloadavg()[0], 2)


if __name__ == "__main__":
    sys.exit(main())
