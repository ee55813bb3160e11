"""Public endpoints of bars, of the last, index and fair price. Bars begin with the process: nothing
is known of the time before.

Without `start` the bars up to `end` are answered, or up to now; where there are more than a reply
holds, those from `start` on, so that asking again from the last one walks through them all.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.market.bars import Bar, Interval, Series, bars_of
from tools.paper_exchange.numbers import number
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.market import known_symbol
from tools.paper_exchange.venue import Venue

MOST_BARS = 2_000


def klines(venue: Venue, call: Call) -> dict[str, Any]:
    return kline_shape(_bars(venue.tape.bars[known_symbol(venue, call)].last, call))


def index_klines(venue: Venue, call: Call) -> dict[str, Any]:
    return kline_shape(_bars(venue.tape.bars[known_symbol(venue, call)].index, call))


def fair_klines(venue: Venue, call: Call) -> dict[str, Any]:
    return kline_shape(_bars(venue.tape.bars[known_symbol(venue, call)].fair, call))


def kline_shape(bars: Iterable[Bar]) -> dict[str, Any]:
    """Columns, as the venue sends them."""
    rows = list(bars)
    return {
        "time": [bar.begin_s for bar in rows],
        "open": [number(bar.open) for bar in rows],
        "close": [number(bar.close) for bar in rows],
        "high": [number(bar.high) for bar in rows],
        "low": [number(bar.low) for bar in rows],
        "vol": [number(bar.vol) for bar in rows],
        "amount": [number(bar.amount) for bar in rows],
        "realOpen": [number(bar.first) for bar in rows],
        "realClose": [number(bar.close) for bar in rows],
        "realHigh": [number(bar.high) for bar in rows],
        "realLow": [number(bar.low) for bar in rows],
    }


def _bars(series: Series, call: Call) -> Iterable[Bar]:
    try:
        interval = Interval(call.params.get("interval") or Interval.MIN1)
    except ValueError:
        raise Refused(600) from None
    now_s = call.now_ms // 1000
    start_s = call.whole_number("start", default=-1)
    end_s = call.whole_number("end", default=max(start_s, now_s))
    if start_s < -1 or end_s < max(start_s, 0):
        raise Refused(600)
    last_s = min(end_s, now_s)
    if start_s > last_s:
        return []
    if start_s < 0:
        start_s = interval.back(interval.floor(last_s), MOST_BARS - 1)
    found = bars_of(series.minutes, interval, first_s=start_s, last_s=last_s)
    return islice(found, MOST_BARS)
