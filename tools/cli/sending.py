"""`alertwire send`: posts alerts as TradingView does, and prints what ingest answers."""

import asyncio
import secrets
import ssl
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import msgspec

from tools.cli.messaging import message_of, message_options
from tools.cli.numbers import Number
from tools.cli.place import Place, with_place
from tools.cli.posting import Answer, Shot, post_all
from tools.cli.showing import clean, examples, print_json


@click.command(
    epilog=examples(
        "alertwire send demo --ticker BTCUSDT.P --action buy --contracts 0.001",
        'alertwire send demo --json \'{"ticker":"BTCUSDT.P","order_action":"flat"}\'',
        "alertwire send demo --ticker BTCUSDT.P --position-size -0.002 --sl 1 --sltp-type percent",
        "alertwire send demo --ticker X --action buy --contracts 1 --count 100 --rate 20",
    )
)
@click.argument("route")
@message_options
@click.option(
    "--price", type=Number(), metavar="N", help="The alert's own: limit, trigger or reference."
)
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Per second.")
@click.option("--same", is_flag=True, help="Leave the bodies identical: resends of the first.")
@click.option("--webhook", metavar="URL", help="Post here instead of looking the route up.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Certificates (PEM) of who vouches for the webhook's own.",
)
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@with_place
def send(  # noqa: PLR0913 - one per option
    *,
    route: str,
    body: str | None,
    fields: tuple[str, ...],
    count: int,
    rate: float | None,
    same: bool,
    webhook: str | None,
    ca: Path | None,
    output: str,
    place: Place,
    **known: Any,
) -> None:
    """Post an alert to ROUTE as TradingView does, and print the answer.

    The body goes out as application/json where it is JSON, else as text/plain, and an answer is
    awaited for 3 seconds. Of several alerts each gets an `alert_id` of its own, since identical
    bodies would be resends of the first; --same leaves them identical. Without --rate each waits
    for the answer to the one before.

    Here --json is the message; --output json prints the answers as JSON. Exit status 1 where an
    answer was not 200.
    """
    message = message_of(body, fields=fields, known=known)
    url = webhook or place.webhook(route)
    distinct = count > 1 and not same
    run = secrets.token_hex(4)
    shots = [_shot(message, alert_id=f"{run}-{n}" if distinct else None) for n in range(count)]
    show = _print_line if output == "text" else _say_nothing
    try:
        answers = asyncio.run(post_all(url, shots, rate=rate, on_answer=show, ca=ca))
    except ssl.SSLError as error:
        raise click.BadParameter(f"no certificate in it: {error}", param_hint="--ca") from None
    if output == "json":
        documents = [asdict(answer) for answer in answers]
        print_json(documents[0] if count == 1 else documents)
    elif count > 1:
        click.echo(_summary(answers))
    sys.exit(0 if all(answer.status == 200 for answer in answers) else 1)


def _shot(message: str, *, alert_id: str | None) -> Shot:
    data = message.encode()
    try:
        document = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return Shot(data=data, content_type="application/json")  # JSON, but no object.
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Shot(data=data, content_type="text/plain")
    if alert_id is not None and "alert_id" not in document:
        document["alert_id"] = msgspec.Raw(msgspec.json.encode(alert_id))
        data = msgspec.json.encode(document)
    return Shot(data=data, content_type="application/json")


def _print_line(answer: Answer) -> None:
    status = answer.status if answer.status is not None else "---"
    click.echo(f"{status}  {answer.elapsed_ms:8.1f} ms  {clean(answer.body or answer.error)}")


def _say_nothing(_: Answer) -> None:
    pass


def _summary(answers: list[Answer]) -> str:
    counts: dict[str, int] = {}
    for answer in answers:
        what = str(answer.status or "no answer")
        if answer.status == 200 and '"duplicate"' in answer.body:
            what = "200 duplicate"
        counts[what] = counts.get(what, 0) + 1
    times = sorted(answer.elapsed_ms for answer in answers)
    told = ", ".join(f"{number} x {what}" for what, number in sorted(counts.items()))
    p50, p99 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
    return f"{len(answers)} sent: {told}; p50 {p50:.1f} ms, p99 {p99:.1f} ms"
