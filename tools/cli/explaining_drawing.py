"""How an explanation is shown: as a document for scripts, and as aligned text for people."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Change, Leg
from libs.common.domain.planning import Planned
from libs.common.domain.quantity import plain
from libs.common.domain.telling.summaries import runs, times
from tools.cli.explaining_path import AccountExplained, Explanation, Outcome
from tools.cli.showing import clean, style_of, table, terminal

Document = dict[str, Any]
Row = tuple[str, str]

# Made for this explanation alone, so they would be found nowhere.
_MADE_UP = frozenset(
    {
        *("type", "intent_id", "alert_id", "at", "received_at", "client_order_id"),
        *("position_id", "change_id", "exchange_ids"),
    }
)
_STEP_CHARS = len("withheld")
_STYLES = {"planned": "green", "withheld": "yellow"}


def outcome_of(explanation: Explanation) -> Outcome:
    """The gravest of the accounts' outcomes."""
    if explanation.refusal is not None:
        return Outcome.REFUSED
    found = {each.outcome for each in explanation.accounts}
    gravest = (Outcome.UNPLANNED, Outcome.DENIED, Outcome.PARTIAL)
    return next((each for each in gravest if each in found), Outcome.PLANNED)


def document_of(explanation: Explanation) -> Document:
    """The explanation as JSON; names and decimals are those of the trail."""
    refusal = explanation.refusal
    return {
        "route": explanation.route,
        "outcome": outcome_of(explanation).value,
        "sent": False,
        "body": explanation.body,
        "order": shown(explanation.order),
        "refusal": None
        if refusal is None
        else {
            "status": refusal.status,
            "reason": refusal.reason.value,
            "field": refusal.field,
            "value": refusal.value,
            "message": refusal.message,
        },
        "accounts": [_account(each) for each in explanation.accounts],
        "assumptions": list(explanation.assumptions),
    }


def print_explanation(explanation: Explanation) -> None:
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    out = terminal()
    outcome = outcome_of(explanation).value
    out.print(Text.assemble(f"route {explanation.route}  ", (outcome, style(outcome))))
    out.print()
    print_rows(_alert_rows(explanation))
    for account in explanation.accounts:
        outcome = account.outcome.value
        out.print()
        out.print(Text.assemble(f"account {account.account}  ", (outcome, style(outcome))))
        out.print()
        print_rows([*_intent_rows(account), *_result_rows(account)])
    out.print()
    for told in explanation.assumptions:
        out.print(Text(clean(f"assumed: {told}")))
    out.print(Text("nothing was sent"))


def _account(account: AccountExplained) -> Document:
    intent, result = account.intent, account.result
    planned = result if isinstance(result, Planned) else None
    return {
        "account": account.account,
        "outcome": account.outcome.value,
        "assumptions": list(account.assumptions),
        "intent": shown(intent),
        "plan": None
        if planned is None
        else {
            "summary": planned.summary,
            "steps": list(planned.steps),
            "legs": [shown(leg) for leg in planned.legs],
            "changes": [shown(change) for change in planned.changes],
            "withheld": shown(planned.withheld),
        },
        "denial": shown(result) if isinstance(result, Denial) else None,
        "denied_by": account.denied_by,
    }


def shown(value: Any) -> Any:
    """A struct with its defaults spelled out, as the console's API shows it."""
    match value:
        case msgspec.Struct():
            names = [name for name in value.__struct_fields__ if name not in _MADE_UP]
            return {name: shown(getattr(value, name)) for name in names}
        case Decimal():
            return plain(value)
        case dict():
            return {key: shown(inner) for key, inner in value.items()}
        case tuple() | list():
            return [shown(inner) for inner in value]
    return value


def _alert_rows(explanation: Explanation) -> Iterator[Row]:
    yield "body", explanation.body
    refusal = explanation.refusal
    if refusal is not None:
        yield "refused", f"{refusal.status} {refusal.reason.value}"
        if refusal.field is not None:
            yield "field", refusal.field
        if refusal.value is not None:
            yield "value", refusal.value
        yield "cure", refusal.message
    elif explanation.order is not None:
        fields = shown(explanation.order)
        given = {name: value for name, value in fields.items() if value not in (None, False)}
        yield "order", ", ".join(f"{name} {_word(value)}" for name, value in given.items())


def _word(value: Any) -> str:
    return "yes" if value is True else str(value)


def _intent_rows(account: AccountExplained) -> Iterator[Row]:
    intent = account.intent
    for told in account.assumptions:
        yield "assumed", told
    if intent is not None:
        for step in intent.steps:
            yield "router", step
        yield "intent", _intent(intent)


def _result_rows(account: AccountExplained) -> Iterator[Row]:
    match account.result:
        case Denial() as denial:
            yield "denied", denial_words(denial)
        case Planned() as planned:
            for step in planned.steps:
                yield "executor", step
            for words, number in runs(leg_words(leg) for leg in planned.legs):
                yield "order", times(words, number)
            for change in planned.changes:
                yield "change", change_words(change)
            if planned.withheld is not None:
                yield "withheld", denial_words(planned.withheld)


def _intent(intent: Intent) -> str:
    size = "" if intent.contracts is None else f" {plain(intent.contracts)} contracts of"
    modes = f"{intent.trade_mode.value}, {intent.margin_mode.value} {intent.leverage}x"
    wanted = f" {intent.wanted.value}" if intent.wanted else ""
    return f"{intent.action.value}{wanted}{size} {intent.symbol} ({modes})"


def leg_words(leg: Leg) -> str:
    """An order of a plan, for people."""
    price = "" if leg.price is None else f" at {plain(leg.price)}"
    prices = _prices(("stop", leg.stop_price), ("target", leg.target_price))
    modes = f"{leg.margin_mode.value} {leg.leverage}x"
    move = f"{leg.effect.value} {leg.position_side.value} {plain(leg.contracts)}"
    return ", ".join([f"{move} {leg.order_type.value}{price}", modes, *prices])


def change_words(change: Change) -> str:
    """A change of a plan, for people."""
    side = "" if change.position_side is None else f" {change.position_side.value}"
    contracts = "" if change.contracts is None else f" {plain(change.contracts)}"
    prices = _prices(
        ("stop", change.stop_price),
        ("target", change.target_price),
        ("distance", change.trail_distance),
    )
    return ", ".join([f"{change.kind.value}{side}{contracts}", *prices])


def _prices(*named: tuple[str, Decimal | None]) -> list[str]:
    return [f"{name} {plain(value)}" for name, value in named if value is not None]


def denial_words(denial: Denial) -> str:
    """Why not, for people."""
    numbers = ", ".join(f"{name} {value}" for name, value in denial.context.items() if value)
    return f"{denial.reason.value}: {denial.message}" + (f" ({numbers})" if numbers else "")


def print_rows(rows: Iterator[Row] | list[Row]) -> None:
    from rich.text import Text  # noqa: PLC0415

    drawn = table("step", "what")
    drawn.columns[0].no_wrap = True
    drawn.columns[0].min_width = _STEP_CHARS
    before = ""
    for stage, words in rows:
        drawn.add_row(
            Text("" if stage == before else stage, style=style(stage)), Text(clean(words))
        )
        before = stage
    terminal().print(drawn)


def style(word: str) -> str:
    return _STYLES.get(word) or style_of(word)
