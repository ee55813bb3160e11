"""`python -m chaos`: does everything to a stack that may be done to it, and looks whether it kept
its promises.
"""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import uvloop

from bench.errors import BenchError
from bench.signalled import Tell, say, until_signalled
from chaos.errors import ChaosError
from chaos.options import Options, parse
from chaos.planning import plan
from chaos.report import complaints, counted
from chaos.running import Outcome, Run


def main() -> int:
    """0: every promise was kept; 1: not so, or it could not be run; 130: interrupted."""
    options = parse(sys.argv[1:])
    folder = Path(tempfile.mkdtemp(prefix="alertwire-chaos-"))
    # PostgreSQL's user must pass through; the files that matter are private themselves.
    folder.chmod(0o755)
    failed = True
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(until_signalled(lambda tell: _run(options, folder, tell)))
        failed = bool(outcome.violations)
        _conclude(outcome, options=options, folder=folder)
    except asyncio.CancelledError:
        failed = False
        say("interrupted: everything is stopped")
        return 130
    except (BenchError, ChaosError) as error:
        print(f"error: {error}", file=sys.stderr)
        _tell_where(folder, kept=options.keep)
        return 1
    finally:
        if not (failed and options.keep):
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


async def _run(options: Options, folder: Path, tell: Tell) -> Outcome:
    say(f"seed {options.scope.seed}")
    run = Run(
        world=plan(options.scope),
        directory=folder / "stack",
        port_base=options.port_base,
        tell=tell,
    )
    return await run.whole()


def _conclude(outcome: Outcome, *, options: Options, folder: Path) -> None:
    for line in counted(outcome):
        say(line)
    if not outcome.violations:
        say(f"seed {options.scope.seed}: every promise was kept")
        return
    directory = folder / "stack"
    for line in complaints(outcome.violations, directory=directory):
        say(line)
    say(f"seed {options.scope.seed}: failed")
    found = complaints(outcome.violations, directory=directory, at_most=len(outcome.violations))
    (folder / "findings.txt").write_text("\n".join(found) + "\n")
    _tell_where(folder, kept=options.keep)


def _tell_where(folder: Path, *, kept: bool) -> None:
    if not kept:
        say("with --keep, the stack's folder is left for a look")
        return
    say(f"kept in {folder}: all findings, the log, and the processes' own logs in stack/logs")
    say(f"to look with `alertwire trace`, start it again: alertwire up --dir {folder / 'stack'}")


if __name__ == "__main__":
    sys.exit(main())
