"""How each account's orders came about, as sentences and numbers: pure. What router and executor
recorded with their decisions, in the order in which they were taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from libs.common.contracts.reasons import EXPLANATIONS, Reason
from libs.common.domain.quantity import plain
from libs.common.domain.telling.summaries import runs, summary, times
from services.console.web.alert.calls import Call, calls_of

Data = Mapping[str, Any]
Fact = tuple[str, str]

_STEPS_MAX = 60
_PLAN_STEPS_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A denial, or what was withheld of a plan."""

    by: str
    reason: str
    message: str
    explanation: str
    """What the reason means, wherever it stands."""
    numbers: tuple[Fact, ...]


@dataclass(kw_only=True)
class Reckoning:
    """Of one account; `account` is empty for what was decided before it was shared out."""

    account: str
    symbol: str = ""
    wanted: str = ""
    facts: list[Fact] = field(default_factory=list)
    decided: tuple[str, ...] = ()
    """The router's sentences."""
    held: str | None = None
    """None where nobody looked."""
    planned: tuple[str, ...] = ()
    """The executor's sentences."""
    plan: str = ""
    refused: list[Refused] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    """By which it was learnt what is held."""
    base: str = ""
    contract_size: Decimal | None = None


def reckonings(events: Sequence[Data]) -> list[Reckoning]:
    """In the order in which the accounts came up."""
    found: dict[str, Reckoning] = {}
    for event in events:
        stage, data = event.get("stage"), event.get("data")
        if not isinstance(data, dict):
            continue
        account = str(data.get("account") or "")
        if stage not in {"intent.accepted", "intent.denied", "order.planned"}:
            continue
        one = found.setdefault(account, Reckoning(account=account))
        one.symbol = str(data.get("symbol") or one.symbol)
        match stage:
            case "intent.accepted":
                _hear_intent(one, data)
            case "intent.denied":
                _hear_denial(one, data, by=str(event.get("service") or ""))
            case "order.planned":
                _hear_plan(one, data)
        one.calls += calls_of(event) if stage != "intent.accepted" else []
    return list(found.values())


def base_quantity(contracts: object, *, of: Reckoning | None) -> str | None:
    """`0.001 BTC` for so many contracts; None where the contract is not known."""
    if of is None or of.contract_size is None:
        return None
    try:
        number = Decimal(str(contracts))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    return f"{plain(number * of.contract_size)} {of.base}".rstrip()


def refused_of(denial: Data, *, by: str) -> Refused:
    reason = str(denial.get("reason") or "")
    known = reason in set(Reason)
    context = denial.get("context")
    pairs = context.items() if isinstance(context, dict) else ()
    return Refused(
        by=by,
        reason=reason,
        message=str(denial.get("message") or ""),
        explanation=EXPLANATIONS[Reason(reason)] if known else "",
        numbers=tuple((str(name).replace("_", " "), str(value)) for name, value in pairs if value),
    )


def _hear_intent(one: Reckoning, data: Data) -> None:
    instrument = data.get("instrument")
    one.wanted = summary("intent.accepted", data)
    one.decided = _sentences(data, most=_STEPS_MAX)
    one.facts = list(_intent_facts(data))
    if isinstance(instrument, dict):
        one.base = str(instrument.get("base") or "")
        try:
            one.contract_size = Decimal(str(instrument.get("contract_size")))
        except InvalidOperation:
            one.contract_size = None
        one.facts += _instrument_facts(instrument)
    if isinstance(data.get("opening_denied"), dict):
        one.refused.append(refused_of(data["opening_denied"], by="router, for what opens"))


def _hear_denial(one: Reckoning, data: Data, *, by: str) -> None:
    if isinstance(data.get("denial"), dict):
        one.refused.append(refused_of(data["denial"], by=by))


def _hear_plan(one: Reckoning, data: Data) -> None:
    one.held = "; ".join(_held(data)) or "nothing"
    one.planned = _sentences(data, most=_PLAN_STEPS_MAX)
    one.plan = summary("order.planned", data)
    if isinstance(data.get("withheld"), dict):
        one.refused.append(refused_of(data["withheld"], by="executor, for the rest"))


def _sentences(data: Data, *, most: int) -> tuple[str, ...]:
    told = [times(step, number) for step, number in runs(str(s) for s in data.get("steps") or ())]
    rest = len(told) - most
    return (*told[:most], *((f"and {rest} more, in the events below",) if rest > 0 else ()))


def _intent_facts(data: Data) -> Iterator[Fact]:
    named = (("mode", "trade_mode"), ("margin", "margin_mode"), ("leverage", "leverage"))
    for label, name in named:
        if data.get(name) is not None:
            yield label, f"{data[name]}x" if name == "leverage" else str(data[name])
    if data.get("max_age_s") is not None:
        yield "entries at most", f"{data['max_age_s']} s old"
    limits = data.get("limits")
    for name, value in limits.items() if isinstance(limits, dict) else ():
        yield str(name).replace("_", " "), str(value)


def _instrument_facts(instrument: Data) -> Iterator[Fact]:
    base, quote = instrument.get("base") or "", instrument.get("quote") or ""
    yield "one contract", f"{instrument.get('contract_size')} {base}"
    smallest, step = instrument.get("minimum_contracts"), instrument.get("step_contracts")
    yield "sizes", f"from {smallest} contracts in steps of {step}"
    yield "prices", f"in ticks of {instrument.get('tick_price')} {quote}"


def _held(data: Data) -> Iterator[str]:
    for each in data.get("holdings") or ():
        if isinstance(each, dict):
            at = f" at {each['average_price']}" if each.get("average_price") else ""
            modes = ", ".join(
                str(told)
                for told in (each.get("margin_mode"), f"{each.get('leverage')}x")
                if told and told != "Nonex"
            )
            free = each.get("free_contracts")
            frozen = f", {free} of it free" if free != each.get("contracts") else ""
            yield f"{each.get('side')} {each.get('contracts')}{at} ({modes}{frozen})"
