"""Chains of rows for tests: made in memory as the auditor makes them, and tampered with."""

import dataclasses
from datetime import UTC, datetime, timedelta

from services.auditor.chaining import GENESIS, link
from services.auditor.rows import to_row
from tools.cli.audit_suspecting import Edge, Kept
from tools.cli.audit_walking import Walk

NOVEMBER = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
START = Edge(seq=0, hash=GENESIS)


def make_row(seq, *, stream="PIPELINE", stored_at=None, data=None, headers=None):
    return to_row(
        stream=stream,
        seq=seq,
        subject="alert.received.demo",
        stored_at=stored_at or NOVEMBER + timedelta(seconds=seq),
        headers=headers or {"Nats-Msg-Id": f"e{seq}"},
        data=data if data is not None else b'{"route":"demo","n":%d}' % seq,
    )


def chained(rows, *, behind=GENESIS):
    """The rows as they are kept, each behind the one before it."""
    kept = []
    for row in rows:
        behind = link(behind, row)
        kept.append(Kept(row=row, hash=behind))
    return kept


def make_chain(*seqs, **changes):
    return chained([make_row(seq, **changes) for seq in seqs])


def altered(kept, **changes):
    """With other columns, and the hash of before."""
    return Kept(row=dataclasses.replace(kept.row, **changes), hash=kept.hash)


def edge_of(kept):
    return Edge(seq=kept.row.seq, hash=kept.hash)


def walked(kept, *, anchors=(), ends=(), start=START):
    walk = Walk(stream="PIPELINE", start=start, anchors=anchors, ends=ends)
    for one in kept:
        if not walk.feed(one):
            break
    return walk.conclude()


def found(kept, **more):
    """What does not fit: its kind and its sequence, or None."""
    trouble = walked(kept, **more).trouble
    return None if trouble is None else (trouble.kind.value, trouble.seq)
