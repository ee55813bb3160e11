"""One running stack for the tests that leave it running, exporting its spans to a sink."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.otlp_sink import OtlpSink
from tests.e2e.own_routes import OwnRoutes
from tests.e2e.running_stack import RunningStack, Trader


@pytest.fixture(scope="session")
def otlp() -> Iterator[OtlpSink]:
    sink = OtlpSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture(scope="session")
def stack(otlp: OtlpSink) -> Iterator[RunningStack]:
    # Not pytest's own folder: its parents are closed to the user that Postgres runs as.
    home = Path(tempfile.mkdtemp(prefix="alertwire-e2e-"))
    home.chmod(0o755)
    exported = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    running = RunningStack(home / "state", environ=exported)
    try:
        running.start()
        asyncio.run(_lift_the_budget(running))
        yield running
        assert running.stop() == 0
    finally:
        running.stop_if_running()
        shutil.rmtree(home)


async def _lift_the_budget(running: RunningStack) -> None:
    """MEXC's four orders in two seconds would be most of the tests' time."""
    trader = Trader(running)
    change = {"order_calls_per_2s": 1000}
    status, answer = await trader.api("PATCH", "/api/accounts/paper", change)
    assert status == 200, answer
    await trader.close()


@pytest.fixture
async def trader(stack: RunningStack) -> AsyncIterator[Trader]:
    """Starts each test flat, at a known price, without faults and limits."""
    found = Trader(stack)
    await found.paper.control("PUT", "faults", [])
    await found.paper.control("PUT", "limits", {"order_create_per_2s": None})
    await found.paper.control("PUT", "prices/BTC_USDT", {"last": "50000"})
    yield found
    await found.paper.control("PUT", "faults", [])
    if await found.holdings():
        await found.flat()
    await found.close()


@pytest.fixture
async def routes(trader: Trader) -> AsyncIterator[OwnRoutes]:
    own = OwnRoutes(trader)
    yield own
    await own.take_back()
