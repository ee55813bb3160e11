"""How `alertwire trace` shows why an alert was not executed: the checklist, with what is wrong in
red and what the alert never came to dim. Below each evidence stands what to do.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tools.cli.showing import clean, table, terminal

if TYPE_CHECKING:
    from rich.text import Text

Line = Mapping[str, Any]

_MARKS = {
    "ok": ("\u2713", "+"),
    "wrong": ("\u2717", "x"),
    "unknown": ("?", "?"),
    "not_reached": ("\u00b7", "-"),
}
"""Of each state, and for terminals that know no such characters."""
_STYLES = {"ok": "green", "wrong": "bold red", "unknown": "yellow", "not_reached": "dim"}
_OTHER = ("", "")


def print_diagnosis(lines: Sequence[Line]) -> None:
    """Nothing where there is nothing to tell. A line may be of any release."""
    if not lines:
        return
    from rich.text import Text  # noqa: PLC0415 - see showing.terminal

    out = terminal()
    rows = table("", "check", "evidence, and what to do")
    for column in rows.columns[:-1]:
        column.no_wrap = True
    for line in lines:
        state = str(line.get("state"))
        style = _STYLES.get(state, "")
        rows.add_row(
            Text(_mark(state, encoding=out.encoding), style=style),
            Text(clean(str(line.get("check"))), style=style),
            _told(line, state=state),
        )
    out.print()
    out.print(rows)


def _told(line: Line, *, state: str) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    style = _STYLES[state] if state in {"wrong", "not_reached"} else ""
    told = Text()
    told.append(clean(str(line.get("evidence") or "")), style=style)
    if line.get("mend"):
        # What is to be done should not look like an error.
        told.append(f"\n{clean(str(line['mend']))}")
    return told


def _mark(state: str, *, encoding: str) -> str:
    fine, plain = _MARKS.get(state, _OTHER)
    return fine if encoding.lower().startswith("utf") else plain
