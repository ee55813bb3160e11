"""`python -m fuzz`: what nobody has thought of, thrown at the parsers and at both HTTP APIs.

Exit status: 0 nothing was found, 1 something was.
"""

import argparse
import sys

from fuzz.parsers import fuzz_parsers
from fuzz.services import fuzz_services

_SHOWN_MAX = 10


def main() -> int:
    options = _options()
    share = options.seconds if options.only else options.seconds / 2
    failed = False
    if options.only != "apis":
        for fuzzed in fuzz_parsers(share, seed=options.seed):
            print(fuzzed, flush=True)
            failed = failed or bool(fuzzed.found)
    if options.only != "parsers":
        asked = fuzz_services(share, seed=options.seed)
        print(f"apis: {asked}")
        for finding in asked.findings[:_SHOWN_MAX]:
            print(finding)
        failed = failed or bool(asked.findings)
    print("something was found" if failed else "nothing was found")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="in all (120)")
    parser.add_argument("--seed", type=int, default=0, help="the same asks the same (0)")
    parser.add_argument("--only", choices=["parsers", "apis"], help="one half of it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
