"""`alertwire routes test`: what an alert would do with what the accounts hold right now, as the
running services say it; or the alert itself, as a test that needs no webhook.
"""

import secrets
import sys
import time
from typing import Any

import click
import msgspec

from tools.cli.calling import Unanswered, call
from tools.cli.messaging import field_options, message_of
from tools.cli.numbers import Number
from tools.cli.place import Place, with_place
from tools.cli.route_testing_drawing import print_explanation
from tools.cli.showing import clean, examples, json_option, print_json

WHOLE = "--body"
_ID_FIELD = "alert_id"
_DONE = frozenset({"planned", "partial"})


@click.command(
    "test",
    epilog=examples(
        "alertwire routes test demo --ticker BTCUSDT.P --action buy --contracts 0.001",
        "alertwire routes test demo --ticker BTCUSDT.P --action flat --send",
        'alertwire routes test demo --body \'{"ticker":"BTCUSDT.P","order_action":"flat"}\'',
    ),
)
@click.argument("route")
@field_options
@click.option(
    "--price", type=Number(), metavar="N", help="The alert's own: limit, trigger or reference."
)
@click.option(WHOLE, "body", metavar="BODY", help="The alert's message whole; `-`: from stdin.")
@click.option("--send", is_flag=True, help="Send it: it trades as any alert does.")
@json_option
@with_place
def test_route(
    *,
    route: str,
    body: str | None,
    fields: tuple[str, ...],
    send: bool,
    as_json: bool,
    place: Place,
    **known: Any,
) -> None:
    """Show what an alert to ROUTE would do now, and send nothing; with --send send it as a test.

    The running services are asked: how the message is understood, what it comes to, and what would
    be planned with what each account holds and what the market's price is right now. `explain`
    takes those from options instead.

    --send takes it the way of every alert, and `trace` shows that it was a test, and whose. Token,
    address and body secret are not asked for. The same --alert-id is taken once in five minutes.

    Exit status 1 where it would be refused or denied on any account, or that is not known; of what
    is sent, where it was not accepted.
    """
    text = message_of(body, fields=fields, known=known, whole=WHOLE)
    asked: dict[str, Any] = {"body": text, "send": send}
    if not _has_id(text):
        # Made here, so that it is known also where no answer comes.
        asked[_ID_FIELD] = f"test-{int(time.time() * 1000):013d}-{secrets.token_hex(4)}"
    try:
        answer = call(place.console(), "POST", f"/routes/{route}/test", body=asked)
    except Unanswered as silence:
        if not send or _ID_FIELD not in asked:
            raise
        raise click.ClickException(
            f"{silence.message}; whether the alert was taken is not known: the same with"
            f" --alert-id {asked[_ID_FIELD]} is safe for five minutes"
        ) from None
    if as_json:
        print_json(answer)
    elif send:
        click.echo(clean(f"{answer['status']}  {answer['alert_id']}"))
    else:
        print_explanation(answer)
    sys.exit(0 if send or answer["outcome"] in _DONE else 1)


def _has_id(text: str) -> bool:
    try:
        members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError):
        return False
    return any(name.lower() == _ID_FIELD for name in members)
