"""What the load is made of: who is sent what, and when. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

TICKER = "BTCUSDT.P"
SIZE_BASE = "0.001"
SYMBOL = "BTC_USDT"
CONTRACTS = 10
"""What `SIZE_BASE` is at the exchange, where a contract is 0.0001 BTC."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    url: str
    body: bytes


def shots(urls: Sequence[str], *, run: str) -> Iterator[Shot]:
    """Without end, round robin: each address gets buy, sell, buy, … and no id twice."""
    for number in count():
        turn, place = divmod(number, len(urls))
        yield Shot(url=urls[place], body=body(f"{run}-{number}", buy=turn % 2 == 0))


def body(alert_id: str, *, buy: bool) -> bytes:
    """The guide's test alert, with an id of its own."""
    action = "buy" if buy else "sell"
    return (
        f'{{"platform_name":"mexc","ticker":"{TICKER}","order_contracts":{SIZE_BASE},'
        f'"order_action":"{action}","alert_id":"{alert_id}"}}'
    ).encode()


def due_times(*, rate: float, seconds: float) -> list[float]:
    """When to send, in seconds from the start, evenly spaced; one at least."""
    return [number / rate for number in range(max(1, round(rate * seconds)))]
