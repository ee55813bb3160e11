"""Wires the executor: settings, logs, telemetry, connections, handler; runs until signalled."""

import asyncio
import os
import sys

import structlog

from libs.common.bus import connected
from libs.common.clock import SystemClock
from libs.common.consuming import Consumer
from libs.common.contracts.subjects import shard_of
from libs.common.health import Health
from libs.common.running import run, settle_memory
from libs.common.secret import Secret
from libs.common.serving import serving
from libs.common.settings import SettingsError, from_env, redacted
from libs.common.telemetry import configure_telemetry
from libs.common.topology import executor_consumer
from services.executor.accounts import Accounts
from services.executor.catalogue import Catalogue
from services.executor.following import Follower
from services.executor.handler import Executor, lane_of
from services.executor.mexc.client import make_exchange
from services.executor.resting import RestingOrders
from services.executor.settings import Settings, Timing


async def main(stop: asyncio.Event) -> None:
    settings = from_env(Settings, os.environ)
    structlog.get_logger().info("process.started", **redacted(settings))
    private_key = _private_key(settings)
    shutdown_telemetry = configure_telemetry(service="executor", environ=os.environ)
    health = Health("executor", starting=True)
    async with (
        serving(health, host=settings.health_host, port=settings.health_port),
        connected(url=settings.nats_url, service="executor", health=health) as bus,
        asyncio.TaskGroup() as group,
    ):
        changed = asyncio.Event()
        accounts = Accounts(
            private_key=private_key, make_exchange=make_exchange, on_change=changed.set
        )
        catalogue = Catalogue(
            bus=bus, accounts=accounts, changed=changed, refresh_s=settings.catalogue_refresh_s
        )
        watched = (accounts.settings, accounts.secrets, catalogue.stored)
        for bucket in watched:
            health.add(bucket.bucket, bucket.missing)
        health.add("contracts", catalogue.missing)
        resting = RestingOrders(
            owned=lambda account: shard_of(account, shards=settings.shards) == settings.shard
        )
        timing, clock = Timing(), SystemClock()
        executor = Executor(bus=bus, accounts=accounts, resting=resting, timing=timing, clock=clock)
        follower = Follower(bus=bus, accounts=accounts, resting=resting, timing=timing, clock=clock)
        consumer = Consumer(
            bus,
            durable=executor_consumer(settings.shard),
            handler=executor.handle,
            lane_of=lane_of,
        )
        health.add("consumer", consumer.missing)
        health.add("resting", resting.missing)
        helpers = [group.create_task(bucket.follow(bus)) for bucket in watched]
        for bucket in watched:
            await bucket.complete.wait()
        helpers.append(group.create_task(catalogue.feed()))
        helpers.append(group.create_task(follower.follow()))
        await catalogue.tried.wait()
        settle_memory()
        health.started()
        await consumer.run(stop)
        for helper in helpers:
            helper.cancel()
        await accounts.close()
    shutdown_telemetry()


def _private_key(settings: Settings) -> Secret:
    try:
        return Secret(settings.sealing_key_file.read_text().strip())
    except OSError as error:
        raise SettingsError(
            f"ALERTWIRE_SEALING_KEY_FILE: {settings.sealing_key_file}: {error.strerror}"
        ) from None


if __name__ == "__main__":
    sys.exit(run("executor", main))
