"""What was decided then beside what is decided now, field by field: pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Change, Leg, Plan
from libs.common.contracts.words import AccountId
from libs.common.domain.planning import Planned
from services.ingest.refusals import Refusal
from tools.cli.explaining_drawing import change_words, denial_words, leg_words, shown
from tools.cli.recorded import AccountThen, Recorded
from tools.cli.replaying_path import AccountNow, Replayed, Untold
from tools.cli.showing import flattened

NOTHING = "-"
_WORDING = frozenset({"type", "at", "received_at", "steps"})


class Verdict(StrEnum):
    SAME = "same"
    DIFFERS = "differs"
    UNTOLD = "untold"
    """No difference as far as it goes, and a plan could not be made again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    what: str
    then: str
    now: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    arrival: tuple[Difference, ...]
    accounts: Mapping[AccountId, tuple[Difference, ...]]
    verdicts: Mapping[AccountId, Verdict]

    @property
    def verdict(self) -> Verdict:
        found = {*self.verdicts.values(), *([Verdict.DIFFERS] if self.arrival else [])}
        gravest = (Verdict.DIFFERS, Verdict.UNTOLD)
        return next((each for each in gravest if each in found), Verdict.SAME)


def compared(replayed: Replayed) -> Compared:
    then = replayed.then
    accounts = {
        name: tuple(_of_account(then.accounts.get(name), now, replayed))
        for name, now in replayed.accounts.items()
    }
    return Compared(
        arrival=tuple(_of_arrival(replayed)),
        accounts=accounts,
        verdicts={
            name: _verdict(found, replayed.accounts[name]) for name, found in accounts.items()
        },
    )


def outcome_then(account: AccountThen | None, recorded: Recorded) -> str:
    """In a word or two."""
    if isinstance(recorded.arrived, AlertRefused):
        return "refused"
    if account is not None and account.plan is not None:
        return "partial" if account.plan.withheld else "planned"
    if recorded.denied is not None or (account is not None and account.denial is not None):
        return "denied"
    if recorded.dead:
        return recorded.dead[0]
    return "not traded" if account is None and recorded.accounts else "nothing decided"


def outcome_now(account: AccountNow | None, replayed: Replayed) -> str:
    """In a word or two."""
    match account:
        case None if replayed.refusal is not None:
            return "refused"
        case None:
            return "denied" if replayed.denied is not None else "not traded"
        case AccountNow(result=Planned(withheld=withheld)):
            return "partial" if withheld else "planned"
        case AccountNow(result=Denial()):
            return "denied"
    return "not known"


def _verdict(found: tuple[Difference, ...], now: AccountNow | None) -> Verdict:
    if found:
        return Verdict.DIFFERS
    return Verdict.UNTOLD if now and isinstance(now.result, Untold) else Verdict.SAME


def _of_arrival(replayed: Replayed) -> Iterator[Difference]:
    then, recorded = replayed.then.arrived, replayed.then
    refused = refused_words(then if isinstance(then, AlertRefused) else None)
    refuses = refused_words(replayed.refusal)
    if replayed.denied is None and (
        _refused_key(then if isinstance(then, AlertRefused) else None)
        != _refused_key(replayed.refusal)
    ):
        yield Difference(what="arrival", then=refused, now=refuses)
    if isinstance(then, AlertRefused) and replayed.denied is not None:
        now = f"404, and {denial_words(replayed.denied)}"
        yield Difference(what="arrival", then=refused, now=now)
    elif _code(recorded.denied) != _code(replayed.denied):
        yield Difference(
            what="alert", then=_denied_words(recorded.denied), now=_denied_words(replayed.denied)
        )
    if isinstance(then, Alert) and replayed.alert is not None:
        yield from _fields("order", shown(then.order), shown(replayed.alert.order))


def _of_account(
    then: AccountThen | None, now: AccountNow | None, replayed: Replayed
) -> Iterator[Difference]:
    was, becomes = outcome_then(then, replayed.then), outcome_now(now, replayed)
    untold = now is not None and isinstance(now.result, Untold)
    # Where both have come as far as the executor, what it would say now is not known.
    if was != becomes and not (untold and then and then.intent):
        yield Difference(what="outcome", then=was, now=becomes)
    before = then or AccountThen()
    yield from _fields("intent", _intent(before.intent), _intent(now.intent if now else None))
    result = now.result if now else None
    if isinstance(result, Untold) and (before.intent or before.denial is None):
        return
    denies = result if isinstance(result, Denial) else None
    yield from _denials("denied", before.denial if before.plan is None else None, denies)
    yield from _plans(before.plan, result if isinstance(result, Planned) else None)


def _plans(then: Plan | None, now: Planned | None) -> Iterator[Difference]:
    legs = zip_longest(then.legs if then else (), now.legs if now else ())
    for number, (was, becomes) in enumerate(legs, start=1):
        yield from _items(f"order {number}", was, becomes)
    changes = zip_longest(then.changes if then else (), now.changes if now else ())
    for number, (was, becomes) in enumerate(changes, start=1):
        yield from _items(f"change {number}", was, becomes)
    yield from _denials("withheld", then.withheld if then else None, now.withheld if now else None)


def _items(what: str, then: Leg | Change | None, now: Leg | Change | None) -> Iterator[Difference]:
    if then is None or now is None:
        yield Difference(what=what, then=_words(then), now=_words(now))
        return
    yield from _fields(what, _all_fields(then), _all_fields(now))


def _words(item: Leg | Change | None) -> str:
    match item:
        case Leg():
            return leg_words(item)
        case Change():
            return change_words(item)
    return NOTHING


def _denials(what: str, then: Denial | None, now: Denial | None) -> Iterator[Difference]:
    # Its sentence may be said in other words today.
    if _code(then) != _code(now):
        yield Difference(what=what, then=_denied_words(then), now=_denied_words(now))


def _code(denial: Denial | None) -> object:
    return None if denial is None else (denial.reason, denial.context)


def _denied_words(denial: Denial | None) -> str:
    return NOTHING if denial is None else denial_words(denial)


def _refused_key(refused: AlertRefused | Refusal | None) -> object:
    if refused is None:
        return None
    return refused.status, refused.reason, refused.field, refused.value


def refused_words(refused: AlertRefused | Refusal | None) -> str:
    if refused is None:
        return "accepted"
    return f"refused, {refused.status} {refused.reason.value}: {refused.message}"


def _intent(intent: Intent | None) -> dict[str, Any] | None:
    if intent is None:
        return None
    found = _all_fields(intent)
    # What is told beside it, with its numbers, is no field among others.
    denied = intent.opening_denied
    found["opening_denied"] = None if denied is None else denial_words(denied)
    return found


def _all_fields(value: Intent | Leg | Change) -> dict[str, Any]:
    names = (name for name in value.__struct_fields__ if name not in _WORDING)
    return {name: shown(getattr(value, name)) for name in names}


def _fields(
    what: str, then: Mapping[str, Any] | None, now: Mapping[str, Any] | None
) -> Iterator[Difference]:
    if then is None or now is None:
        # One that is not there has no fields to compare; the outcome says so.
        return
    was, becomes = dict(flattened(then)), dict(flattened(now))
    for name in dict.fromkeys([*was, *becomes]):
        before, after = was.get(name, NOTHING), becomes.get(name, NOTHING)
        if before != after:
            yield Difference(what=f"{what}.{name}", then=before, now=after)
