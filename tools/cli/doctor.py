"""`alertwire doctor`: whether everything is as it must be before money moves."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from libs.common.contracts.checkup import CheckState
from tools.cli.calling import NotFound, call
from tools.cli.place import Console, Place, with_place
from tools.cli.showing import examples, json_option, print_json

_ANSWERED_WITHIN_S = 25
"""The console waits fifteen seconds for the executor."""
_WORST_FIRST = ("wrong", "unknown", "not_reached", "warning", "ok")


@click.command(
    epilog=examples(
        "alertwire doctor",
        "alertwire doctor main",
        "alertwire doctor --strict --json",
    )
)
@click.argument("account", required=False)
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings, too.")
@json_option
@with_place
def doctor(*, account: str | None, strict: bool, as_json: bool, place: Place) -> None:
    """Look at the system and at ACCOUNT, or at all accounts, before money moves.

    The executor asks the exchange: own address, latency, clock, key, linked address, permissions,
    days left, position mode, and for each contract of a route whether it may be traded, balance,
    margin mode and leverage. Nothing that trades waits for it.

    Exit status: 0 all is ok or there are warnings only, 1 something is wrong or not known, 2 wrong
    use.
    """
    from tools.cli.doctor_system import check_system  # noqa: PLC0415 - see __main__

    console = place.console()
    system = check_system(console, place.health_urls())
    reachable = system[0]["state"] == CheckState.OK
    names = _accounts(console, account) if reachable else []
    found = [_check(console, name) for name in names]
    state = worst([*(line["state"] for line in system), *(str(one["state"]) for one in found)])
    document = {"state": state, "system": system, "accounts": found}
    if as_json:
        print_json(document)
    else:
        from tools.cli.doctor_drawing import draw  # noqa: PLC0415

        draw(document)
    sys.exit(exit_status(state, strict=strict))


def worst(states: Iterable[str]) -> str:
    found = set(states)
    return next((state for state in _WORST_FIRST if state in found), "ok")


def exit_status(state: str, *, strict: bool) -> int:
    well = {CheckState.OK} if strict else {CheckState.OK, CheckState.WARNING}
    return 0 if state in well else 1


def _accounts(console: Console, account: str | None) -> list[str]:
    if account is not None:
        return [account]
    return [str(one["id"]) for one in call(console, "GET", "/accounts")["accounts"]]


def _check(console: Console, account: str) -> Mapping[str, Any]:
    """What the API says; where it cannot say anything, why."""
    from rich.console import Console as Screen  # noqa: PLC0415 - see showing.terminal

    with Screen(stderr=True).status(f"the executor asks the exchange about {account} …"):
        try:
            checked: Mapping[str, Any] = call(
                console, "POST", f"/accounts/{account}/check", timeout_s=_ANSWERED_WITHIN_S
            )
        except NotFound:
            raise
        except click.ClickException as problem:
            return {
                "account": account,
                "state": CheckState.UNKNOWN.value,
                "findings": [],
                "problem": problem.message,
            }
    return checked
