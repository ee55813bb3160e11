"""`python -m bench.failover`: ends whichever executor or router works, and tells how long the other
takes to go on.
"""

import sys
from pathlib import Path

from bench.command import complain, machine, run_measurement, write_figures
from bench.failover.options import parse
from bench.failover.report import document, table, verdict
from bench.failover.running import Measurement, Outcome
from bench.signalled import say
from chaos.report import complaints


def main() -> int:
    """0: every alert was executed once and in order; 1: not so, or it could not be run; 130:
    interrupted.
    """
    options = parse(sys.argv[1:])

    def conclude(outcome: Outcome, folder: Path) -> int:
        figures = document(outcome.costs, settings=options.shown(), machine=machine())
        write_figures(figures, out=options.out)
        say(f"\n{table(outcome.costs)}\n")
        say(f"{verdict(outcome.costs)}; every figure is in {options.out}")
        if outcome.violations:
            return complain([*complaints(outcome.violations, directory=folder / "stack")])
        say(f"{outcome.alerts} alerts made {outcome.orders} orders, each once and in order")
        return 0

    return run_measurement(
        prefix="alertwire-failover-",
        whole=lambda folder, tell: Measurement(options=options, folder=folder, tell=tell).whole(),
        conclude=conclude,
    )


if __name__ == "__main__":
    sys.exit(main())
