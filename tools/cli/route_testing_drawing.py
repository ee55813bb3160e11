"""An explanation of the running services as aligned text: pure but for the printing. What a service
has not told is said, and the rest is shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Change, Leg
from libs.common.domain.telling.summaries import runs, summary, times
from tools.cli.explaining_drawing import (
    Row,
    change_words,
    denial_words,
    leg_words,
    print_rows,
    style,
)
from tools.cli.showing import clean, terminal

Document = Mapping[str, Any]


def print_explanation(document: Document) -> None:
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    out = terminal()
    outcome = document["outcome"]
    out.print(Text.assemble(f"route {document['route']}  ", (outcome, style(outcome))))
    out.print()
    print_rows(_alert_rows(document))
    for account in document["accounts"]:
        outcome = account["outcome"]
        out.print()
        out.print(Text.assemble(f"account {account['account']}  ", (outcome, style(outcome))))
        out.print()
        print_rows(_account_rows(account))
    out.print()
    for told in document["assumptions"]:
        out.print(Text(clean(f"assumed: {told}")))
    out.print(Text("nothing was sent"))


def _alert_rows(document: Document) -> Iterator[Row]:
    if document["problem"]:
        yield "not told", document["problem"]
        return
    yield "body", document["body"]
    refusal = document["refusal"]
    if refusal is None:
        yield "order", summary("alert.received", {"order": document["order"]})
        return
    yield "refused", f"{refusal['status']} {refusal['reason']}"
    for name in ("field", "value"):
        if refusal[name] is not None:
            yield name, refusal[name]
    yield "cure", refusal["message"]


def _account_rows(account: Document) -> Iterator[Row]:
    intent = account["intent"]
    if intent is not None:
        for step in intent["steps"]:
            yield "router", step
        yield "intent", summary("intent.accepted", intent)
    for told in _picture(account["picture"]):
        yield "seen", told
    yield from _plan_rows(account)
    if account["problem"]:
        yield "not told", account["problem"]


def _plan_rows(account: Document) -> Iterator[Row]:
    for step in account["steps"]:
        yield "executor", step
    for words, number in runs(leg_words(_leg(leg)) for leg in account["legs"]):
        yield "order", times(words, number)
    for change in account["changes"]:
        yield "change", change_words(_change(change))
    for name, denial in (("withheld", account["withheld"]), ("denied", account["denial"])):
        if denial is not None:
            yield name, denial_words(msgspec.convert(denial, Denial))


def _picture(picture: Document | None) -> Iterator[str]:
    if picture is None:
        return
    held = [
        f"{each['side']} {each['contracts']} contracts at {each['average_price']},"
        f" {each['margin_mode']} {each['leverage']}x"
        for each in picture["holdings"]
    ]
    how = "pushed by the exchange" if picture["live"] else "asked for just now"
    yield f"held: {' and '.join(held) or 'nothing'} ({how})"
    yield f"position mode: {picture['position_mode']}"
    prices = picture["prices"]
    if prices is not None:
        yield f"price: last {prices['last']}, mark {prices['mark']}, index {prices['index']}"
    if picture["equity"] is not None:
        yield f"equity: {picture['equity']}"
    for name in ("pending", "protectives", "trails"):
        if picture[name]:
            yield f"{name}: {len(picture[name])}"
    if picture["busy"]:
        yield "an order of the same contract is under way, so this is about to change"


# Their ids are not shown, and nobody needs them here.
def _leg(leg: Document) -> Leg:
    return msgspec.convert({**leg, "client_order_id": ""}, Leg)


def _change(change: Document) -> Change:
    return msgspec.convert({**change, "change_id": ""}, Change)
