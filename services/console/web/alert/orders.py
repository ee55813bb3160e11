"""Orders and changes as a page shows them, with what was asked of the exchange about each: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from libs.common.domain.telling.summaries import change_words, kind_and_price
from services.console.web.alert.calls import Call, answered, calls_of
from services.console.web.alert.reckonings import Reckoning, base_quantity

Data = Mapping[str, Any]
Fact = tuple[str, str]

_WORDS = {
    "planned": "not sent yet",
    "abandoned": "never sent, because what came before it did not go through",
}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One leg, or one change."""

    id: str
    account: str
    symbol: str
    title: str
    effect: str
    side: str
    state: str
    contracts: str
    base: str | None
    kind: str
    """`limit at 60000`; empty of a plain market order."""
    protection: tuple[Fact, ...]
    exchange_id: str
    filled: str
    average_price: str
    fee: str
    profit: str
    words: str
    """The exchange's, untouched; ours where it never had it."""
    calls: tuple[Call, ...]
    is_change: bool = False
    others: tuple[str, ...] = ()
    """The ids of those beside it that are the same and were never sent either."""

    @property
    def round_trips(self) -> int:
        return sum(not call.is_push for call in self.calls)

    @property
    def waited_ms(self) -> float:
        return sum(call.elapsed_ms or 0.0 for call in self.calls)


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one account had of it."""

    account: str
    pieces: tuple[Piece, ...]


def shares(document: Data, *, known: Sequence[Reckoning]) -> list[Share]:
    """By account, in the order of the plans."""
    by_account = {one.account: one for one in known}
    told = _Told(document.get("events") or ())
    found: dict[str, list[Piece]] = {}
    for order in document.get("orders") or ():
        account = str(order.get("account") or "")
        piece = _order(order, told=told, of=by_account.get(account))
        found.setdefault(account, []).append(piece)
    for change in document.get("changes") or ():
        account = str(change.get("account") or "")
        found.setdefault(account, []).append(_change(change, told=told))
    return [Share(account=name, pieces=tuple(_folded(each))) for name, each in found.items()]


def _folded(pieces: Sequence[Piece]) -> list[Piece]:
    """A split order may have hundreds of parts of which nothing is to be told one by one."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if (
            last is not None
            and not piece.calls
            and replace(last, id="", others=()) == replace(piece, id="")
        ):
            found[-1] = replace(last, others=(*last.others, piece.id))
        else:
            found.append(piece)
    return found


class _Told:
    """What the events say of each leg and change, by its id."""

    def __init__(self, events: Sequence[Data]) -> None:
        self.legs: dict[str, Data] = {}
        self._executions: dict[str, list[Data]] = {}
        for event in events:
            data = event.get("data")
            if not isinstance(data, dict):
                continue
            for leg in data.get("legs") or ():
                if event.get("stage") == "order.planned" and isinstance(leg, dict):
                    self.legs.setdefault(str(leg.get("client_order_id")), leg)
            if str(event.get("stage")).startswith("execution."):
                wanted = str(data.get("client_order_id"))
                self._executions.setdefault(wanted, []).append(event)

    def calls(self, wanted: str) -> tuple[Call, ...]:
        found = [call for event in self._executions.get(wanted, ()) for call in calls_of(event)]
        return tuple(answered(found))

    def last(self, wanted: str, name: str) -> str:
        """The newest value that is told of it."""
        values = [event["data"].get(name) for event in self._executions.get(wanted, ())]
        return next((str(value) for value in reversed(values) if value not in {None, ""}), "")


def _order(order: Data, *, told: _Told, of: Reckoning | None) -> Piece:
    wanted = str(order.get("client_order_id") or "")
    leg = told.legs.get(wanted, {})
    state, contracts = str(order.get("state") or ""), str(order.get("contracts") or "")
    effect, side = str(order.get("effect") or ""), str(order.get("position_side") or "")
    fee = _nonzero(_text(order, "fee"))
    currency = told.last(wanted, "fee_currency")
    return Piece(
        id=wanted,
        account=str(order.get("account") or ""),
        symbol=str(order.get("symbol") or ""),
        title=f"{effect} {side}",
        effect=effect,
        side=side,
        state=state,
        contracts=contracts,
        base=base_quantity(contracts, of=of),
        kind=kind_and_price(leg),
        protection=tuple(_protection(leg)),
        exchange_id=_text(order, "exchange_order_id"),
        filled=_text(order, "filled_contracts"),
        average_price=_text(order, "average_price"),
        fee=f"{fee} {currency}".strip() if fee else "",
        profit=_nonzero(told.last(wanted, "profit")),
        words=str(order.get("words") or _WORDS.get(state, "")),
        calls=told.calls(wanted),
    )


def _change(change: Data, *, told: _Told) -> Piece:
    wanted = str(change.get("change_id") or "")
    state = str(change.get("state") or "")
    return Piece(
        id=wanted,
        account=str(change.get("account") or ""),
        symbol=str(change.get("symbol") or ""),
        title=change_words(change),
        effect="change",
        side=str(change.get("position_side") or ""),
        state=state,
        contracts=_text(change, "contracts"),
        base=None,
        kind=str(change.get("kind") or "").replace("_", " "),
        protection=(),
        exchange_id=_text(change, "exchange_id"),
        filled="",
        average_price="",
        fee="",
        profit="",
        words=str(change.get("words") or _WORDS.get(state, "")),
        calls=told.calls(wanted),
        is_change=True,
    )


def _protection(leg: Data) -> list[Fact]:
    named = (("stop", "stop_price"), ("target", "target_price"))
    return [(label, str(leg[name])) for label, name in named if leg.get(name)]


def _text(data: Data, name: str) -> str:
    value = data.get(name)
    return "" if value is None else str(value)


def _nonzero(text: str) -> str:
    return text if text.strip("-0.") else ""
