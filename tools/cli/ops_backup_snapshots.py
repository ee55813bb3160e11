"""Streams of the log as files and back, by JetStream's own snapshots: messages, their places and
times, and the consumers with what they have acknowledged.

The server sends a snapshot in chunks to a subject of ours, asks for an answer now and then, so that
it is never far ahead, and ends with an empty message. A restore goes the other way, chunk by chunk.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from nats.errors import NoRespondersError

from libs.common.bus import Bus

CHUNK_BYTES = 128 * 1024
RESTORED_CHUNK_BYTES = 4 * 1024
"""The server stores what is in a chunk before it answers, gives up where that takes it 5 s, and
may sync each message: so no chunk holds many."""
_API_WITHIN_S = 10.0
_HEARD_WITHIN_S = 10.0
_ASK_AGAIN_S = 0.1
_CHUNK_WITHIN_S = 60.0
_RESTORED_WITHIN_S = 600.0
_STATUS = "Status"
_WELL_ENDED = frozenset({"", "204"})
_OTHER_SERVERS = ("non-clustered", "no suitable peers")
"""How the server says that a stream cannot be kept as it was."""
_ELSEWHERE = "; --replicas and --placement say which servers keep the streams here"

Tell = Callable[[str], None]


async def save_stream(bus: Bus, stream: str, *, path: Path, tell: Tell) -> dict[str, Any]:
    """Write a stream to a new file that its owner alone may read; returns its configuration and
    state as the server told them.
    """
    inbox = bus.client.new_inbox()
    chunks = await bus.client.subscribe(inbox, pending_bytes_limit=512 * 1024 * 1024)
    request = {"deliver_subject": inbox, "chunk_size": CHUNK_BYTES, "no_consumers": False}
    answer = await _ask(bus, f"$JS.API.STREAM.SNAPSHOT.{stream}", json.dumps(request).encode())
    whole, done = int(answer["state"]["bytes"]), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while True:
            chunk = await chunks.next_msg(timeout=_CHUNK_WITHIN_S)
            if not chunk.data:
                break
            file.write(chunk.data)
            if chunk.reply:
                await bus.client.publish(chunk.reply, b"")
            done += len(chunk.data)
            tell(f"{stream}: {_mb(done)} written, of {_mb(whole)} before compression")
        file.flush()
        os.fsync(file.fileno())
    await chunks.unsubscribe()
    status = (chunk.headers or {}).get(_STATUS, "")
    if status.split(" ")[0] not in _WELL_ENDED:
        raise click.ClickException(f"the snapshot of {stream} broke off: {status}")
    return {"config": answer["config"], "state": answer["state"]}


async def put_stream(
    bus: Bus,
    stream: str,
    *,
    config: dict[str, Any],
    state: dict[str, Any],
    path: Path,
    tell: Tell,
) -> None:
    """Make a stream from a file; there must be none of its name."""
    request = json.dumps({"config": config, "state": state}).encode()
    answer = await _ask(bus, f"$JS.API.STREAM.RESTORE.{stream}", request)
    place, done = str(answer["deliver_subject"]), 0
    with path.open("rb") as file:
        whole = os.fstat(file.fileno()).st_size
        while chunk := file.read(RESTORED_CHUNK_BYTES):
            await _ask(bus, place, chunk, within_s=_CHUNK_WITHIN_S)
            done += len(chunk)
            tell(f"{stream}: {_mb(done)} of {_mb(whole)} sent")
    await _ask(bus, place, b"", within_s=_RESTORED_WITHIN_S)


async def _ask(
    bus: Bus, subject: str, request: bytes, *, within_s: float = _API_WITHIN_S
) -> dict[str, Any]:
    """Raises `click.ClickException`, and the client's errors."""
    until = time.monotonic() + _HEARD_WITHIN_S
    while True:
        try:
            answer = await bus.client.request(subject, request, timeout=within_s)
        except NoRespondersError:
            # Nobody got it. In a cluster the server that takes a stream back is another one than
            # ours, and ours hears of the place that it listens at a moment later.
            if time.monotonic() > until:
                raise
            await asyncio.sleep(_ASK_AGAIN_S)
        else:
            return _require(answer.data)


def _require(answer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer) if answer else {}
    if "error" in found:
        words = str(found["error"].get("description", found))
        hint = _ELSEWHERE if any(each in words for each in _OTHER_SERVERS) else ""
        raise click.ClickException(f"NATS refuses: {words}{hint}")
    return found


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def now_and_then(tell: Tell, *, every_s: float = 2.0) -> Tell:
    """Hands on a text only so often: for what would be told for each chunk."""
    loop = asyncio.get_running_loop()
    last = loop.time()

    def told(text: str) -> None:
        nonlocal last
        if loop.time() - last >= every_s:
            last = loop.time()
            tell(text)

    return told
