"""A change by hand in words: pure. The document is the API's, where secrets are stars already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from services.console.differences import ChangeKind

_HALTS = {"created": "halted", "changed": "halted anew", "deleted": "resumed"}
_VALUE_CHARS_MAX = 300
_PAGES = {ChangeKind.ROUTE: "/routes/{}", ChangeKind.ACCOUNT: "/accounts/{}"}
_TOLD_BESIDE = frozenset({"at", "by", "halt_id"})
"""Of a halt: when and by whom stands in the line already, and its id leads nowhere."""
_NOUNS = {ChangeKind.SECRET: "secret key of"}


@dataclass(frozen=True, kw_only=True)
class FieldLine:
    field: str
    old: str | None
    """None: there was nothing."""
    new: str | None
    hidden: bool
    """A secret, of which nobody is told more than that it changed."""


@dataclass(frozen=True, kw_only=True)
class ChangeLine:
    at: str
    made_by: str
    kind: str
    what: str
    how: str
    page: str | None
    """Where what was changed is shown, if it still is."""
    fields: tuple[FieldLine, ...]


def change_line(change: Mapping[str, Any]) -> ChangeLine:
    kind, name, how = ChangeKind(change["kind"]), change["id"], str(change["how"])
    if kind is ChangeKind.CONTROL:
        what = "everything" if name is None else f"{change['scope']} {name}"
        how = _HALTS[how]
        page: str | None = "/halts"
    else:
        what = f"{_NOUNS.get(kind, kind.value)} {name}"
        place = _PAGES.get(kind)
        page = place.format(name) if place is not None and how != "deleted" else None
    fields = change["fields"]
    if kind is ChangeKind.CONTROL:
        fields = [each for each in fields if each["field"] not in _TOLD_BESIDE]
    return ChangeLine(
        at=change["at"],
        made_by=change["made_by"] or "",
        kind=kind.value,
        what=what,
        how=how,
        page=page,
        fields=tuple(map(_field, fields)),
    )


def _field(told: Mapping[str, Any]) -> FieldLine:
    return FieldLine(
        field=told["field"],
        old=_words(told["old"]),
        new=_words(told["new"]),
        hidden=told["hidden"],
    )


def _words(value: Any) -> str | None:
    if value is None or value in ([], {}, ""):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = _text(value)
    return text if len(text) <= _VALUE_CHARS_MAX else f"{text[:_VALUE_CHARS_MAX]}…"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, dict):
        return " ".join(f"{name} {_text(part)}" for name, part in value.items())
    return msgspec.json.encode(value).decode()
