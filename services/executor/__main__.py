"""Wires the executor: settings, logs, telemetry, connections, handler; runs until signalled."""

import asyncio
import os
import sys

import structlog

from libs.common.bus import connected
from libs.common.clock import SystemClock
from libs.common.halts import Halts
from libs.common.health import Health
from libs.common.owning import Owner
from libs.common.running import run, settle_memory
from libs.common.secret import Secret
from libs.common.serving import serving
from libs.common.settings import SettingsError, from_env, redacted
from libs.common.telemetry import configure_telemetry
from services.executor.accounts import Accounts
from services.executor.catalogue import Catalogue
from services.executor.egress import egress_watch
from services.executor.measuring import showing
from services.executor.mexc.connecting import connect_account
from services.executor.pictures import Pictures
from services.executor.route_terms import RouteTerms
from services.executor.settings import Settings, Timing
from services.executor.shard import Shard
from services.executor.stops import Stops


async def main(stop: asyncio.Event) -> None:
    settings = from_env(Settings, os.environ)
    structlog.get_logger().info("process.started", **redacted(settings))
    private_key = _private_key(settings)
    egress = egress_watch(settings)
    shutdown_telemetry = configure_telemetry(service="executor", environ=os.environ)
    health = Health("executor", starting=True)
    async with (
        serving(health, host=settings.health_host, port=settings.health_port),
        connected(url=settings.nats_url, service="executor", health=health) as bus,
        asyncio.TaskGroup() as group,
    ):
        changed, timing = asyncio.Event(), Timing()
        stops = Stops(addresses=lambda: egress.addresses, on_refused=egress.recheck)
        egress.on_change = stops.probe_soon
        health.add("egress", lambda: egress.problem)
        accounts = Accounts(
            private_key=private_key,
            make_exchange=lambda account, secret: connect_account(
                account, secret, heard=stops.listening(account.account_id)
            ),
            on_change=changed.set,
            timing=timing,
        )
        halts = Halts(service="executor")
        catalogue = Catalogue(
            bus=bus, accounts=accounts, changed=changed, refresh_s=settings.catalogue_refresh_s
        )
        watched = (accounts.settings, accounts.secrets, catalogue.stored, halts.controls)
        for bucket in watched:
            health.add(bucket.bucket, bucket.missing)
        health.add("contracts", catalogue.missing)
        pictures, terms = Pictures(accounts, timing=timing), RouteTerms()
        shard = Shard(
            bus=bus,
            accounts=accounts,
            halts=halts,
            contracts=catalogue.stored,
            terms=terms,
            settings=settings,
            timing=timing,
            clock=SystemClock(),
            refused_from_here=stops.denial,
        )
        owner = Owner(bus, name=shard.durable, barred=lambda: egress.problem)
        health.add("pictures", pictures.missing)
        health.refresh(showing(accounts))
        # A bystander is ready: it can take over.
        health.add("shard", lambda: None if owner.ownership.stands_by else shard.missing())
        helpers = [group.create_task(bucket.follow(bus)) for bucket in watched]
        helpers.append(group.create_task(egress.follow()))
        for bucket in watched:
            await bucket.complete.wait()
        # No order waits for these, nor does the readiness.
        helpers.append(group.create_task(terms.routes.follow(bus)))
        helpers.append(group.create_task(catalogue.feed()))
        helpers.append(group.create_task(stops.watch(accounts)))
        await catalogue.tried.wait()
        # Nothing is signed before: the exchange would see us under another address.
        if await egress.fit(stop):
            helpers.append(group.create_task(pictures.follow()))
            await pictures.tried()
            settle_memory()
            health.started()
            await owner.run(shard.work, stop)
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
