"""The auditor's process: wires settings, log, Postgres and a loop for each stream, and runs until
stopped.
"""

import asyncio
import os
import sys

import structlog

from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import access_of
from libs.common.health import Health
from libs.common.presence import present
from libs.common.running import run, settle_memory
from libs.common.serving import serving
from libs.common.settings import from_env, redacted
from libs.common.telemetry import configure_telemetry
from libs.common.topology import AUDITED_STREAMS
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
        connected(access_of(settings), service=SERVICE, health=health) as bus,
        present(bus, health),
        make_pool(settings.postgres_url) as pool,
    ):
        store = Store(pool)
        anchoring = Anchoring(bus=bus, store=store)
        health.add("postgres", store.missing)
        auditors = []
        for stream in AUDITED_STREAMS:
            auditor = Auditor(
                bus=bus,
                store=store,
                batch_max=settings.batch_max,
                flush_s=settings.flush_ms / 1000,
                stream=stream,
            )
            health.add(f"consumer of {stream}", auditor.missing)
            auditors.append(auditor)
        async with asyncio.TaskGroup() as group:
            upkeep = group.create_task(keep(store))
            anchors = group.create_task(anchoring.keep(every_s=settings.anchor_every_s))
            settle_memory()
            health.started()
            structlog.get_logger().info("auditor.started", **redacted(settings))
            async with asyncio.TaskGroup() as following:
                for auditor in auditors:
                    following.create_task(auditor.run(stop))
            await cancelled((upkeep, anchors))
        await anchoring.conclude()
    close_telemetry()


if __name__ == "__main__":
    sys.exit(run(SERVICE, main))
