"""What can be played as prices: the control side's words for it."""

from decimal import Decimal
from typing import Any

import msgspec

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.market.walk import WIDEST_STEP_BPS
from tools.paper_exchange.numbers import sane

SHORTEST_STEP_MS = 10
LONGEST_STEP_MS = 3_600_000
FASTEST = 1_000_000


class WalkFeed(msgspec.Struct, tag_field="kind", tag="walk", forbid_unknown_fields=True):
    seed: int = 1
    step_ms: int = 500
    volatility_bps: Decimal = Decimal(5)

    def __post_init__(self) -> None:
        if not SHORTEST_STEP_MS <= self.step_ms <= LONGEST_STEP_MS:
            raise ValueError(f"step_ms lies between {SHORTEST_STEP_MS} and {LONGEST_STEP_MS}")
        _check_range("volatility_bps", self.volatility_bps, most=WIDEST_STEP_BPS)


class KlinesFeed(msgspec.Struct, tag_field="kind", tag="klines", forbid_unknown_fields=True):
    """Either `rows`, or `file` in the folder that is set for them."""

    rows: list[list[Any]] | None = None
    file: str | None = None
    speed: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        if (self.rows is None) is (self.file is None):
            raise ValueError("klines takes either rows or file")
        _check_range("speed", self.speed, most=FASTEST)


class StillFeed(msgspec.Struct, tag_field="kind", tag="still", forbid_unknown_fields=True):
    """Stops what was played."""


Feed = WalkFeed | KlinesFeed | StillFeed


class FeedStatus(msgspec.Struct, kw_only=True):
    """`state` is playing, ended or failed; `error` tells why it failed."""

    kind: str
    state: str
    error: str | None = None
    seed: int | None = None
    step_ms: int | None = None
    volatility_bps: Decimal | None = None
    file: str | None = None
    bars: int | None = None
    speed: Decimal | None = None


def _check_range(name: str, value: Decimal, *, most: int) -> None:
    try:
        if 0 < sane(value) <= most:
            return
    except Refused:
        pass
    raise ValueError(f"{name} is above 0 and at most {most}")
