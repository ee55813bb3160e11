"""`make chart` and `make k8s-base`: run the steps and say what each has checked, or write anew what
is made from the chart. Needs the environment of requirements/chart.txt.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.charting import basing, steps, tabling, toolbox
from tools.charting.findings import CheckError
from tools.charting.places import shown


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["base"]:
            write()
        elif not arguments:
            check()
        else:
            print("usage: python -m tools.charting [base]", file=sys.stderr)
            return 2
    except CheckError as refused:
        print(f"\nrefused:\n{refused}", file=sys.stderr)
        return 1
    return 0


def check() -> None:
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        work = steps.Work(Path(folder))
        for name, step in steps.STEPS:
            at = time.monotonic()
            print(f"{name:14}", end="", flush=True)
            told = step(work)
            print(f"ok {time.monotonic() - at:5.1f} s  {told}", flush=True)
    print(f"the chart is as it should be ({time.monotonic() - began:.0f} s)")


def write() -> None:
    toolbox.unpack()
    for told in basing.write():
        print(told)
    missing = tabling.install()
    if missing is None and tabling.README.exists():
        missing = tabling.write()
    print(f"the table is left alone: {missing}" if missing else shown(tabling.README))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
