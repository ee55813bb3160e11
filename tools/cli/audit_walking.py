"""Walks one stream's chain, row by row, and says where it stops fitting. Pure: rows and anchors are
handed in, wherever they come from, and no more is kept of them than a few.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.auditor.chaining import link
from tools.cli.audit_projecting import WITHOUT_DOC, misfit
from tools.cli.audit_suspecting import Edge, Kept, Kind, Trouble, suspect

AROUND = 512
"""Rows that are looked at before and behind one that does not fit, to tell what was done to it."""
GAPS_TOLD = 20


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What a walk has seen; `trouble` is the first row that does not fit."""

    stream: str
    start: Edge
    end: Edge
    rows: int
    missing: int
    """Messages that never arrived: no row has their sequence, and the chain fits all the same."""
    gaps: tuple[tuple[int, int], ...]
    """The first few ranges of those, first and last sequence."""
    degraded: int
    """Rows that were stored with less, since Postgres refused the rest."""
    anchors: int
    """Anchors that fit."""
    anchors_before: int
    """Anchors of rows before the start: they are in retired months, or were not asked for."""
    trouble: Trouble | None


class Walk:
    """What `anchors` and `ends` (of retired months that are still there) name must be there, hash
    and all.
    """

    def __init__(
        self, *, stream: str, start: Edge, anchors: Sequence[Edge] = (), ends: Sequence[Edge] = ()
    ) -> None:
        self.doubt: Kept | None = None
        """A row without its document, though the body is JSON: fits only if Postgres refuses it."""
        self._stream = stream
        self._start = start
        self._recent: deque[Edge] = deque([start], maxlen=AROUND)
        self._ends = frozenset(ends) - frozenset(anchors)
        self._anchors = deque(sorted((*anchors, *self._ends), key=lambda anchor: anchor.seq))
        self._before = sum(anchor.seq < start.seq for anchor in anchors)
        self._fitting: Edge | None = None
        self._after: list[Kept] = []
        self._rows = 0
        self._missing = 0
        self._gaps: list[tuple[int, int]] = []
        self._degraded = 0
        self._held = 0
        self._trouble: Trouble | None = None
        self._pass_anchors(start)

    def feed(self, kept: Kept) -> bool:
        """The next row, by sequence; False where no more need be handed in."""
        self.doubt = None
        if self._after:
            self._after.append(kept)
            return len(self._after) < AROUND
        if self._trouble is not None:
            return False
        before = self._recent[-1]
        if link(before.hash, kept.row) != kept.hash:
            self._after.append(kept)
            return True
        edge = Edge(seq=kept.row.seq, hash=kept.hash)
        self._recent.append(edge)
        self._rows += 1
        if edge.seq > before.seq + 1:
            self._note_gap(before.seq + 1, edge.seq - 1)
        if edge.seq <= before.seq:
            self._note(Kind.INSERTED, seq=edge.seq, why="there are two rows of this sequence")
        self._pass_anchors(edge)
        self._project(kept)
        return self._trouble is None

    def refute(self, kept: Kept) -> None:
        """Postgres takes the document of the row in doubt: somebody has taken it away."""
        self._degraded -= 1
        self._note(Kind.CHANGED, seq=kept.row.seq, why="doc is missing, though its body has one")

    def condemn(self, trouble: Trouble) -> None:
        """Something outside the rows does not fit."""
        self._trouble = self._trouble or trouble

    def conclude(self) -> Walked:
        """After the last row."""
        end = self._recent[-1]
        if self._trouble is None and self._after:
            self._trouble = suspect(tuple(self._recent), self._after)
        elif self._trouble is None and self._anchors:
            last = self._anchors[-1]
            why = f"the trail ends at {end.seq}, and an anchor names {last.seq}"
            self._note(Kind.TRUNCATED, seq=end.seq + 1, why=why)
        return Walked(
            stream=self._stream,
            start=self._start,
            end=end,
            rows=self._rows,
            missing=self._missing,
            gaps=tuple(self._gaps),
            degraded=self._degraded,
            anchors=self._held,
            anchors_before=self._before,
            trouble=self._trouble,
        )

    def _pass_anchors(self, edge: Edge) -> None:
        while self._anchors and self._anchors[0].seq <= edge.seq and self._trouble is None:
            anchor = self._anchors.popleft()
            if anchor == edge:
                self._fitting = anchor
                self._held += anchor not in self._ends
            elif anchor.seq == edge.seq:
                why = f"the chain fits, but its hash is not the anchored one{self._since()}"
                self._note(Kind.REWRITTEN, seq=edge.seq, why=why)
            elif anchor.seq > self._start.seq:
                why = f"an anchor names it, and the chain closes over its place{self._since()}"
                self._note(Kind.REWRITTEN, seq=anchor.seq, why=why)

    def _since(self) -> str:
        if self._fitting is None:
            return ": rewritten here or before"
        return f": rewritten here or before, behind {self._fitting.seq}, where an anchor still fits"

    def _project(self, kept: Kept) -> None:
        found = misfit(kept.row)
        if found == WITHOUT_DOC:
            self._degraded += 1
            self.doubt = kept
        elif found is not None:
            self._note(Kind.CHANGED, seq=kept.row.seq, why=f"{found} is not what its body says")

    def _note_gap(self, first: int, last: int) -> None:
        self._missing += last - first + 1
        if len(self._gaps) < GAPS_TOLD:
            self._gaps.append((first, last))

    def _note(self, kind: Kind, *, seq: int, why: str) -> None:
        if self._trouble is None:
            self._trouble = Trouble(kind=kind, seq=seq, why=why)


def broken_boundary(boundaries: Sequence[tuple[Edge, Edge]]) -> Trouble | None:
    """Of the retired months of a stream, each as what it begins behind and what it ends with."""
    for (_, end), (before, _) in pairwise(boundaries):
        if before != end:
            why = f"the retired month before it ends at {end.seq}, and this one begins elsewhere"
            return Trouble(kind=Kind.CHANGED, seq=before.seq, why=why)
    return None
