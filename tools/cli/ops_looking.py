"""`alertwire ops streams`, `consumers` and `check`: the log as it is."""

import sys
from datetime import UTC, datetime
from typing import Any

import click
from nats.js.api import ConsumerInfo, StreamInfo

from libs.common.contracts import subjects
from libs.common.permissions import User
from tools.cli.log_reaching import run
from tools.cli.ops_state import durables, gathered, lacking, wrong
from tools.cli.place import Place, with_place
from tools.cli.showing import examples, json_option, print_json, table, terminal


@click.command(epilog=examples("alertwire ops streams", "alertwire ops streams --json"))
@json_option
@with_place
def streams(*, as_json: bool, place: Place) -> None:
    """List the log's streams: what each holds, and who keeps it."""
    state = run(place.nats(), gathered, user=User.OPS)
    rows = [_stream(info) for info in state.streams.values()]
    if as_json:
        print_json({"streams": rows})
        return
    shown = table("stream", "messages", "MiB", "places", "replicas", "leader", "lacks")
    for row in rows:
        lacks = ", ".join(row["lacks"])
        size = f"{row['bytes'] / 2**20:.1f}"
        places = f"{row['first_seq']}-{row['last_seq']}"
        cells = (row["stream"], f"{row['messages']:,}", size, places, str(row["replicas"]))
        shown.add_row(*cells, row["leader"] or "-", lacks or "-")
    terminal().print(shown)


@click.command(epilog=examples("alertwire ops consumers", "alertwire ops consumers --all --json"))
@click.option("--all", "all_of_them", is_flag=True, help="Those of the moment, too.")
@json_option
@with_place
def consumers(*, all_of_them: bool, as_json: bool, place: Place) -> None:
    """List who reads the log, and how far each is.

    WAITING: not given to anybody yet. IN HAND: given to somebody and not done. AGAIN: of those,
    given more than once.
    """
    state = run(place.nats(), gathered, user=User.OPS)
    found = state.consumers if all_of_them else durables(state)
    rows = [_consumer(info) for info in found]
    if as_json:
        print_json({"consumers": rows})
        return
    shown = table("consumer", "stream", "waiting", "in hand", "again", "done to", "state")
    for row in rows:
        numbers = (row[name] for name in ("waiting", "in_hand", "redelivered", "done_to"))
        paused = f"paused until {row['paused_until']}" if row["paused_until"] else ""
        words = ", ".join([*filter(None, [paused]), *row["lacks"]])
        shown.add_row(row["consumer"], row["stream"], *map(str, numbers), words or "-")
    terminal().print(shown)


@click.command(
    epilog=examples("alertwire ops check", "alertwire ops check --replicas 3 --shards 2 --json")
)
@click.option(
    "--replicas", type=click.IntRange(1, 5), metavar="N", help="As many as there shall be."
)
@click.option(
    "--shards", type=click.IntRange(1, 64), metavar="N", help="As many as executors shall have."
)
@click.option(
    "--waiting", type=click.IntRange(0), metavar="N", help="More than N waiting messages are wrong."
)
@json_option
@with_place
def check(
    *, replicas: int | None, shards: int | None, waiting: int | None, as_json: bool, place: Place
) -> None:
    """Say what is wrong with the log.

    Streams, buckets and consumers are there, with the settings that `alertwire ops setup` gives
    them; each has a leader, and replicas that keep up; none is paused; there is room. Whether the
    server syncs before it confirms can only be seen in its configuration (`sync_interval`).

    Exit status: 0 nothing is wrong, 1 something is, or NATS does not answer.
    """
    state = run(place.nats(), gathered, user=User.OPS)
    log = state.streams.get(subjects.STREAM)
    wanted = replicas or (int(log.config.num_replicas or 1) if log is not None else 1)
    found = list(wrong(state, replicas=wanted, shards=shards, waiting_max=waiting))
    if as_json:
        print_json({"wrong": found, "replicas": wanted})
    else:
        for each in found:
            click.echo(f"wrong: {each}")
        if not found:
            streams_, read_by = len(state.streams), len(durables(state))
            click.echo(f"nothing is wrong: {streams_} streams, {read_by} consumers, {wanted}-fold")
    sys.exit(1 if found else 0)


def _stream(info: StreamInfo) -> dict[str, Any]:
    cluster, state = info.cluster, info.state
    return {
        "stream": info.config.name,
        "messages": state.messages,
        "bytes": state.bytes,
        "first_seq": state.first_seq,
        "last_seq": state.last_seq,
        "replicas": info.config.num_replicas,
        "leader": cluster.leader if cluster is not None else None,
        "lacks": lacking(cluster),
    }


def _consumer(info: ConsumerInfo) -> dict[str, Any]:
    return {
        "consumer": info.name,
        "stream": info.stream_name,
        "waiting": info.num_pending or 0,
        "in_hand": info.num_ack_pending or 0,
        "redelivered": info.num_redelivered or 0,
        "done_to": info.ack_floor.stream_seq if info.ack_floor is not None else 0,
        "paused_until": _until(info) if info.paused else None,
        "lacks": lacking(info.cluster),
    }


def _until(info: ConsumerInfo) -> str:
    found = info.config.pause_until
    if not isinstance(found, str):
        return "further notice"
    return f"{datetime.fromisoformat(found).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
