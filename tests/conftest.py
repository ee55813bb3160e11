"""Fixtures for tests that need a real NATS or PostgreSQL; nothing starts unless a test asks."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator

import nats
import pytest
from hypothesis import settings
from nats.js import JetStreamContext

from tests import backends
from tools.devstack.database import READER, WRITER

# The same examples in every run, so that a red build is reproducible; how long one takes is no
# matter of tests. HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_report_header() -> str:
    return f"backends: TEST_BACKENDS={backends.asked_mode()}"


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
    connection = await nats.connect(nats_url)
    try:
        context = connection.jetstream()
        for stream in await context.streams_info():
            await context.delete_stream(stream.config.name or "")
        yield context
    finally:
        await connection.close()


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
