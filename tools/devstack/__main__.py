"""`python -m tools.devstack`: the same as `alertwire up`, without the command line's packages."""

import argparse
import asyncio
import sys
from pathlib import Path

from tools.devstack.announcing import DEFAULT_DIRECTORY
from tools.devstack.ports import DEFAULT_BASE
from tools.devstack.up import up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.devstack", description=__doc__)
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIRECTORY, metavar="D")
    parser.add_argument("--port-base", type=int, default=DEFAULT_BASE, metavar="N")
    chosen = parser.parse_args()
    return asyncio.run(up(directory=chosen.dir, port_base=chosen.port_base, out=_print))


def _print(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
