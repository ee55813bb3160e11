"""Wires the console: settings, telemetry, the log, the trail, the application."""

import asyncio
import os
import sys

import structlog

from libs.common.addresses import is_within, read_address
from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import access_of
from libs.common.draining import Draining
from libs.common.health import Health
from libs.common.http_limits import HttpLimits
from libs.common.presence import present
from libs.common.running import run, settle_memory
from libs.common.sealing import SealError
from libs.common.serving import serving
from libs.common.settings import SettingsError, from_env, redacted
from libs.common.telemetry import configure_telemetry
from services.console.app import make_app
from services.console.feed import Feed
from services.console.patience import Patience
from services.console.problems import Problem
from services.console.registry import Registry
from services.console.routes import Webhooks
from services.console.sealing import Sealer
from services.console.settings import Settings
from services.console.supplies import make_supplies
from services.console.trace_links import TraceLinks
from services.console.trail import open_trail
from services.console.web.access.guarding import Access
from services.console.web.access.proxies import Proxies, read_proxies
from services.console.web.access.remembering import RememberedSessions
from services.console.web.access.users import Users
from services.console.web.edges import with_edges
from services.console.web.live.board import Board

_READ_AGAIN_S = 0.5
_log = structlog.get_logger()


async def main(stop: asyncio.Event) -> None:
    settings = from_env(Settings, os.environ)
    shutdown_telemetry = configure_telemetry(service="console", environ=os.environ)
    sealer, proxies = _sealer(settings), _proxies(settings)
    trace_links = TraceLinks(settings.trace_url)
    health = Health("console", starting=True)
    async with (
        serving(health, host=settings.health_host, port=settings.health_port),
        connected(access_of(settings), service="console", health=health) as bus,
        present(bus, health),
        open_trail(settings.postgres_url) as trail,
        asyncio.TaskGroup() as group,
    ):
        feed = Feed(bus)
        board = Board(feed, trail)
        supplies = make_supplies(
            bus,
            trail=trail,
            feed=feed,
            board=board,
            webhooks=Webhooks(base_url=settings.webhook_base_url),
            sealer=sealer,
            trace_links=trace_links,
        )
        registry, standing = supplies.registry, supplies.standing
        health.add("registry", registry.missing)
        health.add("halts", standing.missing)
        health.add("trail", trail.missing)
        access = Access(
            users=Users(settings.users_file),
            sessions=RememberedSessions(bus),
            public_url=settings.public_url,
            proxies=proxies,
        )
        site = make_app(
            token=settings.console_token, health=health, access=access, supplies=supplies
        )
        # Patience stands outside: it needs the server's own way of sending.
        app = Patience(with_edges(site, access))
        # Everybody's connections are the proxies'.
        limits = HttpLimits(
            is_unlimited=lambda address: is_within(read_address(address), proxies.networks)
        )
        async with serving(
            app,
            host=settings.host,
            port=settings.port,
            limits=limits,
            share=settings.share_port,
            draining=Draining(health, for_s=settings.drain_s),
        ):
            running = (trail.watch(), feed.run(), board.run(), standing.follow(), _read(registry))
            background = [group.create_task(each) for each in running]
            _log.info("console.started", settings=redacted(settings))
            settle_memory()
            health.started()
            await stop.wait()
            board.close()
            feed.close()
            app.close()
        await cancelled(background)
    shutdown_telemetry()


# A wrong key is told at the start, not when the first account is entered.
def _sealer(settings: Settings) -> Sealer:
    key, path = settings.sealing_public_key, settings.sealing_public_key_file
    if bool(key) == bool(path):
        told = "are both set" if key else "are both missing"
        raise SettingsError(f"ALERTWIRE_SEALING_PUBLIC_KEY and …_FILE {told}: give one of them")
    try:
        return Sealer(public_key=key, path=path)
    except SealError as error:
        raise SettingsError(f"ALERTWIRE_SEALING_PUBLIC_KEY: {error}") from None
    except OSError as error:
        raise SettingsError(f"ALERTWIRE_SEALING_PUBLIC_KEY_FILE: {error}") from None


def _proxies(settings: Settings) -> Proxies:
    try:
        return read_proxies(
            networks=settings.trusted_proxies,
            user_header=settings.proxy_user_header,
            groups_header=settings.proxy_groups_header,
            operators=settings.proxy_operators,
            viewers=settings.proxy_viewers,
            sign_out_url=settings.proxy_sign_out_url,
        )
    except ValueError as error:
        raise SettingsError(f"ALERTWIRE_TRUSTED_PROXIES, ALERTWIRE_PROXY_…: {error}") from None


# Readiness asks for both buckets to have been read once.
async def _read(registry: Registry) -> None:
    while registry.missing() is not None:
        try:
            await registry.routes.list()
            await registry.accounts.list()
        except Problem as problem:
            _log.warning("registry.unread", reason=problem.detail)
            await asyncio.sleep(_READ_AGAIN_S)


if __name__ == "__main__":
    sys.exit(run("console", main))
