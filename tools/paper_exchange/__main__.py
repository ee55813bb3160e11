"""Starts the paper exchange: settings, books, server, until signalled."""

import asyncio
import os
import sys

import structlog

from libs.common.running import run, settle_memory
from libs.common.settings import from_env, redacted
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.market.feeding import start_feed
from tools.paper_exchange.market.feeds import WalkFeed
from tools.paper_exchange.serving import serving
from tools.paper_exchange.settings import PaperExchangeSettings
from tools.paper_exchange.venue import Venue


async def main(stop: asyncio.Event) -> None:
    settings = from_env(PaperExchangeSettings, os.environ)
    log = structlog.get_logger()
    venue = Venue(load_catalogue(), state_dir=settings.state_dir, kline_dir=settings.kline_dir)
    try:
        async with serving(venue, host=settings.host, port=settings.port) as address:
            if settings.walk_seed is not None:
                for symbol in venue.contracts:
                    start_feed(venue, symbol, WalkFeed(seed=settings.walk_seed))
            settle_memory()
            log.info("paper_exchange.ready", address=address, **redacted(settings))
            await stop.wait()
    finally:
        venue.close()


if __name__ == "__main__":
    sys.exit(run("paper-exchange", main))
