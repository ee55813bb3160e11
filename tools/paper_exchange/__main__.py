"""Starts the paper exchange: settings, books, server, until signalled."""

import asyncio
import contextlib
import os
import sys

import structlog

from libs.common.running import run, settle_memory
from libs.common.settings import SettingsError, from_env, redacted
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.journal import sole_owner
from tools.paper_exchange.market.feeding import start_feed
from tools.paper_exchange.market.feeds import WalkFeed
from tools.paper_exchange.serving import serving
from tools.paper_exchange.settings import PaperExchangeSettings
from tools.paper_exchange.venue import Venue


async def main(stop: asyncio.Event) -> None:
    settings = from_env(PaperExchangeSettings, os.environ)
    with sole_owner(settings.state_dir):
        await _serve(settings, stop)


async def _serve(settings: PaperExchangeSettings, stop: asyncio.Event) -> None:
    log = structlog.get_logger()
    venue = Venue(load_catalogue(), state_dir=settings.state_dir, kline_dir=settings.kline_dir)
    try:
        async with contextlib.AsyncExitStack() as stack:
            address = await _listening(stack, venue, settings)
            if settings.walk_seed is not None:
                for symbol in venue.contracts:
                    start_feed(venue, symbol, WalkFeed(seed=settings.walk_seed))
            settle_memory()
            log.info("paper_exchange.ready", address=address, **redacted(settings))
            await stop.wait()
    finally:
        venue.close()


async def _listening(
    stack: contextlib.AsyncExitStack, venue: Venue, settings: PaperExchangeSettings
) -> str:
    try:
        return await stack.enter_async_context(
            serving(venue, host=settings.host, port=settings.port)
        )
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(
            f"cannot listen on {settings.host} port {settings.port}: {reason}"
        ) from None


if __name__ == "__main__":
    sys.exit(run("paper-exchange", main))
