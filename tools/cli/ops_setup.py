"""`alertwire ops setup`: the log's streams, consumers and buckets, made or brought to their
settings.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import click
import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import StreamInfo

from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.executor_shards import StillWaiting
from libs.common.permissions import User
from libs.common.topology import ensure_topology
from tools.cli.log_reaching import Refused, log_at
from tools.cli.ops_state import STREAMS, durables, gathered, lacking
from tools.cli.place import Place, with_place
from tools.cli.showing import examples, json_option, print_json

_RETRY_S = 1.0


@click.command(
    epilog=examples(
        "alertwire ops setup",
        "alertwire ops setup --replicas 3 --placement region:eu --shards 2",
    )
)
@click.option(
    "--replicas",
    type=click.Choice(["1", "3", "5"]),
    help="Servers that keep each message; without it as it is, and 1 where nothing is yet.",
)
@click.option(
    "--placement",
    multiple=True,
    metavar="TAG",
    help="Tag of the servers that may keep it; several times for several tags, `-` for none.",
)
@click.option(
    "--shards",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Executor shards, as ALERTWIRE_SHARDS of routers and executors says; without it as it is."
    " Another number waits until nothing is under way.",
)
@click.option(
    "--router-shards",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Router shards, as their ALERTWIRE_ROUTER_SHARDS says; without it as it is.",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.IntRange(1),
    default=120,
    show_default=True,
    metavar="S",
    help="Seconds to try for, while NATS starts or its cluster forms.",
)
@json_option
@with_place
def setup(  # noqa: PLR0913 - the options
    *,
    replicas: str | None,
    placement: tuple[str, ...],
    shards: int | None,
    router_shards: int | None,
    wait_s: int,
    as_json: bool,
    place: Place,
) -> None:
    """Make the log's streams, consumers and buckets, or bring them to their settings.

    What is there keeps what it holds, and a second time changes nothing. More replicas are filled
    before this returns. The key is that of the user `setup`, or of `admin`.
    """
    tell: Callable[[str], None] = (lambda _: None) if as_json else click.echo
    done = asyncio.run(
        set_up(
            place.nats(),
            replicas=int(replicas) if replicas else None,
            placement=placement,
            shards=shards,
            router_shards=router_shards,
            wait_s=wait_s,
            tell=tell,
        )
    )
    if as_json:
        print_json({"done": done})
    else:
        click.echo("everything is there" if done else "everything was there already")


async def set_up(  # noqa: PLR0913 - the options
    access: Access,
    *,
    replicas: int | None,
    placement: Sequence[str],
    shards: int | None,
    router_shards: int | None,
    wait_s: float,
    tell: Callable[[str], None],
) -> list[str]:
    """Until it is done; raises `click.ClickException` where it is not in time."""
    deadline, told, done = time.monotonic() + wait_s, "", list[str]()
    while True:
        try:
            async with log_at(access, user=User.SETUP) as js:
                found = await ensure_topology(
                    js,
                    replicas=replicas or await _replicas(js),
                    placement=await _placement(js, placement),
                    shards=shards,
                    router_shards=router_shards,
                )
                for line in found:
                    tell(line)
                done += found
                await _settled(js, deadline=deadline)
                return done
        except Refused:
            raise
        except (click.ClickException, StillWaiting) as trouble:
            message = str(trouble)
            if time.monotonic() > deadline:
                raise click.ClickException(message) from None
            if message != told:
                tell(f"waiting: {message}")
            told = message
            await asyncio.sleep(_RETRY_S)


async def _current(js: JetStreamContext) -> StreamInfo | None:
    try:
        return await js.stream_info(subjects.STREAM)
    except nats.js.errors.NotFoundError:
        return None


async def _replicas(js: JetStreamContext) -> int:
    found = await _current(js)
    return 1 if found is None else int(found.config.num_replicas or 1)


def tags_in(placement: Sequence[str]) -> list[str]:
    """Of what `--placement` was given, which is `-` for none."""
    return [tag for tag in placement if tag != "-"]


async def _placement(js: JetStreamContext, wanted: Sequence[str]) -> list[str]:
    if wanted:
        return tags_in(wanted)
    found = await _current(js)
    if found is None or found.config.placement is None:
        return []
    return list(found.config.placement.tags or ())


async def _settled(js: JetStreamContext, *, deadline: float) -> None:
    """Returns when each stream and consumer has a leader, and all its replicas what it has."""
    while True:
        state = await gathered(js)
        groups = {
            **{f"stream {name}": info.cluster for name, info in state.streams.items()},
            **{f"consumer {one.name} of {one.stream_name}": one.cluster for one in durables(state)},
        }
        unsettled = [f"{name}: {lack}" for name, each in groups.items() for lack in lacking(each)]
        if not unsettled and set(STREAMS) <= set(state.streams):
            return
        if time.monotonic() > deadline:
            raise click.ClickException(f"not settled in time: {[*unsettled, 'no leader'][0]}")
        await asyncio.sleep(_RETRY_S / 2)
