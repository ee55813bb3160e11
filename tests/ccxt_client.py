"""ccxt, as anyone installs it, pointed at a paper exchange by base address alone."""

import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import ccxt.pro

BTC = "BTC/USDT:USDT"
ETH = "ETH/USDT:USDT"


def pointed(exchange: Any, address: str) -> Any:
    """Every host that ccxt knows becomes the one address; paths stay as they are."""
    exchange.urls["api"] = _moved(exchange.urls["api"], address)
    return exchange


@contextlib.asynccontextmanager
async def ccxt_client(address: str, *, key: str, secret: str) -> AsyncIterator[Any]:
    """REST and WebSocket of MEXC's perpetual contracts. Without ccxt's own pacing."""
    exchange = ccxt.pro.mexc(
        {
            "apiKey": key,
            "secret": secret,
            "enableRateLimit": False,
            "options": {"defaultType": "swap"},
        }
    )
    try:
        yield pointed(exchange, address)
    finally:
        await exchange.close()


def _moved(urls: Any, address: str) -> Any:
    if isinstance(urls, dict):
        return {name: _moved(inner, address) for name, inner in urls.items()}
    host = address.partition("://")[2]
    return re.sub(r"^(http|ws)s://[^/]+", rf"\1://{host}", urls)
