"""`alertwire ops pause` and `resume`: whether the log gives a consumer anything."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from nats.js import JetStreamContext

from libs.common.contracts import subjects
from libs.common.permissions import User
from tools.cli.log_reaching import run
from tools.cli.place import Place, with_place
from tools.cli.showing import examples, json_option, print_json

_FOR = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONG = timedelta(days=3650)


class _Span(click.ParamType[timedelta]):
    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = _FOR.fullmatch(str(value))
        if found is None:
            return self.fail(f"{value!r} is no duration: write 90s, 30m, 1h or 2d", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


_stream_option = click.option(
    "--stream", default=subjects.STREAM, show_default=True, metavar="S", help="Its stream."
)


@click.command(
    epilog=examples("alertwire ops pause executor-0 --for 1h", "alertwire ops pause router")
)
@click.argument("consumer")
@click.option("--for", "span", type=_Span(), help="Until it goes on by itself; without it, never.")
@_stream_option
@json_option
@with_place
def pause(
    *, consumer: str, span: timedelta | None, stream: str, as_json: bool, place: Place
) -> None:
    """Let the log give nothing to CONSUMER: what comes meanwhile waits, and grows older.

    An entry that waits longer than its route's `max_age` is denied as stale when it goes on. To
    stop trading, use `alertwire halt`: closes pass then.
    """
    until = datetime.now(UTC) + (span or _LONG)
    _set(place, stream=stream, consumer=consumer, until=until)
    shown = f"{until:%Y-%m-%dT%H:%M:%SZ}"
    if as_json:
        print_json({"consumer": consumer, "stream": stream, "paused_until": shown})
    else:
        how = f"until {until:%Y-%m-%d %H:%M:%S} UTC" if span else "until it is resumed"
        click.echo(f"{consumer} is paused {how}: alertwire ops resume {consumer}")


@click.command(epilog=examples("alertwire ops resume executor-0"))
@click.argument("consumer")
@_stream_option
@json_option
@with_place
def resume(*, consumer: str, stream: str, as_json: bool, place: Place) -> None:
    """Let the log give CONSUMER what waits for it."""
    _set(place, stream=stream, consumer=consumer, until=None)
    if as_json:
        print_json({"consumer": consumer, "stream": stream, "paused_until": None})
    else:
        click.echo(f"{consumer} goes on")


def _set(place: Place, *, stream: str, consumer: str, until: datetime | None) -> None:
    async def work(js: JetStreamContext) -> None:
        # Asked first: a pause of a consumer that is not there would be told as done.
        await js.consumer_info(stream, consumer)
        if until is None:
            await js.resume_consumer(stream, consumer)
        else:
            await js.pause_consumer(stream, consumer, f"{until:%Y-%m-%dT%H:%M:%SZ}")

    try:
        run(place.nats(), work, user=User.OPS)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
