"""What the spans of a consumer tell of a message that comes again."""

import asyncio

import pytest

from libs.common import metrics
from libs.common.outcome import Retry
from tests.integration.test_consuming import Notes, bus, consuming, post
from tests.recorded_spans import Recording

__all__ = ["bus"]
pytestmark = pytest.mark.integration


@pytest.fixture
def exporter(monkeypatch):
    return Recording(monkeypatch).exporter


def handlings(exporter):
    spans = exporter.get_finished_spans()
    return [dict(span.attributes) for span in spans if span.name == "process alert.received"]


async def test_what_a_dead_process_had_been_given_shows_as_a_redelivery(bus, exporter):
    stuck = asyncio.Event()

    async def hang(_delivery):
        stuck.set()
        await asyncio.Event().wait()

    again = await post(bus, "a", 1)
    async with consuming(bus, Notes(hang)) as task:
        await stuck.wait()
        task.cancel()  # As a kill would.
    exporter.clear()
    never = await post(bus, "a", 2)
    notes = Notes()
    async with consuming(bus, notes):
        await notes.until(2)
    told = [
        (one["messaging.nats.sequence"], one["alertwire.redelivered"], one["alertwire.fresh"])
        for one in handlings(exporter)
    ]
    assert told == [(again, True, False), (never, False, False)]


async def test_what_the_log_delivers_again_meanwhile_shows_in_the_next_try(bus, exporter):
    counted = metrics.redelivered.labels("router")
    before = counted._value.get()

    async def behave(delivery):
        if delivery.fresh:
            bus.client.post(delivery.came.reply, b"-NAK")
            async with asyncio.timeout(10):
                while counted._value.get() == before:
                    await asyncio.sleep(0.01)
            raise Retry("again", delay_s=0.0)

    notes = Notes(behave)
    async with consuming(bus, notes):
        await post(bus, "a", 1)
        await notes.until(1)
    told = [
        (one["alertwire.tries"], one["messaging.nats.num_delivered"], one["alertwire.redelivered"])
        for one in handlings(exporter)
    ]
    assert told == [(1, 1, False), (2, 2, True)]
    first, _ = [
        span for span in exporter.get_finished_spans() if span.name == "process alert.received"
    ]
    assert first.attributes["error.type"] == "Retry"
    assert not first.status.is_ok
