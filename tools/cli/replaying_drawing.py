"""How a replay is shown: as a document for scripts, and as aligned text for people."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.intent import Denial
from libs.common.contracts.words import AccountId
from libs.common.domain.planning import Planned
from tools.cli.comparing import (
    Compared,
    Difference,
    Verdict,
    outcome_now,
    outcome_then,
    refused_words,
)
from tools.cli.explaining_drawing import shown
from tools.cli.recorded import AccountThen, Recorded
from tools.cli.replaying_path import AccountNow, Replayed, Untold
from tools.cli.showing import clean, table, terminal

Document = dict[str, Any]
_STYLES = {Verdict.SAME: "green", Verdict.DIFFERS: "yellow", Verdict.UNTOLD: "bold yellow"}
_SHOWN_MAX = 25
"""A split order has hundreds of parts, and what differs in one differs in all."""
_TAKEN = (
    "what depends on the clock is judged at the times of then",
    "halts and the openings of the minute before are taken as they were then",
    "what was held, and what the exchange told, is what the trail has of it",
)


def document_of(replayed: Replayed, found: Compared) -> Document:
    """The replay as JSON; names and decimals are those of the trail."""
    then = replayed.then
    return {
        "alert_id": then.arrived.alert_id,
        "route": then.arrived.route,
        "outcome": found.verdict.value,
        "sent": False,
        "differences": [_difference(each) for each in found.arrival],
        "accounts": [
            {
                "account": name,
                "outcome": found.verdicts[name].value,
                "differences": [_difference(each) for each in found.accounts[name]],
                "then": _then(then.accounts.get(name)),
                "was": outcome_then(then.accounts.get(name), then),
                "becomes": outcome_now(now, replayed),
                "now": _now(now),
                "notes": list(now.notes) if now else [],
            }
            for name, now in replayed.accounts.items()
        ],
        "assumptions": notes_of(replayed),
    }


def print_replay(replayed: Replayed, found: Compared) -> None:
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    out = terminal()
    arrived = replayed.then.arrived
    verdict = found.verdict
    out.print(
        Text.assemble(
            f"{arrived.alert_id}  ",
            (verdict.value, _STYLES[verdict]),
            f"  route {arrived.route}",
        )
    )
    out.print(Text(f"it came at {arrived.at:%Y-%m-%d %H:%M:%S} UTC"))
    if found.arrival:
        out.print()
        _print_differences(found.arrival)
    elif isinstance(arrived, AlertRefused):
        out.print(Text(clean(refused_words(arrived))))
    for name in replayed.accounts:
        _print_account(name, replayed, found)
    out.print()
    for told in notes_of(replayed):
        out.print(Text(clean(f"note: {told}")))
    out.print(Text("nothing was sent"))


def notes_of(replayed: Replayed) -> list[str]:
    """What the replay takes for granted, one sentence each."""
    arrived = replayed.then.arrived
    notes = list(replayed.notes)
    if isinstance(arrived, Alert):
        notes += _TAKEN
        if sha256(arrived.body.encode()).hexdigest() != arrived.body_sha256:
            notes.append("of the body a secret's value stands as stars, and is taken for right")
    if replayed.then.unreadable:
        number = replayed.then.unreadable
        notes.append(f"{number} of its events cannot be read by this release, and are left out")
    return notes


def _print_account(name: AccountId, replayed: Replayed, found: Compared) -> None:
    from rich.text import Text  # noqa: PLC0415

    out = terminal()
    now, then = replayed.accounts[name], replayed.then.accounts.get(name)
    verdict = found.verdicts[name]
    outcome = "" if verdict is Verdict.DIFFERS else f"  {_outcome(then, replayed.then)}"
    out.print()
    out.print(Text.assemble(f"account {name}  ", (verdict.value, _STYLES[verdict]), clean(outcome)))
    if now is not None and isinstance(now.result, Untold):
        out.print(Text(clean(f"the plan is not known: {now.result.message}")))
    for note in now.notes if now else ():
        out.print(Text(clean(f"note: {note}")))
    if verdict is Verdict.DIFFERS:
        out.print()
        _print_differences(found.accounts[name])
        rows = list(_sentences(then, now))
        if rows:
            out.print()
            _print_rows(rows)


def _outcome(then: AccountThen | None, recorded: Recorded) -> str:
    outcome = outcome_then(then, recorded)
    if then and then.plan:
        return f"{outcome}, {then.plan.summary}"
    denial = (then.denial if then else None) or recorded.denied
    return f"{outcome}, {denial.reason.value}: {denial.message}" if denial else outcome


def _print_differences(differences: Sequence[Difference]) -> None:
    from rich.text import Text  # noqa: PLC0415

    rows = table("what", "then", "today")
    for each in differences[:_SHOWN_MAX]:
        rows.add_row(*(Text(clean(text)) for text in (each.what, each.then, each.now)))
    out = terminal()
    out.print(rows)
    if len(differences) > _SHOWN_MAX:
        out.print(Text(f"and {len(differences) - _SHOWN_MAX} more: --json has them all"))


def _sentences(then: AccountThen | None, now: AccountNow | None) -> Iterator[tuple[str, str]]:
    """How both came about: of who has said the same twice only what is said today."""
    result = now.result if now else None
    for who, before, after in (
        (
            "router",
            then.intent.steps if then and then.intent else (),
            now.intent.steps if now and now.intent else (),
        ),
        (
            "executor",
            then.plan.steps if then and then.plan else (),
            result.steps if isinstance(result, Planned) else (),
        ),
    ):
        if before == after:
            yield from ((who, step) for step in after)
            continue
        yield from ((f"{who} then", step) for step in before)
        yield from ((f"{who} today", step) for step in after)


def _print_rows(rows: Sequence[tuple[str, str]]) -> None:
    from rich.text import Text  # noqa: PLC0415

    drawn = table("step", "what")
    drawn.columns[0].no_wrap = True
    before = ""
    for step, words in rows:
        drawn.add_row(Text("" if step == before else step), Text(clean(words)))
        before = step
    terminal().print(drawn)


def _difference(difference: Difference) -> Document:
    return {"what": difference.what, "then": difference.then, "now": difference.now}


def _then(then: AccountThen | None) -> Document | None:
    if then is None:
        return None
    plan = then.plan
    return {
        "intent": shown(then.intent),
        "plan": None if plan is None else _plan(plan),
        "denial": shown(then.denial),
    }


def _now(now: AccountNow | None) -> Document | None:
    if now is None:
        return None
    result = now.result
    return {
        "intent": shown(now.intent),
        "plan": _plan(result) if isinstance(result, Planned) else None,
        "denial": shown(result) if isinstance(result, Denial) else None,
        "untold": result.message if isinstance(result, Untold) else None,
    }


def _plan(plan: Any) -> Document:
    return {
        "summary": plan.summary,
        "steps": list(plan.steps),
        "legs": [shown(leg) for leg in plan.legs],
        "changes": [shown(change) for change in plan.changes],
        "withheld": shown(plan.withheld),
    }
