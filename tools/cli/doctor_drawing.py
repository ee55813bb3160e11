"""What `doctor` has found, as a table for people: mark, line, what was seen, and how to mend it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from tools.cli.showing import clean, terminal

MARKS = {"ok": "✓", "warning": "!", "wrong": "✗", "unknown": "?", "not_reached": "·"}
_STYLES = {
    "ok": "green",
    "warning": "yellow",
    "wrong": "bold red",
    "unknown": "bold yellow",
    "not_reached": "dim",
}
_WORDS = {"not_reached": "not reached"}


def draw(document: Mapping[str, Any]) -> None:
    screen = terminal()
    _section("system", document["system"])
    for account in document["accounts"]:
        screen.print()
        _section(f"account {account['account']}", account["findings"], account.get("problem", ""))
    screen.print()
    states = [found["state"] for found in document["system"]]
    states += [account["state"] for account in document["accounts"] if account.get("problem")]
    states += [one["state"] for account in document["accounts"] for one in account["findings"]]
    counted = [f"{states.count(state)} {_word(state)}" for state in MARKS if state in states]
    screen.print(Text(f"{_word(document['state'])}: {', '.join(counted)}", _style(document)))


def _section(title: str, findings: Sequence[Mapping[str, Any]], problem: str = "") -> None:
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in ("", title, "what was seen"):
        rows.add_column(column, overflow="fold")
    if problem:
        rows.add_row(Text(MARKS["unknown"], _STYLES["unknown"]), Text("checkup"), clean(problem))
    for found in findings:
        if found["state"] != "not_reached":
            style = _STYLES.get(found["state"], "")
            mark = Text(MARKS.get(found["state"], "?"), style)
            rows.add_row(mark, Text(found["line"]), _seen(found))
    unreached = list(
        dict.fromkeys(found["line"] for found in findings if found["state"] == "not_reached")
    )
    if unreached:
        style = _STYLES["not_reached"]
        names = Text(", ".join(unreached), style)
        rows.add_row(Text(MARKS["not_reached"], style), Text("not reached", style), names)
    terminal().print(rows)


def _seen(found: Mapping[str, Any]) -> Text:
    where = " of ".join(filter(None, [found.get("symbol"), found.get("route")]))
    seen = Text(clean(f"{where}: {found['evidence']}" if where else found["evidence"]))
    if found["mend"]:
        seen.append(f"\n→ {clean(found['mend'])}", "bold")
    return seen


def _word(state: str) -> str:
    return _WORDS.get(state, state)


def _style(document: Mapping[str, Any]) -> str:
    return _STYLES.get(document["state"], "")
