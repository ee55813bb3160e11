"""The log and the trail, read without the services: every message of PIPELINE from NATS, and every
row from Postgres.
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
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chaos.errors import ChaosError
from chaos.evidence import Denial, Entry, Evidence, StoredAlert

STREAM = "PIPELINE"
_CONSUMERS = ("router", "executor-0", "auditor")
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
        for name in _CONSUMERS:
            info = await js.consumer_info(STREAM, name)
            left[name] = (info.num_pending or 0) + (info.num_ack_pending or 0)
        # A message on its way from one consumer to the next is seen in none of them.
        calm = 0 if any(left.values()) else calm + 1
        if calm >= _CALM_LOOKS or time.monotonic() - began > limit_s:
            return {name: number for name, number in left.items() if number}
        await asyncio.sleep(_LOOK_S)


async def until_quiet(client: Client, *, for_s: float, limit_s: float) -> None:
    """Wait until nothing was added to the log for a while, or until that time is over."""
    js = client.jetstream()
    began = since = time.monotonic()
    last = 0
    while time.monotonic() - since < for_s and time.monotonic() - began < limit_s:
        seq = (await js.stream_info(STREAM)).state.last_seq
        if seq != last:
            last, since = seq, time.monotonic()
        await asyncio.sleep(_LOOK_S)


async def read_log(client: Client, *, into: Evidence, copy: Path) -> None:
    """Every message, also one a line in a file for those who look for a mistake afterwards."""
    js = client.jetstream()
    last = (await js.stream_info(STREAM)).state.last_seq
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE)
    reader = await js.pull_subscribe(">", stream=STREAM, config=config)
    seq = 0
    with copy.open("wb") as lines:
        while seq < last:
            try:
                messages = await reader.fetch(_AT_ONCE, timeout=5)
            except nats.errors.TimeoutError:
                told = f"the log does not give what comes after {seq} of {last}"
                raise ChaosError(told) from None
            for message in messages:
                seq = message.metadata.sequence.stream
                note(message.data, subject=message.subject, seq=seq, into=into)
                lines.write(b'{"seq":%d,"message":%s}\n' % (seq, message.data))
    await reader.unsubscribe()


async def read_rows(url: str, *, into: Evidence) -> None:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        rows = await connection.fetch(
            "SELECT seq, subject, body, alert_id FROM audit_event WHERE stream = $1", STREAM
        )
    finally:
        await connection.close()
    for row in rows:
        into.rows[row["seq"]] = Entry(
            subject=row["subject"],
            digest=_digest(row["body"]),
            alert_id=str(row["alert_id"] or ""),
        )


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
    # What the exchange never had was given up here, and age is the one reason to do that.
    return Denial(
        alert_id=content["alert_id"],
        account=content["account"],
        reason="stale",
        at_s=_unix(content["at"]),
    )


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _ignore(_error: Exception) -> None:
    """The client would print it; what matters is noticed where it is waited for."""
