"""A KV bucket read whole.

The client library's own mark for "that was all" cannot be trusted for it: it asks the server how
much is pending and believes 0, although what is not pending may still be on its way, and then
marks the end before the first entry. So the entries' own count decides.
"""

import asyncio

from nats.js.api import StreamState
from nats.js.kv import KeyValue

HEADER_OPERATION = "KV-Operation"
DELETED = frozenset({"DEL", "PURGE"})
_LEFT_BEHIND_S = 1.0
"""How long the server keeps the consumer that a reader leaves behind. If nobody says so it keeps
it for longer than thousands of readers take, and refuses the next ones; to delete it would take one
more right."""


async def state_of(store: KeyValue) -> StreamState:
    """The last revision (`last_seq`), and how many entries there are (`messages`), marks of a
    deletion included.
    """
    status = await store.status()
    return status.stream_info.state


async def read_all(store: KeyValue, *, timeout_s: float) -> dict[str, bytes]:
    """Every value by key, as stored when it was asked for, sorted by key.

    Raises `TimeoutError` when the log is silent for `timeout_s`.
    """
    if (await state_of(store)).messages == 0:
        return {}
    found: dict[str, bytes] = {}
    watcher = await store.watch(">", inactive_threshold=_LEFT_BEHIND_S)
    try:
        while True:
            entry = await next_update(watcher, timeout_s=timeout_s)
            if entry is None:
                continue
            if entry.operation in DELETED:
                found.pop(entry.key, None)
            else:
                found[entry.key] = entry.value or b""
            if entry.delta == 0:
                return dict(sorted(found.items()))
    finally:
        await watcher.stop()  # type: ignore[no-untyped-call]


async def next_update(watcher: KeyValue.KeyWatcher, *, timeout_s: float) -> KeyValue.Entry | None:
    """The next entry, or the client library's mark of an end. Raises `TimeoutError`."""
    # Not the watcher's own timeout: `asyncio.wait_for` of Python 3.11 can swallow a cancellation
    # that comes together with an entry, and whoever waits for this task would wait for ever.
    async with asyncio.timeout(timeout_s):
        found: KeyValue.Entry | None = await watcher.updates(timeout=None)  # type: ignore[no-untyped-call]
        return found
