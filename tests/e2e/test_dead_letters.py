"""Dead letters through the whole stack: what a service gave up on is seen, and delivered again
without a second order.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.common.bus import Bus, connected
from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.words import AlertId
from libs.common.executor_shards import executor_consumer
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ROUTER
from tests.e2e.running_stack import RunningStack, Trader

pytestmark = pytest.mark.e2e

EXECUTOR = executor_consumer(0)
PATIENCE_S = 20


@pytest.fixture
async def bus(stack: RunningStack) -> AsyncIterator[Bus]:
    url = Secret(stack.description["nats"])
    async with connected(Access(url=url), service="test", health=Health("test")) as found:
        yield found


async def said(stack: RunningStack, *arguments: str) -> Any:
    """The command's JSON."""
    done = await asyncio.to_thread(stack.cli, "dead", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def listed(stack: RunningStack, *, origin_seq: int) -> dict[str, Any]:
    """The letter of the message that stands there, once it is there."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = (await said(stack, "list"))["dead"]
        for letter in found:
            if letter["origin_seq"] == origin_seq:
                return dict(letter)
    raise AssertionError(found)


async def bury(bus: Bus, *, stage: str, alert_id: str) -> int:
    """A letter about a message, as if its service had given up after all was done."""
    async for entry in bus.entries_after(subject=f"{stage}.>", seq=0):
        if entry.message.alert_id == alert_id:
            break
    raw = await bus.js.get_msg(subjects.STREAM, seq=entry.seq)
    letter = DeadLetter(
        service="test",
        at=datetime.now(UTC),
        subject=entry.subject,
        seq=entry.seq,
        deliveries=1,
        reason="given up after 10 tries: a bug",
        data=raw.data or b"",
        headers=dict(raw.headers or {}),
        alert_id=AlertId(alert_id),
    )
    event_id = f"dead:test:{entry.seq}"
    return (await bus.publish(subject=subjects.dead("test"), message=letter, event_id=event_id)).seq


@pytest.mark.parametrize(
    ("stage", "durable"), [("alert.received", ROUTER), ("intent.accepted", EXECUTOR)]
)
async def test_what_was_done_is_not_done_again(
    stack: RunningStack, trader: Trader, bus: Bus, stage: str, durable: str
) -> None:
    """An exit that was executed would close what was opened since."""
    await trader.execute()
    closed = await trader.execute(order_action="flat", order_contracts="")
    assert closed["status"] == "executed", closed
    await trader.execute()
    held, sent = await trader.holdings(), len(await trader.orders_received())
    assert held == {"long": 10}
    seq = await bury(bus, stage=stage, alert_id=closed["alert_id"])
    answer = await said(stack, "replay", str(seq))
    assert answer["new"]
    again = answer["dead"]["replayed"]["seq"]
    async with asyncio.timeout(PATIENCE_S):
        while await bus.handled_up_to(durable) < again:
            await asyncio.sleep(0.05)
    # What comes behind it in the same lane is executed after it.
    behind = await trader.execute()
    assert behind["status"] == "executed", behind
    assert await trader.holdings() == {"long": 20}
    assert len(await trader.orders_received()) == sent + 1
    journey = await trader.journey(closed["alert_id"], lambda it: it["status"] == "executed")
    assert "dead.replayed" in [event["stage"] for event in journey["events"]]
    assert (await said(stack, "replay", str(seq)))["new"] is False


async def test_what_nobody_can_read_is_kept_and_ends_there_again(
    stack: RunningStack, bus: Bus
) -> None:
    stored = await bus.js.publish("alert.received.demo", b'{"type":"of another release"}')
    letter = await listed(stack, origin_seq=stored.seq)
    assert (letter["service"], letter["alert_id"]) == ("router", None)
    shown = await said(stack, "show", str(letter["seq"]))
    assert shown["message"] == {"type": "of another release"}
    assert "unless the software was mended" in shown["outlook"]
    again = (await said(stack, "replay", str(letter["seq"])))["dead"]["replayed"]
    second = await listed(stack, origin_seq=again["seq"])
    assert second["replayed"] is None
    text = await asyncio.to_thread(stack.cli, "dead", "list")
    assert "router" in text.stdout
