"""What became of an alert, in one sentence for people: pure.

Documents are those of the console's API, of any release, so most fields may be absent.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any

from libs.common.domain.quantity import plain
from libs.common.domain.telling.upshot import End, ends

Document = Mapping[str, Any]

_PAST = {"open": "Opened", "close": "Closed"}
_PLACES_MAX = 3
"""So many are named; the rest is counted."""
_UNDER_WAY = {
    "alert.received": "It is stored and waits for its decision",
    "intent.accepted": "It is decided and waits for its plan",
    "order.planned": "It is planned, and its order is about to leave",
    "execution.sent": "Its order has left, and the exchange has not answered yet",
    "execution.accepted": "The exchange has taken its order and has not filled it yet",
}
_STRANGE = "This release does not know what became of it."


def outcome(document: Document) -> str:
    """Ends with a full stop, unless the exchange's or somebody else's words end it."""
    match document.get("status"):
        case "executed":
            return _executed(document)
        case "partial":
            return f"{_done(document) or 'A part was done'}, but not all: {_undone(document)}"
        case "pending":
            return _pending(document)
        case "refused":
            return _refused(document)
        case "denied":
            return f"Nothing was sent: {_undone(document)}"
        case "rejected":
            states = {order.get("state") for order in document.get("orders") or ()}
            # What was canceled was taken before.
            ended = "It was not filled" if "canceled" in states else "The exchange refused it"
            return f"{ended}: {_undone(document)}"
        case "unknown":
            return (
                "It was sent, and what became of it is not known; the exchange is asked until it"
                " tells."
            )
        case "dead":
            return f"It was given up on: {_undone(document)}"
    return _STRANGE


def _executed(document: Document) -> str:
    if document.get("alerts"):
        return f"All of what this halt closed by was done: {_counted(document['alerts'])}."
    if any(stage == "intent.flattened" for stage, _ in _messages(document)):
        return "Nothing was held, so there was nothing to close."
    return f"{_done(document)}." if _done(document) else "What was wanted was held already."


def _done(document: Document) -> str:
    orders = [each for each in document.get("orders") or () if _is_moved(each)]
    told = [_moved(list(same)) for _, same in groupby(orders, _place)]
    told += [_capital(line) for line in _changes_done(document)]
    more = f" and {len(told) - _PLACES_MAX} more" if len(told) > _PLACES_MAX else ""
    return ", ".join([told[0], *map(_small, told[1:_PLACES_MAX])]) + more if told else ""


def _changes_done(document: Document) -> Iterator[str]:
    # Of the upshot's lines those that are no order's.
    changes = {"changes": document.get("changes") or (), "status": document.get("status")}
    yield from (f"{told}: done" for end, told in ends(changes) if end is End.DONE)


def _is_moved(order: Document) -> bool:
    return bool(_number(order.get("filled_contracts"))) or order.get("state") == "filled"


def _place(order: Document) -> tuple[object, ...]:
    return tuple(order.get(name) for name in ("effect", "position_side", "symbol", "account"))


def _moved(orders: Sequence[Document]) -> str:
    first = orders[0]
    sizes = [_number(each.get("filled_contracts") or each.get("contracts")) for each in orders]
    prices = [_number(each.get("average_price")) for each in orders]
    size = sum(sizes, Decimal(0))
    at = ""
    if all(prices) and size:
        paid = sum((price * part for price, part in zip(prices, sizes, strict=True)), Decimal(0))
        # What the exchange told of one order stays as it was written.
        mean = Decimal(format(paid / size, ".8f"))
        price = first["average_price"] if len(set(prices)) == 1 else plain(mean)
        at = f" at {price}"
    many = f" in {len(orders)} orders" if len(orders) > 1 else ""
    effect = _PAST.get(str(first.get("effect")), str(first.get("effect")))
    contracts = f"{plain(size)} contract{'s' * (size != 1)}"
    where = f"of {first.get('symbol')} on {first.get('account')}"
    return f"{effect} {first.get('position_side')} {contracts} {where}{at}{many}"


def _undone(document: Document) -> str:
    told = [words for end, words in ends(document) if end is End.NOT_DONE]
    if len(told) == 1 and told[0].startswith("what was left: "):
        return told[0].partition(": ")[2]
    if len(told) == 1 and told[0].startswith(("what was wanted", "the rest on ")):
        # Whose it is goes without saying, and the code stands beside.
        return told[0].partition(": ")[2].partition(": ")[2] or told[0]
    if told:
        # The upshot has the others.
        return told[0]
    if document.get("alerts"):
        return f"{_counted(document['alerts'])}."
    return str(document.get("reason") or "nobody told why")


def _pending(document: Document) -> str:
    waits = [told for end, told in ends(document) if end is End.WAITS]
    if waits:
        more = f" and {len(waits) - 1} more" if len(waits) > 1 else ""
        return f"It waits at the exchange: {waits[0]}{more}."
    if document.get("alerts"):
        return f"The halt is closing: {_counted(document['alerts'])}."
    stages = [stage for stage, _ in _messages(document) if stage in _UNDER_WAY]
    return f"{_UNDER_WAY[stages[-1]] if stages else 'It is on its way'}."


def _refused(document: Document) -> str:
    for stage, data in _messages(document):
        if stage == "alert.refused":
            status = f" with {data['status']}" if data.get("status") else ""
            return f"Refused on arrival{status}: {data.get('message') or data.get('reason')}"
    return "Refused on arrival."


def _counted(alerts: Sequence[Document]) -> str:
    found: dict[str, int] = {}
    for each in alerts:
        found[str(each.get("status"))] = found.get(str(each.get("status")), 0) + 1
    return ", ".join(f"{number} {status}" for status, number in found.items())


def _messages(document: Document) -> Iterator[tuple[str, Document]]:
    for event in document.get("events") or ():
        if isinstance(event.get("data"), dict):
            yield str(event.get("stage")), event["data"]


def _number(value: object) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() else Decimal(0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
