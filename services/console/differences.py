"""What a change by hand has changed: one revision of a key against the one before it, field by
field. Pure. Hashes and sealed keys are never shown; that they differ is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from libs.common.contracts.control import Control
from libs.common.contracts.route import Account, Route
from services.console.documents import Document, plain
from services.console.drafting import STARS, masked


class ChangeKind(StrEnum):
    ROUTE = "route"
    ACCOUNT = "account"
    CONTROL = "control"
    """A halt; its resume deletes it."""
    SECRET = "secret"  # noqa: S105 - a kind's name


class How(StrEnum):
    CREATED = "created"
    """Also where what stood before is older than what the trail knows."""
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What stood under a key: its bytes as the trail has them."""

    body: bytes
    deleted: bool


_DECODERS: Mapping[ChangeKind, Callable[[bytes], Any]] = {
    ChangeKind.ROUTE: msgspec.json.Decoder(Route).decode,
    ChangeKind.ACCOUNT: msgspec.json.Decoder(Account).decode,
    ChangeKind.CONTROL: msgspec.json.Decoder(Control).decode,
}
_HIDDEN = {"tokens": "token", "body_secret_sha256": "body_secret", "sha256": "secret_key"}
"""Fields that are not shown, under the names that people know them by."""
_SETTINGS = "settings."
_ACCESS_KEY = "access_key"
_IN_THE_KEY = frozenset({"type", "id", "scope", "settings.id"})
"""What cannot change, since it says what the document is about."""


def how(now: Revision, before: Revision | None) -> How:
    if now.deleted:
        return How.DELETED
    return How.CREATED if before is None or before.deleted else How.CHANGED


def difference(kind: ChangeKind, now: Revision, before: Revision | None) -> list[Document]:
    """`field`, `old` and `new` of each field that differs, sorted by field. Of a creation what has
    not its default; of a deletion nothing, since what is gone stands in the revision before it.
    """
    if now.deleted:
        return []
    if before is None or before.deleted:
        old, new = {}, _fields(_written(now.body))
    else:
        old, new = (_fields(_whole(kind, each.body)) for each in (before, now))
    return [
        _shown(field, old.get(field), new.get(field))
        for field in sorted(old.keys() | new.keys())
        if old.get(field) != new.get(field)
    ]


def _shown(field: str, old: Any, new: Any) -> Document:
    if field in _HIDDEN.values():
        return {"field": field, "old": _stars(old), "new": _stars(new), "hidden": True}
    if field == _ACCESS_KEY:
        old, new = _masked(old), _masked(new)
    return {"field": field, "old": old, "new": new, "hidden": False}


def _whole(kind: ChangeKind, body: bytes) -> Document:
    """With its defaults, where this release can read it."""
    decode = _DECODERS.get(kind)
    try:
        found: Document = _written(body) if decode is None else plain(decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _written(body)
    return found


def _written(body: bytes) -> Document:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _fields(document: Document) -> dict[str, Any]:
    return dict(_flat(document))


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        field = f"{prefix}{name}"
        if field in _IN_THE_KEY:
            continue
        if field in _HIDDEN:
            yield _HIDDEN[field], value
        elif isinstance(value, dict) and value:
            yield from _flat(value, f"{field}.")
        else:
            # The API speaks of a route's settings as of the route.
            yield field.removeprefix(_SETTINGS), value


def _stars(value: Any) -> str | None:
    return None if value is None else STARS


def _masked(value: Any) -> str | None:
    return masked(value) if isinstance(value, str) else None
