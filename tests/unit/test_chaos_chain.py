"""The suite's own reading of the hash chains: what the auditor makes fits, nothing else does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chaos.chain import COLUMNS, judge_chain
from chaos.evidence import Anchored, ChainedRow, Evidence
from chaos.violations import Breach
from libs.common.contracts import codec
from tests.audited import NOVEMBER, chained, make_row
from tests.trail_messages import make_execution

FULL = make_row(
    3,
    data=codec.encode(make_execution("filled", at=NOVEMBER + timedelta(microseconds=7))),
    headers={
        "Nats-Msg-Id": "ü",
        "Alertwire-Service": "executor",
        "Alertwire-By": "somebody",
        "traceparent": f"00-{'1' * 32}-{'2' * 16}-01",
    },
)


def seen_of(*rows, anchored=()) -> Evidence:
    """As read from Postgres, with the hashes that the auditor computes."""
    kept = [
        ChainedRow(
            stream=one.row.stream,
            seq=one.row.seq,
            columns=tuple(getattr(one.row, name) for name in COLUMNS),
            hash=one.hash,
        )
        for one in chained(rows)
    ]
    anchors = [anchor_of(row) for row in kept if row.seq in anchored]
    return Evidence(chain=kept, anchors=anchors)


def anchor_of(row: ChainedRow) -> Anchored:
    return Anchored(stream=row.stream, seq=row.seq, hash=row.hash.hex())


def told(seen: Evidence, breach: Breach = Breach.BROKEN_CHAIN) -> list[str]:
    found = list(judge_chain(seen))
    assert {each.breach for each in found} <= {breach}
    return [each.text for each in found]


@pytest.fixture
def seen() -> Evidence:
    return seen_of(
        make_row(1), make_row(2), FULL, make_row(4), make_row(5, data=b"\xff"), anchored={2, 5}
    )


def test_what_the_auditor_chained_fits_in_whatever_order_it_is_read(seen):
    assert None not in seen.chain[2].columns
    assert told(seen) == []
    seen.chain.reverse()
    assert told(seen) == []


def test_a_stream_follows_its_own_rows_alone(seen):
    """A place that is missing while the hashes fit never was in the trail: a bucket keeps one value
    of each key.
    """
    other = seen_of(*(make_row(seq, stream="KV_routes") for seq in (2, 7)), anchored={7})
    seen.chain += other.chain
    seen.anchors += other.anchors
    assert told(seen) == []


@pytest.mark.parametrize("name", COLUMNS)
def test_a_changed_column_is_found(seen, name):
    place = COLUMNS.index(name)
    columns = list(seen.chain[2].columns)
    match columns[place]:
        case str() | bytes() as value:
            columns[place] = value[:-1]
        case int() as value:
            columns[place] = value + 1
        case value if name == "alert_id":
            columns[place] = type(value)(int=value.int + 1)
        case value:
            columns[place] = value + timedelta(microseconds=1)
    seen.chain[2] = replace(seen.chain[2], columns=tuple(columns))
    assert told(seen) == ["PIPELINE 3 does not fit behind 2"]


def test_a_deleted_row_is_found(seen):
    del seen.chain[2]
    assert told(seen) == ["PIPELINE 4 does not fit behind 2"]


def test_a_deleted_first_row_is_found(seen):
    del seen.chain[0]
    assert told(seen) == ["PIPELINE 2 does not fit as the first row"]


def test_swapped_rows_are_found(seen):
    third, fourth = seen.chain[2:4]
    seen.chain[2:4] = [replace(fourth, seq=3), replace(third, seq=4)]
    assert told(seen) == [
        "PIPELINE 3 does not fit behind 2",
        "PIPELINE 4 does not fit behind 3",
        "PIPELINE 5 does not fit behind 4",
    ]


def test_rows_that_were_cut_off_contradict_their_anchor(seen):
    del seen.chain[3:]
    assert told(seen) == ["PIPELINE 5 was anchored, and there is no such row"]


def test_a_chain_that_was_made_anew_contradicts_its_anchors(seen):
    anchors = seen.anchors
    rewritten = seen_of(*(make_row(seq, data=b"{}") for seq in range(1, 6)))
    rewritten.anchors = anchors
    assert told(rewritten) == [
        "PIPELINE 2 has another hash than was anchored",
        "PIPELINE 5 has another hash than was anchored",
    ]


def test_an_end_that_was_not_anchored_is_found(seen):
    seen.settled = 5
    assert told(seen) == []
    seen.anchors.pop()
    assert told(seen, Breach.UNANCHORED) == ["PIPELINE was worked off to 5, and anchored to 2"]
