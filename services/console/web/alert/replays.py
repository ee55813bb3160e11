"""A replay as a page shows it: pure. What differs in what was understood and decided, field by
field, and what each account would do today beside what it did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from libs.common.domain.telling.summaries import summary

Data = Mapping[str, Any]

DIFFERENCES_MAX = 60
NOTHING = "-"


@dataclass(frozen=True, kw_only=True)
class Difference:
    what: str
    then: str
    now: str


@dataclass(frozen=True, kw_only=True)
class Side:
    """One account's part, then or today."""

    outcome: str
    words: str
    steps: tuple[str, ...]
    held: str


@dataclass(frozen=True, kw_only=True)
class Pair:
    account: str
    then: Side | None
    now: Side | None
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    verdict: str
    """`same`, `differs`, or `untold` where not everybody answered."""
    problem: str | None
    differences: tuple[Difference, ...]
    more: int
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


def comparison(replay: Data) -> Comparison:
    """Of the document that `POST /api/alerts/{id}/replay` answers."""
    told = msgspec.to_builtins(replay)
    then, now = told["then"], told["now"]
    found = [_difference(each) for each in told["differences"]]
    pairs = tuple(_pairs(then, now))
    problem = now.get("problem")
    silent = problem is not None or any(pair.problem for pair in pairs)
    # The plans are made with what is held at their time, so only their kind is compared.
    differs = bool(found) or any(_is_other(pair) for pair in pairs)
    return Comparison(
        verdict="differs" if differs else "untold" if silent else "same",
        problem=problem,
        differences=tuple(found[:DIFFERENCES_MAX]),
        more=max(len(found) - DIFFERENCES_MAX, 0),
        pairs=pairs,
        notes=tuple(told["notes"]),
    )


def _difference(told: Data) -> Difference:
    on = f"{told['account']}: " if told.get("account") else ""
    return Difference(what=f"{on}{told['what']}", then=_text(told["then"]), now=_text(told["now"]))


def _pairs(then: Data, now: Data) -> list[Pair]:
    before = {one["account"]: one for one in then["accounts"]}
    after = {one["account"]: one for one in now["accounts"]}
    # What was denied before it was shared out names no account.
    for_all = before.pop(None, None)
    return [
        Pair(
            account=str(name),
            then=_side(before.get(name) or for_all),
            now=_side(after.get(name)) if _is_told(after.get(name)) else None,
            problem=after[name].get("problem") if name in after else None,
        )
        for name in dict.fromkeys([*before, *after])
    ]


def _is_told(one: Data | None) -> bool:
    return one is not None and one.get("problem") is None


def _is_other(pair: Pair) -> bool:
    if pair.problem is not None:
        return False
    was = pair.then.outcome if pair.then else "not traded"
    return was != (pair.now.outcome if pair.now else "not traded")


def _side(one: Data | None) -> Side | None:
    if one is None:
        return None
    denial, withheld = one.get("denial"), one.get("withheld")
    words = _denied(denial) if denial else ""
    if one["outcome"] in {"planned", "partial"}:
        words = summary("order.planned", one)
        words += f"; withheld, {_denied(withheld)}" if withheld else ""
    return Side(
        outcome=one["outcome"],
        words=words,
        steps=tuple(str(step) for step in one.get("steps") or ()),
        held=_held(one),
    )


def _denied(denial: Data) -> str:
    return f"{denial.get('reason')}: {denial.get('message')}"


def _held(one: Data) -> str:
    picture = one.get("picture")
    held: Sequence[Data] | None = one.get("holdings")
    if held is None and picture:
        held = picture.get("holdings")
    if held is None:
        return ""
    return ", ".join(f"{each.get('side')} {each.get('contracts')}" for each in held) or "nothing"


def _text(value: Any) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
