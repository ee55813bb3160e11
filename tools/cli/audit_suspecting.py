"""What was done to a chain that does not fit: told from the rows around the place. A suspicion, for
people to follow up; that something was done is certain. Pure.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.auditor.chaining import link
from services.auditor.rows import Row
from tools.cli.audit_projecting import WITHOUT_DOC, misfit


class Kind(StrEnum):
    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A place in a chain: a row by its sequence, and its hash."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A row as it stands in the trail or in a file."""

    row: Row
    hash: bytes


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """The first row that does not fit."""

    kind: Kind
    seq: int
    why: str


def suspect(before: Sequence[Edge], after: Sequence[Kept]) -> Trouble:
    """`before` fits, oldest first and never empty; `after` begins with the row that does not."""
    last, first = before[-1], after[0]
    return (
        _inserted(before, after)
        or _swapped(last, after)
        or _deleted(last, first)
        or Trouble(
            kind=Kind.CHANGED,
            seq=first.row.seq,
            why=f"its hash is not that of its bytes behind {last.seq}; {_onward(after)}",
        )
    )


# Without the rows that somebody slipped in, what stands around them fits.
def _inserted(before: Sequence[Edge], after: Sequence[Kept]) -> Trouble | None:
    first = after[0]
    for edge, forged in zip(reversed(before[:-1]), reversed(before[1:]), strict=True):
        if link(edge.hash, first.row) == first.hash:
            why = f"without it, {first.row.seq} follows {edge.seq}"
            return Trouble(kind=Kind.INSERTED, seq=forged.seq, why=why)
    last = before[-1]
    for kept in after[1:]:
        if link(last.hash, kept.row) == kept.hash:
            why = f"without it, {kept.row.seq} follows {last.seq}"
            return Trouble(kind=Kind.INSERTED, seq=first.row.seq, why=why)
    return None


# The row that belongs here stands further on, under the sequence of the one that stands here.
def _swapped(last: Edge, after: Sequence[Kept]) -> Trouble | None:
    here = after[0]
    for there in after[1:]:
        places = (
            {"seq": here.row.seq},
            {"seq": here.row.seq, "stored_at": here.row.stored_at},
        )
        for place in places:
            back = dataclasses.replace(there.row, **place)
            if link(last.hash, back) in (here.hash, there.hash):
                why = f"what stands here was exchanged with {there.row.seq}"
                return Trouble(kind=Kind.SWAPPED, seq=here.row.seq, why=why)
    return None


def _deleted(last: Edge, first: Kept) -> Trouble | None:
    if first.row.seq <= last.seq + 1 or misfit(first.row) not in {None, WITHOUT_DOC}:
        return None
    gone = first.row.seq - last.seq - 1
    rows = "it is" if gone == 1 else f"{gone} rows are"
    why = f"{rows} missing before {first.row.seq}, which does not fit behind {last.seq}"
    return Trouble(kind=Kind.DELETED, seq=last.seq + 1, why=why)


def _onward(after: Sequence[Kept]) -> str:
    if len(after) == 1:
        return "it is the last row"
    first, following = after[0], after[1]
    if link(first.hash, following.row) == following.hash:
        return f"{following.row.seq} still fits behind it"
    return f"{following.row.seq} does not fit either"
