"""The upshot of an alert: what was done, what waits, what was not done, and why: pure. `outcome.py`
says it in one sentence.

Documents are those of the console's API, of any release, so most fields may be absent.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from libs.common.domain.telling.summaries import change_words, kind_and_price, moved, runs, times

Document = Mapping[str, Any]
Line = tuple["End", str]

_OFF_THE_PATH = frozenset({"auditor", "console"})
# Why a step was not done, where the exchange's words do not say it.
_UNDONE = {
    "canceled": "canceled before anything was filled",
    "rejected": "refused by the exchange",
    "abandoned": "never sent, because what came before it did not go through",
    "planned": "never sent",
}
_LOST = "it was sent, and its end was never learnt"
_UNDER_WAY = frozenset({"planned", "sent", "accepted"})
_STILL_OPEN = frozenset({"pending", "unknown"})


class End(StrEnum):
    DONE = "done"
    WAITS = "waits"
    UNDER_WAY = "under way"
    UNKNOWN = "unknown"
    NOT_DONE = "not done"


def upshot(document: Document) -> list[Line]:
    """One line for each step of the plans, then one for each part that was left out.

    Empty where the alert's status says all: everything was done, or it was refused by ingest.
    """
    return [] if str(document["status"]) in {"executed", "refused"} else ends(document)


def ends(document: Document) -> list[Line]:
    """The same, whatever the status."""
    is_open = str(document["status"]) in _STILL_OPEN
    waits = _conditions(document)
    orders = [
        line
        for each in document.get("orders") or ()
        for line in _order(each, condition=waits.get(each.get("client_order_id")), is_open=is_open)
    ]
    changes = [_change(each, is_open=is_open) for each in document.get("changes") or ()]
    steps = [(end, times(told, number)) for (end, told), number in runs([*orders, *changes])]
    return [*steps, *dict.fromkeys(_left_out(document))]


def _conditions(document: Document) -> dict[str | None, str]:
    # The orders of the API do not say what they wait for; the plans' legs do.
    return {
        leg.get("client_order_id"): kind_and_price(leg)
        for stage, data in _messages(document.get("events") or ())
        if stage == "order.planned"
        for leg in data.get("legs") or ()
    }


def _order(order: Document, *, condition: str | None, is_open: bool) -> Iterator[Line]:
    state = str(order.get("state"))
    where = _where(order)
    move = " ".join(part for part in (moved(order), condition) if part)
    filled = str(order.get("filled_contracts") or "")
    at = f" at {order['average_price']}" if order.get("average_price") else ""
    some = f", {filled} contracts filled{at}" if filled.strip("0.") else ""
    match state:
        case "filled":
            yield End.DONE, f"{move}{where}{at}"
        case "partly_filled":
            yield End.DONE, f"{move}{where}, but only {filled} of it{at}"
            words = order.get("words") or "canceled"
            yield End.NOT_DONE, f"the rest of {move}{where}: {words}"
        case "resting":
            yield End.WAITS, f"{move}{where}{some}"
        case _:
            end = _end(state, is_open=is_open)
            yield end, f"{move}{where}{some}{_why(order, end=end)}"


def _change(change: Document, *, is_open: bool) -> Line:
    state = str(change.get("state"))
    end = End.DONE if state == "changed" else _end(state, is_open=is_open)
    why = "" if end is End.DONE else _why(change, end=end)
    return end, f"{change_words(change)}{_where(change)}{why}"


def _end(state: str, *, is_open: bool) -> End:
    if state in _UNDER_WAY and is_open:
        return End.UNDER_WAY
    return End.NOT_DONE if state in _UNDONE else End.UNKNOWN


def _why(step: Document, *, end: End) -> str:
    if end is End.UNDER_WAY:
        return ""
    state = str(step.get("state"))
    untold = _LOST if state in _UNDER_WAY else ""
    words = step.get("words") or _UNDONE.get(state, untold)
    return f": {words}" if words else ""


def _where(step: Document) -> str:
    on = f" on {step['account']}" if step.get("account") else ""
    return f" {step.get('symbol') or ''}{on}".rstrip()


def _left_out(document: Document) -> Iterator[Line]:
    planned: set[str] = set()
    for stage, data in _messages(document.get("events") or ()):
        account = str(data.get("account") or "")
        planned |= {account} if stage == "order.planned" else set()
        what = "the rest" if account in planned else "what was wanted"
        on = f" on {account}" if account else ""
        withheld, denial = data.get("withheld"), data.get("denial")
        if stage == "order.planned" and isinstance(withheld, dict):
            yield End.NOT_DONE, f"{what}{on}: {_reason(withheld)}"
        elif stage == "intent.denied" and isinstance(denial, dict):
            yield End.NOT_DONE, f"{what}{on}: {_reason(denial)}"
        elif stage.startswith("dead") and _ended_it(data, document):
            yield End.NOT_DONE, f"what was left: {data.get('service')} gave up: {data['reason']}"


def _reason(denial: Document) -> str:
    # Its numbers stand beside its event.
    return f"{denial.get('reason')}: {denial.get('message')}"


def _messages(events: Iterable[Document]) -> Iterator[tuple[str, Document]]:
    for event in events:
        if isinstance(event.get("data"), dict):
            yield str(event.get("stage")), event["data"]


def _ended_it(letter: Document, document: Document) -> bool:
    # One that was replayed later is no end, and neither is a hole in the trail.
    told = letter.get("reason")
    return (
        bool(told)
        and told == document.get("reason")
        and (letter.get("service") not in _OFF_THE_PATH)
    )
