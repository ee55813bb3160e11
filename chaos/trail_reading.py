"""The log and the trail, read without the services: every message of PIPELINE and every anchor
from NATS, and every row from Postgres.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chaos.chain import COLUMNS, PIPELINE
from chaos.errors import ChaosError
from chaos.evidence import Anchored, ChainedRow, Denial, Entry, Evidence, StoredAlert
from libs.common.router_shards import router_consumers_made

STREAM = PIPELINE
_ANCHORS = "ANCHORS"
_CONSUMERS = ("executor-0", "auditor")
"""Besides those of the router, of which there may be several."""
_AT_ONCE = 500
_LOOK_S = 0.5
_CALM_LOOKS = 3
_CONNECT_WITHIN_S = 20


@contextlib.asynccontextmanager
async def log_of(url: str) -> AsyncIterator[Client]:
    async with asyncio.timeout(_CONNECT_WITHIN_S):
        while True:
            try:
                client = await nats.connect(url, connect_timeout=2, error_cb=_ignore)
                break
            except (OSError, nats.errors.Error):
                await asyncio.sleep(_LOOK_S)
    try:
        yield client
    finally:
        await client.close()


async def until_worked_off(client: Client, *, limit_s: float) -> dict[str, int]:
    """Wait until no consumer has anything left; what is left after that time, by consumer."""
    js = client.jetstream()
    began = time.monotonic()
    calm = 0
    while True:
        left: dict[str, int] = {}
        for name in (*await router_consumers_made(js), *_CONSUMERS):
            info = await js.consumer_info(STREAM, name)
            left[name] = (info.num_pending or 0) + (info.num_ack_pending or 0)
        # A message on its way from one consumer to the next is seen in none of them.
        calm = 0 if any(left.values()) else calm + 1
        if calm >= _CALM_LOOKS or time.monotonic() - began > limit_s:
            return {name: number for name, number in left.items() if number}
        await asyncio.sleep(_LOOK_S)


async def until_quiet(client: Client, *, for_s: float, limit_s: float) -> None:
    """Wait until nothing was added to the log for a while, or until that time is over."""
    began = since = time.monotonic()
    last = 0
    while time.monotonic() - since < for_s and time.monotonic() - began < limit_s:
        seq = await last_of(client)
        if seq != last:
            last, since = seq, time.monotonic()
        await asyncio.sleep(_LOOK_S)


async def last_of(client: Client) -> int:
    return (await client.jetstream().stream_info(STREAM)).state.last_seq


async def until_anchored(client: Client, *, seq: int, limit_s: float) -> None:
    """Wait until the chain is anchored there or behind, or until that time is over."""
    js = client.jetstream()
    began = time.monotonic()
    while time.monotonic() - began < limit_s:
        with contextlib.suppress(nats.js.errors.NotFoundError):
            last = await js.get_last_msg(_ANCHORS, f"anchor.{STREAM}")
            if _anchored(last.data or b"{}").seq >= seq:
                return
        await asyncio.sleep(_LOOK_S)


async def read_log(client: Client, *, into: Evidence, copy: Path) -> None:
    """Every message, also one a line in a file for those who look for a mistake afterwards."""
    with copy.open("wb") as lines:
        async for seq, message in _messages(client, STREAM):
            note(message.data, subject=message.subject, seq=seq, into=into)
            lines.write(b'{"seq":%d,"message":%s}\n' % (seq, message.data))


async def read_anchors(client: Client, *, into: Evidence) -> None:
    """Before the rows: what is anchored is there."""
    into.anchors = [_anchored(each.data) async for _, each in _messages(client, _ANCHORS)]


async def _messages(client: Client, stream: str) -> AsyncIterator[tuple[int, Msg]]:
    # All that are there now, with their places.
    js = client.jetstream()
    last = (await js.stream_info(stream)).state.last_seq
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE)
    reader = await js.pull_subscribe(">", stream=stream, config=config)
    seq = 0
    while seq < last:
        try:
            messages = await reader.fetch(_AT_ONCE, timeout=5)
        except nats.errors.TimeoutError:
            told = f"{stream} does not give what comes after {seq} of {last}"
            raise ChaosError(told) from None
        for message in messages:
            seq = message.metadata.sequence.stream
            yield seq, message
    await reader.unsubscribe()


async def read_rows(url: str, *, into: Evidence) -> None:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        rows = await connection.fetch(f"SELECT {', '.join(COLUMNS)}, hash FROM audit_event")
    finally:
        await connection.close()
    for row in rows:
        columns = tuple(row[name] for name in COLUMNS)
        into.chain.append(
            ChainedRow(stream=row["stream"], seq=row["seq"], columns=columns, hash=row["hash"])
        )
        if row["stream"] == STREAM:
            into.rows[row["seq"]] = Entry(
                subject=row["subject"],
                digest=_digest(row["body"]),
                alert_id=str(row["alert_id"] or ""),
            )


def _anchored(data: bytes) -> Anchored:
    content: dict[str, Any] = msgspec.json.decode(data)
    return Anchored(stream=content["stream"], seq=content["seq"], hash=content["hash"])


def note(data: bytes, *, subject: str, seq: int, into: Evidence) -> None:
    content: dict[str, Any] = msgspec.json.decode(data)
    alert_id = str(content.get("alert_id") or "")
    into.log[seq] = Entry(subject=subject, digest=_digest(data), alert_id=alert_id)
    match content["type"]:
        case "alert.received":
            into.stored.append(
                StoredAlert(
                    alert_id=alert_id,
                    key=str(content.get("explicit_id") or ""),
                    route=content["route"],
                    seq=seq,
                    received_s=_unix(content["at"]),
                )
            )
        case "intent.denied":
            into.denials.append(_denial(content, content["denial"]))
        case "execution" if content["kind"] == "sent":
            into.sent.add(content["client_order_id"])
        case "execution" if content["kind"] == "canceled" and not content.get("exchange_order_id"):
            into.denials.append(_given_up(content))
        case "order.planned":
            into.plans[alert_id, content["account"]] = _plan(content, seq=seq)
            if content.get("withheld"):
                into.denials.append(_denial(content, content["withheld"]))


def _plan(content: dict[str, Any], *, seq: int) -> str:
    asked = "asked the exchange" if content.get("calls") else "asked nobody"
    return f"plan {seq} at {content['at']}, {asked}: {content.get('summary', '')}"


def _denial(content: dict[str, Any], denial: dict[str, Any]) -> Denial:
    return Denial(
        alert_id=content["alert_id"],
        account=content.get("account"),
        reason=denial["reason"],
        at_s=_unix(content["at"]),
    )


def _given_up(content: dict[str, Any]) -> Denial:
    # What the exchange never had was held back here. Of the reasons age alone excuses it.
    return Denial(
        alert_id=content["alert_id"],
        account=content["account"],
        reason=content.get("reason") or "not told",
        at_s=_unix(content["at"]),
    )


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _ignore(_error: Exception) -> None:
    """The client would print it; what matters is noticed where it is waited for."""
