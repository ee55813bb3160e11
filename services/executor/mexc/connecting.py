"""An account at MEXC: its client for questions and orders, and its private pushes."""

from libs.common.contracts.route import Account
from libs.common.secret import Secret
from services.executor.exchange import Heard
from services.executor.mexc.client import MexcExchange
from services.executor.mexc.stream import MexcFeed


def connect_account(
    account: Account, secret: Secret, *, heard: Heard = lambda _verdict: None
) -> tuple[MexcExchange, MexcFeed]:
    """Nothing is sent yet; make it inside the event loop."""
    exchange = MexcExchange(
        base_url=account.base_url, access_key=account.access_key, secret=secret, heard=heard
    )
    feed = MexcFeed(
        url=account.ws_url,
        access_key=account.access_key,
        secret=secret,
        clock_offset_ms=lambda: exchange.clock_offset_ms,
    )
    return exchange, feed
