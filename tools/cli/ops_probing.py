"""`alertwire ops probe`: an alert to a paper account, followed from the webhook to its end.
`helm test` runs it.

It trades, so it looks first at whose account that would be: the route behind the webhook is found
out by a body that cannot trade, and all its accounts have to be at an exchange that was named.
"""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import click
import msgspec
from yarl import URL

from libs.common.secret import Secret
from libs.common.settings import SettingsError, from_env, setting
from tools.cli.calling import NotFound, Unanswered, call
from tools.cli.numbers import Number
from tools.cli.place import Console, Place, with_place
from tools.cli.posting import Answer, Shot, post_all
from tools.cli.showing import clean, examples

_REAL = ("mexc.com", "mexc.co")
"""A test is for paper accounts, whatever it was told."""
_AGAIN_S = 0.5
_GOING_ON = frozenset({"pending", "unknown"})
_encoder = msgspec.json.Encoder(decimal_format="number")
_CANNOT_TRADE = {"probe": "whose route is this?"}


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    console_url: str = setting("Where the console is: http://console:8080", default="")
    console_token: Secret | None = setting("Bearer token of its API", default=None)


@click.command(
    epilog=examples(
        "alertwire ops probe --webhook-file /run/alertwire/test/webhook"
        " --account-must-be-at paper.example.org",
        "alertwire ops probe --route paper-test --account-must-be-at paper:8080 --keep",
    )
)
@click.option(
    "--webhook-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the webhook's address.",
)
@click.option("--through", metavar="URL", help="Reach ingest here, whatever the address says.")
@click.option(
    "--route", metavar="ROUTE", help="In place of a webhook: the console sends to this route."
)
@click.option(
    "--account-must-be-at",
    "hosts",
    multiple=True,
    required=True,
    metavar="HOST",
    help="Of the paper exchange, with its port where that was written out.",
)
@click.option("--ticker", default="BTCUSDT.P", show_default=True, help="As TradingView writes it.")
@click.option("--contracts", type=Number(), default="0.001", show_default=True, help="Size.")
@click.option("--keep", is_flag=True, help="Leave open what was opened.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=1, max=3600),
    default=60,
    show_default=True,
    metavar="S",
    help="Seconds until all has to be done.",
)
@with_place
def probe(  # noqa: PLR0913 - one per option
    *,
    webhook_file: Path | None,
    through: str | None,
    route: str | None,
    hosts: Sequence[str],
    ticker: str,
    contracts: Any,
    keep: bool,
    wait_s: float,
    place: Place,
) -> None:
    """Send an alert to a paper account, follow it to its end, and close what it opened.

    By --webhook-file it comes to ingest as TradingView's do; where only TradingView is let in, the
    console sends it (--route). Nothing is sent unless every account of the route is at a HOST that
    --account-must-be-at names; MEXC's own are refused.

    Takes ALERTWIRE_CONSOLE_URL and ALERTWIRE_CONSOLE_TOKEN, or ALERTWIRE_CONSOLE_TOKEN_FILE.
    Exit status 0 where all was executed, else 1.
    """
    if (webhook_file is None) == (route is None):
        raise click.UsageError("give --webhook-file or --route, one of the two")
    if any(_is_real(host) for host in hosts):
        raise click.UsageError("--account-must-be-at names MEXC itself: a probe is for paper money")
    console, deadline = _console(place), time.monotonic() + wait_s
    send = _by_console(console, route) if route else _by_webhook(webhook_file, through=through)
    if route is None:
        route = _route_behind(send, console, deadline=deadline)
    _check_accounts(console, route, hosts=hosts, deadline=deadline)
    entry = {"order_action": "buy", "order_contracts": contracts}
    for fields in (entry,) if keep else (entry, {"order_action": "flat"}):
        alert_id = _accepted(send, {"ticker": ticker, **fields}, deadline=deadline)
        if _followed(console, alert_id, deadline=deadline) != "executed":
            sys.exit(1)


Send = Callable[[dict[str, Any]], Answer]
"""Sends a body once."""


def outside(accounts: Sequence[dict[str, Any]], *, hosts: Sequence[str]) -> list[str]:
    """The accounts whose exchange is at none of the hosts, and where it is instead. Pure."""
    return [
        f"{account['id']} is at {account['base_url']}"
        for account in accounts
        if not _is_at(urlsplit(account["base_url"]), hosts)
    ]


def _is_at(url: SplitResult, hosts: Sequence[str]) -> bool:
    if url.hostname is None or _is_real(url.hostname):
        return False
    return url.hostname in hosts or url.netloc.rpartition("@")[2] in hosts


def reached(webhook: str, *, through: str | None) -> str:
    """The address to post to. Raises `ValueError` without telling it: it holds the token. Pure."""
    for text in (webhook, through or webhook):
        url = URL(text)
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError
    if through is None:
        return webhook
    url, base = URL(webhook), URL(through)
    return str(base.with_path(url.raw_path, encoded=True).with_query(url.query))


def _is_real(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    return any(name.lower() == real or name.lower().endswith(f".{real}") for real in _REAL)


def _console(place: Place) -> Console:
    # Only ours: other variables are for other commands.
    names = {"CONSOLE_URL", "CONSOLE_TOKEN", "CONSOLE_TOKEN_FILE"}
    mine = {f"ALERTWIRE_{name}": os.environ.get(f"ALERTWIRE_{name}", "") for name in names}
    if place.named or not mine["ALERTWIRE_CONSOLE_TOKEN_FILE"]:
        return place.console()
    try:
        found = from_env(ProbeSettings, mine)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    if not (found.console_url and found.console_token):
        raise click.ClickException("ALERTWIRE_CONSOLE_URL is missing")
    return Console(url=found.console_url.rstrip("/"), token=found.console_token.reveal())


def _by_webhook(file: Path | None, *, through: str | None) -> Send:
    text = file.read_text(encoding="utf-8").strip() if file is not None else ""
    try:
        url = reached(text, through=through)
    except ValueError:
        raise click.ClickException(f"{file} holds no http(s) address") from None

    def send(body: dict[str, Any]) -> Answer:
        shot = Shot(data=_encoded(body), content_type="application/json")
        return asyncio.run(post_all(url, [shot], rate=None, on_answer=lambda _answer: None))[0]

    return send


def _by_console(console: Console, route: str) -> Send:
    def send(body: dict[str, Any]) -> Answer:
        asked = {"body": _encoded(body).decode(), "send": True}
        try:
            document = call(console, "POST", f"/routes/{route}/test", body=asked)
        except Unanswered as silence:
            return Answer(status=None, body="", elapsed_ms=0, error=silence.message)
        return Answer(status=200, body=msgspec.json.encode(document).decode(), elapsed_ms=0)

    return send


def _encoded(body: dict[str, Any]) -> bytes:
    return _encoder.encode(body)


def _route_behind(send: Send, console: Console, *, deadline: float) -> str:
    """What the trail says about a body that ingest refuses, since nobody may ask for a token's."""
    answer = _answered(send, _CANNOT_TRADE, deadline=deadline)
    document = _document(answer)
    if answer.status != 422 or "alert_id" not in document:
        raise click.ClickException(f"the webhook answers {answer.status}: {_told(answer)}")
    for found in _asked(console, f"/alerts/{document['alert_id']}", deadline=deadline):
        click.echo(clean(f"the webhook is of route {found['route']}"))
        return str(found["route"])
    raise click.ClickException("the trail does not know what ingest has refused: see the auditor")


def _check_accounts(console: Console, route: str, *, hosts: Sequence[str], deadline: float) -> None:
    def one(path: str) -> dict[str, Any]:
        for found in _asked(console, path, deadline=deadline):
            return found
        raise click.ClickException(f"the console does not know /api{path}")

    parts = one(f"/routes/{route}")["accounts"]
    accounts = [one(f"/accounts/{part['account']}") for part in parts]
    wrong = outside(accounts, hosts=hosts)
    if wrong:
        raise click.ClickException(
            f"nothing was sent: of route {route} {'; '.join(wrong)}, which is not among"
            f" {', '.join(hosts)}"
        )


def _accepted(send: Send, body: dict[str, Any], *, deadline: float) -> str:
    # Its own id makes it the same alert however often it is sent.
    answer = _answered(
        send, {**body, "alert_id": f"probe-{secrets.token_hex(8)}"}, deadline=deadline
    )
    document = _document(answer)
    if answer.status != 200 or "alert_id" not in document:
        raise click.ClickException(f"not accepted, {answer.status}: {_told(answer)}")
    click.echo(clean(f"{body['order_action']}: {document['status']} as {document['alert_id']}"))
    return str(document["alert_id"])


def _answered(send: Send, body: dict[str, Any], *, deadline: float) -> Answer:
    """The first answer that says anything; sent again as TradingView does where none does."""
    while True:
        answer = send(body)
        silent = answer.status is None or answer.status >= 500
        if not silent or time.monotonic() + _AGAIN_S > deadline:
            return answer
        click.echo(clean(f"no answer yet: {_told(answer)}"))
        time.sleep(_AGAIN_S)


def _followed(console: Console, alert_id: str, *, deadline: float) -> str:
    """The alert's status at its end, or when the time is over; each stage is told once."""
    told, status = 0, "pending"
    for found in _asked(console, f"/alerts/{alert_id}", deadline=deadline):
        for event in found["events"][told:]:
            click.echo(clean(f"  {event['elapsed_ms']:9.1f} ms  {event['stage']}"))
        told, status = max(told, len(found["events"])), str(found["status"])
        if status not in _GOING_ON:
            reason = f": {found['reason']}" if found.get("reason") else ""
            click.echo(clean(f"{status}{reason}"))
            return status
    click.echo(clean(f"the time is over, and the alert is still {status}"))
    return status


def _asked(console: Console, path: str, *, deadline: float) -> Iterator[dict[str, Any]]:
    """The document again and again while there is time; nothing where it never comes."""
    while True:
        try:
            found: dict[str, Any] = call(console, "GET", path)
            yield found
        except (NotFound, Unanswered) as failure:
            if time.monotonic() > deadline and isinstance(failure, Unanswered):
                raise
        if time.monotonic() > deadline:
            return
        time.sleep(_AGAIN_S)


def _document(answer: Answer) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _told(answer: Answer) -> str:
    return answer.error or str(_document(answer).get("detail") or answer.body[:200])
