"""The anchors: heads of the trail's chains, from the stream that takes nothing back, or from a file
that somebody saved in time.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path

import click
import msgspec

from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.contracts.anchor import Anchor, decode_anchor
from libs.common.topology import AUDITOR
from tools.cli.audit_suspecting import Edge
from tools.cli.log_reaching import log_at

_WITHIN_S = 10.0


async def published_anchors(access: Access) -> AsyncIterator[Anchor]:
    """In the order in which they were anchored."""
    async with log_at(access) as js:
        state = (await js.stream_info(subjects.ANCHORS)).state
        if not state.messages:
            return
        following = await js.subscribe(
            subjects.ANCHOR_SUBJECTS, stream=subjects.ANCHORS, ordered_consumer=True
        )
        while True:
            message = await following.next_msg(timeout=_WITHIN_S)
            yield decode_anchor(message.data)
            if message.metadata.sequence.stream >= state.last_seq:
                return


def saved_anchors(path: Path) -> list[Anchor]:
    """From a file as `alertwire audit anchors` prints it."""
    anchors: list[Anchor] = []
    try:
        for line in path.read_bytes().splitlines():
            anchors.append(decode_anchor(line))  # noqa: PERF401 - counts the lines that are well
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        line_number = len(anchors) + 1
        raise click.ClickException(f"{path}: line {line_number} is no anchor: {error}") from None
    return anchors


def by_stream(anchors: Iterable[Anchor]) -> Mapping[str, list[Edge]]:
    """Each once, with its stream; raises `click.ClickException` for a hash that is none."""
    found: dict[str, dict[Edge, None]] = defaultdict(dict)
    for anchor in anchors:
        try:
            found[anchor.stream][Edge(seq=anchor.seq, hash=bytes.fromhex(anchor.hash))] = None
        except ValueError:
            raise click.ClickException(
                f"the anchor of {anchor.stream} at {anchor.seq} has no hash"
            ) from None
    return {stream: list(edges) for stream, edges in found.items()}


def all_published(access: Access) -> list[Anchor]:
    async def collect() -> list[Anchor]:
        return [anchor async for anchor in published_anchors(access)]

    return asyncio.run(collect())


def require_stored(access: Access, *, month: date) -> None:
    """Refuses a month of which the log has messages that the auditor has not stored yet."""
    waiting = asyncio.run(_first_unstored(access))
    if waiting is not None and waiting.date().replace(day=1) <= month:
        raise click.ClickException(
            f"the log has messages of {waiting:%Y-%m} that are not in the trail yet"
        )


# When the first message was stored in the log that the auditor has not acknowledged.
async def _first_unstored(access: Access) -> datetime | None:
    async with log_at(access) as js:
        info = await js.consumer_info(subjects.STREAM, AUDITOR)
        stored = info.ack_floor.stream_seq if info.ack_floor is not None else 0
        if not info.num_pending and not info.num_ack_pending:
            return None
        raw = await js.get_msg(subjects.STREAM, seq=stored + 1, subject=">", next=True)
        return raw.time
