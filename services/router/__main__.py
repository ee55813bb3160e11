"""Wires the router: settings, logs, telemetry, connection, handler; runs until signalled."""

import asyncio
import os
import sys
from collections.abc import Callable

import structlog

from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.clock import SystemClock
from libs.common.connecting import access_of
from libs.common.halts import Halts
from libs.common.health import Health
from libs.common.presence import present
from libs.common.running import run, settle_memory
from libs.common.serving import serving
from libs.common.settings import from_env, redacted
from libs.common.telemetry import configure_telemetry
from services.router.handler import Router
from services.router.questions import Questions
from services.router.routes import Configuration
from services.router.settings import Settings
from services.router.shards import Shards


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
        connected(access_of(settings), service="router", health=health) as bus,
        present(bus, health),
        asyncio.TaskGroup() as group,
    ):
        followers = [group.create_task(bucket.follow(bus)) for bucket in watched]

        def make_router(is_owner: Callable[[], bool]) -> Router:
            return Router(
                bus=bus,
                routes=configuration.routes,
                accounts=configuration.accounts,
                catalogues=configuration.catalogues,
                halts=halts,
                shards=settings.shards,
                clock=SystemClock(),
                is_owner=is_owner,
            )

        shards = Shards(
            bus,
            shards=settings.router_shards,
            executor_shards=settings.shards,
            make_router=make_router,
        )
        health.add("consumer", shards.missing)
        health.tell_roles(shards.roles)
        for bucket in watched:
            await bucket.complete.wait()
        questions = Questions(
            bus=bus,
            accounts=configuration.accounts,
            catalogues=configuration.catalogues,
            halts=halts,
        )
        followers.append(group.create_task(questions.follow()))
        settle_memory()
        health.started()
        await shards.run(stop)
        await cancelled(followers)
    shutdown_telemetry()


if __name__ == "__main__":
    sys.exit(run("router", main))
