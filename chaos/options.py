"""The command line of the chaos suite."""

import argparse
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from bench.options import whole, within
from chaos.planning import LEAVABLE, Scope
from tools.devstack.ports import SPAN

_ORDERS_KEPT = 2_000
_ALERTS_OF_AN_ACCOUNT = _ORDERS_KEPT // 3
"""The exchange keeps so many finished orders of an account, and an alert makes two or three."""


@dataclass(frozen=True, kw_only=True)
class Options:
    scope: Scope
    port_base: int
    keep: bool


def parse(arguments: Sequence[str]) -> Options:
    """Exits with 2 and a sentence on wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m chaos",
        description=(
            "Start the whole stack in a temporary folder, send it alerts, and meanwhile kill and "
            "stop its processes, cut its connections and let the exchange answer badly. Then "
            "compare orders, positions and trail with what the alerts ask for. Exits with 1 and "
            "names each alert where something does not fit."
        ),
        epilog=(
            "One seed always makes the same alerts, acts and faults at the same times, if the "
            "other options are the same too. In which instruction a process is met is up to the "
            "machine, so a seed that failed once may have to be run several times."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--seed", type=whole(0, 2**32), default=None, metavar="N", help="drawn if not given")
    add("--alerts", type=whole(1, 100_000), default=2_000, metavar="N", help="alerts sent")
    add("--kills", type=whole(0, 5_000), default=40, metavar="N", help="processes killed")
    add("--stops", type=whole(0, 1_000), default=8, metavar="N", help="processes stopped a while")
    add("--cuts", type=whole(0, 1_000), default=16, metavar="N", help="faults of the WebSocket")
    add("--seconds", type=within(1, 7_200), default=200.0, metavar="S", help="alerts go on for")
    add("--accounts", type=whole(1, 200), default=20, metavar="N", help="at the exchange")
    add("--clocks", type=whole(0, 100), default=4, metavar="N", help="times of a wrong clock")
    add("--waiting", type=whole(0, 50), default=4, metavar="N", help="accounts whose orders wait")
    add("--second", type=whole(0, 100), default=2, metavar="N", help="times of two executors")
    add("--bad", type=within(0, 0.9), default=0.1, metavar="P", help="bad replies to new orders")
    add(
        "--without",
        choices=LEAVABLE,
        metavar="WHAT",
        action="append",
        default=[],
        help=f"leave acts out, may be repeated: {', '.join(LEAVABLE)}",
    )
    add(
        "--port-base",
        type=whole(1024, 65536 - SPAN),
        default=8700,
        metavar="N",
        help=f"ports N to N+{SPAN - 1} on loopback are used",
    )
    add("--keep", action="store_true", help="after a failure, keep the stack's folder")
    given = parser.parse_args(arguments)
    if given.alerts > given.accounts * _ALERTS_OF_AN_ACCOUNT:
        parser.error(f"at most {_ALERTS_OF_AN_ACCOUNT} alerts for each account can be judged")
    scope = Scope(
        seed=secrets.randbelow(1_000_000) if given.seed is None else given.seed,
        alerts=given.alerts,
        accounts=given.accounts,
        seconds=given.seconds,
        kills=given.kills,
        stops=given.stops,
        cuts=given.cuts,
        executors=given.second,
        clocks=given.clocks,
        waiting=given.waiting,
        bad_share=given.bad,
        without=frozenset(given.without),
    )
    return Options(scope=scope, port_base=given.port_base, keep=given.keep)
