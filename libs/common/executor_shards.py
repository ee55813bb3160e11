"""Executor shards: the accounts are shared over so many consumers of the log, each worked at by one
process at a time. The router writes an account's shard into the intent's subject, so that routers,
executors and the log must speak of the same number (docs/decisions/0043).

The first consumer tells the number in its metadata, which is changed at once or not at all.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping

from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

from libs.common.consumers_made import consumers_made
from libs.common.contracts import subjects

TOLD_AS = "alertwire.shards"
"""In the metadata of the first shard's consumer."""
_NAME = re.compile(r"executor-(0|[1-9][0-9]*)")

Make = Callable[[int, Mapping[str, str]], Awaitable[None]]
"""Makes a shard's consumer with such metadata, or gives it to the one that is there."""


class StillWaiting(Exception):  # noqa: N818 - it is no error of anybody's
    """The number of shards cannot change now, in words."""


def executor_consumer(shard: int) -> str:
    return f"executor-{shard}"


def executor_consumers(shards: int) -> tuple[str, ...]:
    return tuple(map(executor_consumer, range(shards)))


def shard_named(name: str) -> int | None:
    """Which shard's a consumer, or a lease, is; None where it is none's."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found is not None else None


def shards_told(first: ConsumerInfo | None) -> int | None:
    """How many shards there are, as the first one's consumer says; None where a release made it
    that did not say so, or there is none.
    """
    return number_told(first.config.metadata if first is not None else None)


def number_told(metadata: Mapping[str, str] | None) -> int | None:
    """The same, of that consumer's metadata."""
    text = (metadata or {}).get(TOLD_AS, "")
    return int(text) if text.isascii() and text.isdecimal() else None


def mismatch(told: int | None, *, ours: int) -> str | None:
    """In words, where a process is set up for another number than the log tells."""
    if told is None or told == ours:
        return None
    return (
        f"accounts are shared over {in_words(told)}, and this process is set up for {ours}:"
        " ALERTWIRE_SHARDS and the set-up step must agree"
    )


async def share_accounts(js: JetStreamContext, *, shards: int | None, make: Make) -> list[str]:
    """Have that many shards; None leaves what is there, and makes one where there is none. Tells in
    words what changed; raises `StillWaiting`.

    Most accounts come to another consumer, and the new one does not wait for what the old one
    still has of the same account: so nothing may be under way. Consumers that are too many stay,
    since one that was made anew would begin with what was carried out long ago.
    """
    found = {
        name: info
        for name, info in (await consumers_made(js, subjects.STREAM)).items()
        if shard_named(name) is not None
    }
    told = shards_told(found.get(executor_consumer(0)))
    was = told or len(found)
    wanted = shards or was or 1
    if was not in {0, wanted}:
        _require_nothing_waiting(found.values(), was=was, wanted=wanted)
        if told is None:
            # Else a step that is interrupted below would be taken for one that was finished.
            await make(0, {TOLD_AS: str(was)})
    # The first one is the last, so that a step that was interrupted has changed nothing.
    for shard in reversed(range(wanted)):
        await make(shard, {TOLD_AS: str(wanted)} if shard == 0 else {})
    if was in {0, wanted}:
        return []
    return [f"accounts are shared over {in_words(wanted)}, not {was}"]


def waiting_of(info: ConsumerInfo) -> int:
    """Messages that were not handled yet, whether somebody has them or not."""
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


def _require_nothing_waiting(consumers: Iterable[ConsumerInfo], *, was: int, wanted: int) -> None:
    waiting = {info.name: waiting_of(info) for info in consumers if waiting_of(info)}
    if waiting:
        raise StillWaiting(
            f"accounts are shared over {in_words(was)}, and become {wanted} only while nothing is"
            f" under way: {', '.join(f'{name} has {count}' for name, count in waiting.items())}."
            " Halt, and wait until no alert is pending"
        )


def in_words(count: int) -> str:
    return f"{count} executor shard{'' if count == 1 else 's'}"
