"""Whether the trail's hash chains hold, by the format that docs/trail.md states and no code of the
services: pure.
"""

import hashlib
import struct
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import assert_never

from chaos.evidence import Anchored, ChainedRow, Column, Evidence
from chaos.violations import Breach, Violation

COLUMNS = (
    *("stream", "seq", "stored_at", "at", "subject", "stage", "service", "event_id", "alert_id"),
    *("route", "account", "symbol", "client_order_id", "intent_id", "traceparent", "made_by"),
    "body",
)
"""What a row's hash covers, in this order."""
PIPELINE = "PIPELINE"
BEFORE_THE_FIRST = bytes(32)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def judge_chain(evidence: Evidence) -> Iterator[Violation]:
    """Each row that does not fit behind the one before it, each anchor that its row contradicts,
    and an end that was not anchored.
    """
    chains: dict[str, list[ChainedRow]] = defaultdict(list)
    for row in sorted(evidence.chain, key=lambda row: (row.stream, row.seq)):
        chains[row.stream].append(row)
    for chain in chains.values():
        yield from _misfits(chain)
    yield from _contradicted(evidence.anchors, chains)
    anchored = (anchor.seq for anchor in evidence.anchors if anchor.stream == PIPELINE)
    end = max(anchored, default=0)
    if end < evidence.settled:
        text = f"{PIPELINE} was worked off to {evidence.settled}, and anchored to {end}"
        yield Violation(breach=Breach.UNANCHORED, text=text)


def link(before: bytes, columns: Sequence[Column]) -> bytes:
    """The hash of a row with these columns behind a row with that hash."""
    canonical = struct.pack(">h", len(columns)) + b"".join(map(_written, columns))
    return hashlib.sha256(before + canonical).digest()


def _misfits(chain: Sequence[ChainedRow]) -> Iterator[Violation]:
    # What stands in a row is what the next one follows, so that one change is told once.
    if chain[0].hash != link(BEFORE_THE_FIRST, chain[0].columns):
        text = f"{chain[0].stream} {chain[0].seq} does not fit as the first row"
        yield Violation(breach=Breach.BROKEN_CHAIN, text=text)
    for before, row in pairwise(chain):
        if row.hash != link(before.hash, row.columns):
            text = f"{row.stream} {row.seq} does not fit behind {before.seq}"
            yield Violation(breach=Breach.BROKEN_CHAIN, text=text)


def _contradicted(
    anchors: Sequence[Anchored], chains: dict[str, list[ChainedRow]]
) -> Iterator[Violation]:
    hashes = {(row.stream, row.seq): row.hash for chain in chains.values() for row in chain}
    for anchor in anchors:
        found = hashes.get((anchor.stream, anchor.seq))
        if found is None:
            text = f"{anchor.stream} {anchor.seq} was anchored, and there is no such row"
            yield Violation(breach=Breach.BROKEN_CHAIN, text=text)
        elif found.hex() != anchor.hash:
            text = f"{anchor.stream} {anchor.seq} has another hash than was anchored"
            yield Violation(breach=Breach.BROKEN_CHAIN, text=text)


def _written(value: Column) -> bytes:
    match value:
        case None:
            return struct.pack(">i", -1)
        case bytes():
            raw = value
        case str():
            raw = value.encode()
        case int():
            raw = struct.pack(">q", value)
        case datetime():
            raw = struct.pack(">q", (value - _EPOCH) // timedelta(microseconds=1))
        case uuid.UUID():
            raw = value.bytes
        case _:
            assert_never(value)
    return struct.pack(">i", len(raw)) + raw
