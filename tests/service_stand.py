"""Ingest, router and executor inside the test, wired as their own entry points wire them, over a
real NATS: for tests of what only the services together tell. Each may be left out.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from nacl.encoding import Base64Encoder

from libs.common.bus import Bus, connected
from libs.common.cancelling import cancelled
from libs.common.clock import SystemClock
from libs.common.connecting import Access
from libs.common.halts import Halts
from libs.common.health import Health
from libs.common.owned_consumer import OwnedConsumer
from libs.common.secret import Secret
from libs.common.topology import ROUTER
from services.executor.__main__ import _parts as executor_parts
from services.executor.egress import egress_watch
from services.executor.sealing_keys import SealingKeys
from services.executor.settings import Settings as ExecutorSettings
from services.ingest.__main__ import serve
from services.ingest.settings import Settings as IngestSettings
from services.router.handler import Router, lane_of
from services.router.questions import Questions
from services.router.routes import Configuration
from tests.console_server import PRIVATE_KEY
from tools.devstack.ports import free_port

_READY_S = 20


@contextlib.asynccontextmanager
async def ingest(url: str, **settings: object) -> AsyncIterator[str]:
    """The address of one that is ready."""
    health, stop, port = Health("ingest"), asyncio.Event(), free_port()
    wanted = IngestSettings(nats_url=Secret(url), health_port=free_port(), port=port, **settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(wanted, health=health, stop=stop))
        # `serve` says so itself, behind its checks.
        await _until(lambda: "recent_alerts" in health._checks and not health.missing())
        yield f"http://127.0.0.1:{port}"
        stop.set()


@contextlib.asynccontextmanager
async def router(url: str) -> AsyncIterator[Bus]:
    configuration, halts, stop = Configuration(), Halts(service="router"), asyncio.Event()
    watched = (
        *(configuration.routes, configuration.accounts, configuration.instruments),
        halts.controls,
    )
    known = {"accounts": configuration.accounts, "catalogues": configuration.catalogues}
    async with (
        connected(Access(url=Secret(url)), service="router", health=Health("router")) as bus,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(bucket.follow(bus)) for bucket in watched]
        for bucket in watched:
            await bucket.complete.wait()
        handler = Router(
            bus=bus,
            routes=configuration.routes,
            halts=halts,
            shards=1,
            clock=SystemClock(),
            is_owner=lambda: consumer.is_certain(),  # noqa: PLW0108 - made below
            **known,
        )
        consumer = OwnedConsumer(bus, durable=ROUTER, handler=handler.handle, lane_of=lane_of)
        questions = Questions(bus=bus, halts=halts, **known)
        tasks += [group.create_task(each) for each in (questions.follow(), consumer.run(stop))]
        await _until(lambda: not consumer.missing())
        await bus.client.flush()
        yield bus
        await _end(stop, tasks)


@contextlib.asynccontextmanager
async def executor(url: str, *, shard: int = 0, shards: int = 1) -> AsyncIterator[object]:
    """Its parts, once it owns the shard and has seen every account's picture."""
    settings = ExecutorSettings(
        nats_url=Secret(url),
        health_port=free_port(),
        sealing_key_file=Path("none"),
        shard=shard,
        shards=shards,
        checkup_every_s=0,
        echo_urls="",
    )
    keys = SealingKeys.of(Secret(PRIVATE_KEY.encode(Base64Encoder).decode()))
    stop = asyncio.Event()
    async with connected(
        Access(url=Secret(url)), service="executor", health=Health("executor")
    ) as bus:
        parts = executor_parts(bus, settings, keys=keys, egress=egress_watch(settings))
        followed = (*parts.watched, parts.terms.routes)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(bucket.follow(bus)) for bucket in followed]
                for bucket in followed:
                    await bucket.complete.wait()
                tasks += [
                    group.create_task(each)
                    for each in (parts.catalogue.feed(), parts.count.follow())
                ]
                await parts.catalogue.tried.wait()
                tasks.append(group.create_task(parts.pictures.follow()))
                await parts.pictures.tried()
                tasks.append(group.create_task(parts.owner.run(parts.shard.work, stop)))
                await _until(lambda: not parts.shard.missing())
                await bus.client.flush()
                yield parts
                await _end(stop, tasks)
        finally:
            await parts.accounts.close()


async def _until(holds) -> None:
    async with asyncio.timeout(_READY_S):
        while not holds():
            await asyncio.sleep(0.01)


async def _end(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    stop.set()
    await tasks[-1]
    await cancelled(tasks[:-1])
