"""The auditor's process: wires settings, log, Postgres and the loop, and runs until stopped."""

import asyncio
import os
import sys

import structlog

from libs.common.bus import connected
from libs.common.health import Health
from libs.common.running import run, settle_memory
from libs.common.serving import serving
from libs.common.settings import from_env, redacted
from libs.common.telemetry import configure_telemetry
from services.auditor.anchoring import Anchoring
from services.auditor.handler import Auditor
from services.auditor.settings import Settings
from services.auditor.store import Store, make_pool
from services.auditor.upkeep import keep

SERVICE = "auditor"


async def main(stop: asyncio.Event) -> None:
    settings = from_env(Settings, os.environ)
    close_telemetry = configure_telemetry(service=SERVICE, environ=os.environ)
    health = Health(SERVICE, starting=True)
    async with (
        serving(health, host=settings.health_host, port=settings.health_port),
        connected(url=settings.nats_url, service=SERVICE, health=health) as bus,
        make_pool(settings.postgres_url) as pool,
    ):
        store = Store(pool)
        auditor = Auditor(
            bus=bus,
            store=store,
            batch_max=settings.batch_max,
            flush_s=settings.flush_ms / 1000,
        )
        anchoring = Anchoring(bus=bus, store=store)
        health.add("postgres", store.missing)
        health.add("consumer", auditor.missing)
        async with asyncio.TaskGroup() as group:
            upkeep = group.create_task(keep(store))
            anchors = group.create_task(anchoring.keep(every_s=settings.anchor_every_s))
            settle_memory()
            health.started()
            structlog.get_logger().info("auditor.started", **redacted(settings))
            await auditor.run(stop)
            upkeep.cancel()
            anchors.cancel()
        await anchoring.conclude()
    close_telemetry()


if __name__ == "__main__":
    sys.exit(run(SERVICE, main))
