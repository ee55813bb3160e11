"""What can be subscribed to in public, and how clients name it."""

from decimal import Decimal
from typing import Any, NamedTuple

from tools.paper_exchange.edge.frames import BadFrameError
from tools.paper_exchange.engine.contracts import Contract, Contracts
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.market.bars import Interval
from tools.paper_exchange.numbers import plain

_DEPTHS = frozenset({5, 10, 20})
_DEFAULT_DEPTH = 20
# Sizes of a step of `depth.step`, in ticks.
_STEPS = (1, 10, 100, 1000)
_ABOUT_ALL = frozenset({"tickers", "contract", "event.contract"})
_ABOUT_ONE = frozenset({"ticker", "deal", "depth", "depth.full", "depth.step", "kline"}) | {
    "funding.rate",
    "index.price",
    "fair.price",
}


class Topic(NamedTuple):
    """`detail` is what distinguishes subscriptions of one kind and symbol: the interval, step or
    number of levels.
    """

    kind: str
    symbol: str = ""
    detail: str = ""


def read_topic(kind: str, param: dict[str, Any] | None, contracts: Contracts) -> Topic:
    """The topic meant; unknown kinds and details are `BadFrameError`, unknown symbols `Refused`."""
    param = param or {}
    if read_kind(kind) in _ABOUT_ALL:
        return Topic(kind)
    symbol = param.get("symbol")
    if not isinstance(symbol, str) or symbol not in contracts:
        raise Refused(1001)
    return Topic(kind, symbol, _detail(kind, param, contract=contracts[symbol]))


def read_kind(kind: str) -> str:
    if kind not in _ABOUT_ALL | _ABOUT_ONE:
        raise BadFrameError(f"Unknown channel: {kind[:40]}")
    return kind


def is_covered(topic: Topic, *, kind: str, param: dict[str, Any] | None) -> bool:
    """Whether an `unsub` means the topic; a detail that it does not name is any."""
    param = param or {}
    if topic.kind != kind or (topic.symbol and topic.symbol != param.get("symbol")):
        return False
    given = [str(param[name]) for name in ("interval", "limit", "step") if name in param]
    return not given or not topic.detail or topic.detail in given


def _detail(kind: str, param: dict[str, Any], *, contract: Contract) -> str:
    if kind == "kline":
        interval = str(param.get("interval", Interval.MIN1))
        if interval not in set(Interval):
            raise BadFrameError("Invalid interval")
        return interval
    if kind == "depth.full":
        limit = str(param.get("limit", _DEFAULT_DEPTH))
        if limit not in {str(depth) for depth in _DEPTHS}:
            raise BadFrameError("Invalid limit")
        return limit
    if kind == "depth.step":
        steps = [plain(contract.price_unit * factor) for factor in _STEPS]
        step = param.get("step", steps[0])
        # A small step that is sent as a number has become a float: 1e-10.
        text = plain(Decimal(str(step))) if isinstance(step, (int, float)) else str(step)
        if text not in steps:
            raise BadFrameError(f"Invalid step; valid are {', '.join(steps)}")
        return text
    return ""
