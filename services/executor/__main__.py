"""Wires the executor: settings, logs, telemetry, connections, handler; runs until signalled."""

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog

from libs.common.bus import Bus, connected
from libs.common.cancelling import cancelled
from libs.common.clock import SystemClock
from libs.common.connecting import access_of
from libs.common.contracts.checkup import CheckupReason
from libs.common.contracts.subjects import shard_of
from libs.common.contracts.words import AccountId, AlertId
from libs.common.halts import Halts
from libs.common.health import Health
from libs.common.owning import Owner
from libs.common.presence import present
from libs.common.running import run, settle_memory
from libs.common.serving import serving
from libs.common.settings import from_env, redacted
from libs.common.telemetry import configure_telemetry
from libs.common.watching import Watched
from services.executor.accounts import Accounts
from services.executor.catalogue import Catalogue
from services.executor.egress import EgressWatch, egress_watch
from services.executor.measuring import showing
from services.executor.mexc.connecting import connect_account
from services.executor.mounted import MountedSecrets
from services.executor.pictures import Pictures
from services.executor.resealing import Sealings
from services.executor.route_terms import RouteTerms
from services.executor.sealing_keys import SealingKeys
from services.executor.settings import Settings, Timing
from services.executor.shard import Shard
from services.executor.shard_count import ShardCount
from services.executor.stops import Stops
from services.executor.viewing.egress import tell_egress


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What works together in this process."""

    egress: EgressWatch
    stops: Stops
    accounts: Accounts
    sealings: Sealings
    halts: Halts
    catalogue: Catalogue
    pictures: Pictures
    terms: RouteTerms
    count: ShardCount
    shard: Shard
    owner: Owner

    @property
    def watched(self) -> tuple[Watched[Any], ...]:
        """The buckets without which nothing is traded."""
        accounts = self.accounts
        return accounts.settings, accounts.secrets, self.catalogue.stored, self.halts.controls


async def main(stop: asyncio.Event) -> None:
    settings = from_env(Settings, os.environ)
    structlog.get_logger().info("process.started", **redacted(settings))
    keys, mounted = (
        SealingKeys.read(settings.sealing_key_file),
        MountedSecrets(settings.secrets_dir),
    )
    egress = egress_watch(settings)
    shutdown_telemetry = configure_telemetry(service="executor", environ=os.environ)
    health = Health("executor", starting=True)
    async with (
        serving(health, host=settings.health_host, port=settings.health_port),
        connected(access_of(settings), service="executor", health=health) as bus,
        present(bus, health),
        asyncio.TaskGroup() as group,
    ):
        parts = _parts(bus, settings, keys=keys, mounted=mounted, egress=egress)
        _add_checks(health, parts)
        helpers = [group.create_task(bucket.follow(bus)) for bucket in parts.watched]
        helpers += [group.create_task(each.follow()) for each in (egress, parts.count)]
        helpers.append(group.create_task(_tell_egress(bus, settings, parts)))
        for bucket in parts.watched:
            await bucket.complete.wait()
        # No order waits for these, nor does the readiness.
        helpers.append(group.create_task(parts.terms.routes.follow(bus)))
        helpers.append(group.create_task(parts.catalogue.feed()))
        helpers.append(group.create_task(parts.stops.watch(parts.accounts)))
        helpers.append(group.create_task(parts.accounts.tend()))
        helpers.append(group.create_task(parts.sealings.follow()))
        await parts.catalogue.tried.wait()
        # Nothing is signed before: the exchange would see us under another address.
        if await egress.fit(stop):
            helpers.append(group.create_task(parts.pictures.follow()))
            await parts.pictures.tried()
            settle_memory()
            health.started()
            await parts.owner.run(parts.shard.work, stop)
        await cancelled(helpers)
        await parts.accounts.close()
    shutdown_telemetry()


async def _tell_egress(bus: Bus, settings: Settings, parts: _Parts) -> None:
    await tell_egress(
        bus,
        parts.egress,
        shard=settings.shard,
        shards=settings.shards,
        is_owner=lambda: parts.owner.ownership.since is not None,
    )


def _parts(
    bus: Bus,
    settings: Settings,
    *,
    keys: SealingKeys,
    egress: EgressWatch,
    mounted: MountedSecrets | None = None,
) -> _Parts:
    changed, timing = asyncio.Event(), Timing()

    def look_into(account: AccountId, alert: AlertId | None) -> None:
        shard.check_soon(account, CheckupReason.REFUSED, alert_id=alert)

    stops = Stops(addresses=lambda: egress.addresses, on_refused=egress.recheck, on_stop=look_into)
    egress.on_change = stops.probe_soon

    def on_change() -> None:
        changed.set()
        egress.rejudge()

    accounts = Accounts(
        keys=keys,
        mounted=mounted,
        make_exchange=lambda account, secret: connect_account(
            account, secret, heard=stops.listening(account.account_id)
        ),
        on_change=on_change,
        timing=timing,
    )
    egress.expected_by_accounts = lambda: _expected(accounts, settings)
    halts, terms = Halts(service="executor"), RouteTerms()
    catalogue = Catalogue(
        bus=bus, accounts=accounts, changed=changed, refresh_s=settings.catalogue_refresh_s
    )
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
        own=egress,
        is_stopped=lambda account: stops.of(account) is not None,
    )
    count = ShardCount(bus, shards=settings.shards)
    return _Parts(
        egress=egress,
        stops=stops,
        accounts=accounts,
        sealings=Sealings(bus, accounts, shard=settings.shard, shards=settings.shards),
        halts=halts,
        catalogue=catalogue,
        pictures=Pictures(accounts, timing=timing),
        terms=terms,
        shard=shard,
        count=count,
        owner=Owner(bus, name=shard.durable, barred=lambda: egress.problem or count.problem()),
    )


def _expected(accounts: Accounts, settings: Settings) -> Iterator[str]:
    """The addresses from which the accounts of this shard expect to be traded."""
    for account in accounts.settings.values.values():
        if shard_of(account.account_id, shards=settings.shards) == settings.shard:
            yield from account.expected_addresses


def _add_checks(health: Health, parts: _Parts) -> None:
    health.add("egress", lambda: parts.egress.problem)
    health.add("shards", parts.count.problem)
    for bucket in parts.watched:
        health.add(bucket.bucket, bucket.missing)
    health.add("contracts", parts.catalogue.missing)
    health.add("pictures", parts.pictures.missing)
    health.refresh(showing(parts.accounts))
    owner, shard = parts.owner, parts.shard
    health.tell_role(owner.ownership.role)
    # A bystander is ready: it can take over.
    health.add("shard", lambda: None if owner.ownership.stands_by else shard.missing())


if __name__ == "__main__":
    sys.exit(run("executor", main))
