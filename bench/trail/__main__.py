"""`python -m bench.trail`: what batches, journeys and pages cost in a trail of millions of rows."""

import sys
from pathlib import Path

from bench.command import complain, machine, run_measurement, write_figures
from bench.signalled import say
from bench.trail.options import parse
from bench.trail.report import complaints, document, plans, table
from bench.trail.running import Measurement, Outcome


def main() -> int:
    """0: all goals are reached; 1: not so, or it could not be run; 130: interrupted."""
    options = parse(sys.argv[1:])

    def conclude(outcome: Outcome, _folder: Path) -> int:
        figures = document(outcome, settings=options.shown(), machine=machine())
        write_figures(figures, out=options.out)
        say(f"\n{plans(outcome)}\n\n{table(outcome)}\n")
        say(f"{outcome.database_gib:.1f} GiB of database; every figure is in {options.out}")
        return complain(complaints(outcome))

    return run_measurement(
        prefix="alertwire-trail-",
        whole=lambda folder, tell: Measurement(options=options, folder=folder, tell=tell).whole(),
        conclude=conclude,
    )


if __name__ == "__main__":
    sys.exit(main())
