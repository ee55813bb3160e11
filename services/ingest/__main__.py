"""Ingest: admits, parses and stores alerts, and answers the sender. Only wires."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import msgspec
import structlog

from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import access_of
from libs.common.contracts import subjects
from libs.common.contracts.route import Route
from libs.common.draining import Draining
from libs.common.health import Health
from libs.common.listening import is_shared
from libs.common.presence import present
from libs.common.running import run, settle_memory
from libs.common.serving import serving
from libs.common.settings import from_env, redacted
from libs.common.telemetry import configure_telemetry
from libs.common.watching import Watched
from services.ingest.admission import RateLimits
from services.ingest.app import create_app
from services.ingest.door import door_of
from services.ingest.duplicates import RecentAlerts
from services.ingest.feeding import RecentFeed
from services.ingest.questions import Questions
from services.ingest.recording import Recorder
from services.ingest.settings import Settings
from services.ingest.webhook import Webhook

SERVICE = "ingest"
_READY_CHECK_S = 0.05
_OTHERS_ANSWER_S = 20.0

_log = structlog.get_logger()


async def main(stop: asyncio.Event) -> None:
    settings = from_env(Settings, os.environ)
    _log.info("process.started", **redacted(settings))
    health = Health(SERVICE, starting=True)
    async with AsyncExitStack() as stack:
        stack.callback(configure_telemetry(service=SERVICE, environ=os.environ))
        await stack.enter_async_context(
            serving(health, host=settings.health_host, port=settings.health_port)
        )
        await serve(settings, health=health, stop=stop)


async def serve(settings: Settings, *, health: Health, stop: asyncio.Event) -> None:
    """Connect and serve the webhook until `stop` is set."""
    door = door_of(settings)
    async with (
        connected(access_of(settings), service=SERVICE, health=health) as bus,
        present(bus, health),
    ):
        recent = RecentAlerts()
        feed = RecentFeed(bus=bus, recent=recent, now=_now)
        webhook = Webhook(
            recorder=Recorder(log=bus, recent=recent, now=_now),
            senders=door.senders,
            address_rates=door.rates,
            limits=RateLimits(per_s=settings.rate_per_s, burst=settings.rate_burst),
            missing=feed.missing,
            now=_now,
        )
        routes = Watched(
            bucket=subjects.BUCKET_ROUTES,
            decode=msgspec.json.Decoder(Route).decode,
            on_change=lambda: webhook.use_routes(list(routes.values.values())),
        )
        health.add("routes", routes.missing)
        health.add("recent_alerts", feed.missing)
        app = create_app(webhook=webhook, health=health)
        questions = Questions(bus=bus, webhook=webhook, now=_now)
        async with asyncio.TaskGroup() as tasks:
            following = [
                tasks.create_task(routes.follow(bus)),
                tasks.create_task(feed.follow()),
                tasks.create_task(questions.follow()),
                tasks.create_task(_settle_when_ready(health.missing)),
            ]
            if is_shared(port=settings.port, share=settings.share_port):
                await _until_ready(health, stop)
            async with serving(
                app,
                host=settings.host,
                port=settings.port,
                share=settings.share_port,
                limits=door.limits,
                tls=door.tls,
                draining=Draining(health, for_s=settings.drain_s),
            ):
                health.started()
                await stop.wait()
            await cancelled(following)


async def _until_ready(health: Health, stop: asyncio.Event) -> None:
    """At a port that others share: they answer what would get a 503 from us. Not for ever, since
    a 503 is better than no answer where there is nobody else.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_OTHERS_ANSWER_S):
            while not stop.is_set() and health.missing().keys() - {"start"}:  # noqa: ASYNC110
                await asyncio.sleep(_READY_CHECK_S)


async def _settle_when_ready(missing: Callable[[], object]) -> None:
    while missing():  # noqa: ASYNC110 - the checks answer when asked, they do not tell
        await asyncio.sleep(_READY_CHECK_S)
    settle_memory()
    _log.info("process.ready")


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(run(SERVICE, main))
