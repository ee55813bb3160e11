"""Fixtures for tests that need a real NATS or PostgreSQL, or the whole stack; nothing starts unless
a test asks.
"""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import argon2
import pytest
from hypothesis import settings
from nats.js import JetStreamContext

from services.console.web.access import user_file
from tests import backends
from tests.browser import chromium
from tests.e2e.otlp_sink import OtlpSink
from tests.e2e.running_stack import RunningStack, Trader
from tools.logins import READER, WRITER

# The same examples in every run, so that a red build is reproducible; how long one takes is no
# matter of tests. HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# What a password costs to look at is meant to be much, and hundreds of tests sign in. Processes of
# a stack hash as they do everywhere.
user_file._hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def pytest_report_header() -> list[str]:
    browser = chromium.found() or f"{chromium.MISSING}; its tests are skipped"
    return [f"backends: TEST_BACKENDS={backends.asked_mode()}", f"browser: {browser}"]


@pytest.fixture(scope="session")
def backend_mode() -> str:
    return backends.decided_mode()


@pytest.fixture(scope="session")
def nats_url(backend_mode: str) -> Iterator[str]:
    """One server with JetStream for the whole run."""
    with backends.running_nats(backend_mode) as url:
        yield url


@pytest.fixture(scope="session")
def pg_dsn(backend_mode: str) -> Iterator[str]:
    """The superuser's DSN of one server for the whole run."""
    with backends.running_postgres(backend_mode) as dsn:
        yield dsn


@pytest.fixture
async def js(nats_url: str) -> AsyncIterator[JetStreamContext]:
    """A JetStream connection to a log without streams."""
    async with backends.empty_log(nats_url) as context:
        yield context


@pytest.fixture(scope="session")
def pg_template(pg_dsn: str) -> str:
    """The superuser's DSN of a server that holds the migrated template."""
    asyncio.run(backends.make_template(pg_dsn))
    return pg_dsn


@pytest.fixture
async def database(pg_template: str) -> AsyncIterator[str]:
    """The superuser's DSN of a database of the test's own, with the schema and no rows."""
    async with backends.fresh_database(pg_template, name=f"test_{uuid.uuid4().hex}") as dsn:
        yield dsn


@pytest.fixture
def writer_dsn(database: str) -> str:
    """The same database as the auditor reaches it."""
    return backends.dsn_of(database, user=WRITER)


@pytest.fixture
def reader_dsn(database: str) -> str:
    """The same database as the console reaches it."""
    return backends.dsn_of(database, user=READER)


@pytest.fixture(scope="session")
def otlp() -> Iterator[OtlpSink]:
    sink = OtlpSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture(scope="session")
def stack(otlp: OtlpSink) -> Iterator[RunningStack]:
    """One running stack for the tests that leave it running, exporting its spans to a sink."""
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
