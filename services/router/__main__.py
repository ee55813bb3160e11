"""Wires the router: settings, logs, telemetry, connection, handler; runs until signalled."""

import asyncio
import os
import sys

import structlog

from libs.common.bus import connected
from libs.common.clock import SystemClock
from libs.common.halts import Halts
from libs.common.health import Health
from libs.common.owned_consumer import OwnedConsumer
from libs.common.presence import present
from libs.common.running import run, settle_memory
from libs.common.serving import serving
from libs.common.settings import from_env, redacted
from libs.common.telemetry import configure_telemetry
from libs.common.topology import ROUTER
from services.router.handler import Router, lane_of
from services.router.questions import Questions
from services.router.routes import Configuration
from services.router.settings import Settings


async def main(stop: asyncio.Event) -> None:
    settings = from_env(Settings, os.environ)
    structlog.get_logger().info("process.started", **redacted(settings))
    shutdown_telemetry = configure_telemetry(service="router", environ=os.environ)
    health = Health("router", starting=True)
    configuration, halts = Configuration(), Halts(service="router")
    watched = (
        *(configuration.routes, configuration.accounts, configuration.instruments),
        halts.controls,
    )
    for bucket in watched:
        health.add(bucket.bucket, bucket.missing)
    async with (
        serving(health, host=settings.health_host, port=settings.health_port),
        connected(
            url=settings.nats_url,
            nkey_file=settings.nats_nkey_file,
            ca_file=settings.nats_ca_file,
            service="router",
            health=health,
        ) as bus,
        present(bus, health),
        asyncio.TaskGroup() as group,
    ):
        followers = [group.create_task(bucket.follow(bus)) for bucket in watched]
        router = Router(
            bus=bus,
            routes=configuration.routes,
            accounts=configuration.accounts,
            catalogues=configuration.catalogues,
            halts=halts,
            shards=settings.shards,
            clock=SystemClock(),
        )
        consumer = OwnedConsumer(
            bus,
            durable=ROUTER,
            handler=router.handle,
            lane_of=lane_of,
            on_tenure=router.begin,
        )
        health.add("consumer", consumer.missing)
        health.tell_role(consumer.ownership.role)
        for bucket in watched:
            await bucket.complete.wait()
        questions = Questions(
            bus=bus,
            accounts=configuration.accounts,
            catalogues=configuration.catalogues,
            halts=halts,
            shards=settings.shards,
        )
        followers.append(group.create_task(questions.follow()))
        settle_memory()
        health.started()
        await consumer.run(stop)
        for follower in followers:
            follower.cancel()
    shutdown_telemetry()


if __name__ == "__main__":
    sys.exit(run("router", main))
