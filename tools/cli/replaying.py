"""`alertwire replay`: an old alert under today's rules, without sending it."""

import asyncio
import sys

import click

from libs.common.contracts.intent import Intent
from libs.common.contracts.order import Plan
from libs.common.contracts.route import Route
from libs.common.contracts.words import PositionMode
from libs.common.domain.picture import Picture
from tools.cli.calling import NotFound, call
from tools.cli.comparing import Verdict, compared
from tools.cli.explaining_path import AccountKnown
from tools.cli.place import Console, Place, with_place
from tools.cli.recorded import NoAlert, recorded
from tools.cli.recorded_answers import picture_of
from tools.cli.replaying_drawing import document_of, print_replay
from tools.cli.replaying_path import replay
from tools.cli.rulebook import accounts_of, route_of
from tools.cli.showing import examples, json_option, print_json

_DIFFERS = 3


@click.command(
    "replay",
    epilog=examples(
        "alertwire replay 0197b2c0-7f3a-7c11-9d2e-5b8f0e6a1c44",
        "alertwire replay 0197b2c0-7f3a-7c11-9d2e-5b8f0e6a1c44 --exit-code --json",
    ),
)
@click.argument("alert_id")
@click.option(
    "--exit-code", "by_exit_code", is_flag=True, help="Exit status 3 where today differs."
)
@json_option
@with_place
def replay_alert(*, alert_id: str, by_exit_code: bool, as_json: bool, place: Place) -> None:
    """Decide ALERT_ID again, by today's rules, and show what differs from then. Nothing is sent.

    The stored body is parsed, decided and planned by the route, the account and the contract as
    they are now. The rest is as it was: the times, what was held, what the exchange answered, what
    was halted, and how many were opened in the minute before.

    `same`: today's rules come to the same. `differs`: field by field what was and what would be,
    with the sentences of both. `untold`: no difference, but a plan cannot be made again from what
    was recorded.

    Exit status 0 also where it differs; with --exit-code that is 3. 1 where the trail does not know
    the alert.
    """
    console = place.console()
    try:
        then = recorded(call(console, "GET", f"/alerts/{alert_id}"))
    except NoAlert:
        raise click.ClickException(
            f"nobody has sent {alert_id}: it comes from a halt, and there is no body to replay"
        ) from None
    route = _route(console, then.arrived.route)
    replayed = replay(then, route=route, accounts=_accounts(console, route), picture_of=_picture)
    found = compared(replayed)
    if as_json:
        print_json(document_of(replayed, found))
    else:
        print_replay(replayed, found)
    sys.exit(_DIFFERS if by_exit_code and found.verdict is Verdict.DIFFERS else 0)


def _route(console: Console, name: str) -> Route | None:
    try:
        return route_of(console, name)
    except NotFound:
        return None


def _accounts(console: Console, route: Route | None) -> dict[str, AccountKnown]:
    """Those of the route's accounts that exist."""
    found: dict[str, AccountKnown] = {}
    if route is None:
        return found
    for part in route.settings.accounts:
        try:
            found |= accounts_of(console, [part.account], route=route.id)
        except NotFound:
            continue
    return found


def _picture(intent: Intent, plan: Plan, mode: PositionMode) -> Picture:
    return asyncio.run(picture_of(intent, plan, position_mode=mode))
