"""`python -m bench.outage`: stops PostgreSQL for minutes under load, and tells who notices it."""

import sys
from pathlib import Path

from bench.command import complain, machine, run_measurement, write_figures
from bench.outage.options import parse
from bench.outage.report import complaints, document, story, table
from bench.outage.running import Measurement, Outcome
from bench.signalled import say


def main() -> int:
    """0: every alert has its order, and every message its row; 1: not so; 130: interrupted."""
    options = parse(sys.argv[1:])

    def conclude(outcome: Outcome, _folder: Path) -> int:
        figures = document(outcome, settings=options.shown(), machine=machine())
        write_figures(figures, out=options.out)
        say(f"\n{table(outcome)}\n\n{story(outcome)}; every figure is in {options.out}")
        return complain(complaints(outcome))

    return run_measurement(
        prefix="alertwire-outage-",
        whole=lambda folder, tell: Measurement(options=options, folder=folder, tell=tell).whole(),
        conclude=conclude,
    )


if __name__ == "__main__":
    sys.exit(main())
