"""The walk along a chain: it fits, or the first row that does not is named, and what was done."""

import dataclasses

import pytest

from services.auditor.chaining import GENESIS, canonical
from tests.audited import (
    NOVEMBER,
    altered,
    chained,
    edge_of,
    found,
    make_chain,
    make_row,
    walked,
)
from tools.cli.audit_projecting import WITHOUT_DOC, misfit
from tools.cli.audit_suspecting import Edge, Kind
from tools.cli.audit_walking import AROUND, Walk, broken_boundary

CHAIN = make_chain(*range(1, 31))
EDGES = [edge_of(kept) for kept in CHAIN]
FORGED = b'{"route":"other"}'


def test_a_chain_that_nobody_touched_fits():
    seen = walked(CHAIN, anchors=EDGES[4::5])
    assert (seen.rows, seen.end, seen.anchors, seen.missing) == (30, EDGES[-1], 6, 0)
    assert seen.trouble is None


def test_the_bytes_that_are_hashed_stay_the_same():
    """Whoever changes them breaks every chain there is, and every verifier that others wrote."""
    row = dataclasses.replace(make_row(7, stored_at=NOVEMBER), symbol="\N{GREEK SMALL LETTER MU}")
    noon = "00000008" + f"{848_750_400_000_000:016x}"
    assert canonical(row).hex() == "".join(
        (
            "0011",
            *("00000008", b"PIPELINE".hex(), "00000008", "0000000000000007", noon, noon),
            *("00000013", b"alert.received.demo".hex(), "0000000e", b"alert.received".hex()),
            *("ffffffff", "00000002", b"e7".hex(), "ffffffff", "00000004", b"demo".hex()),
            *("ffffffff", "00000002", "cebc", *4 * ["ffffffff"]),
            *("00000016", b'{"route":"demo","n":7}'.hex()),
        )
    )


COLUMNS = {
    "stored_at": NOVEMBER,
    "at": NOVEMBER,
    "subject": "alert.received.other",
    "stage": "alert.refused",
    "service": "x",
    "event_id": None,
    "alert_id": None,
    "route": "other",
    "account": "",
    "symbol": "x",
    "client_order_id": "x",
    "intent_id": "x",
    "traceparent": "x",
    "made_by": "x",
    "body": FORGED,
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("place", [0, 11, 29])
def test_any_changed_column_is_found(column, place):
    own = make_row(place + 1, data=b'{"alert_id":"019ab0a2-0700-7000-8000-000000003039"}')
    chain = chained([own if kept.row.seq == own.seq else kept.row for kept in CHAIN])
    assert found(chain) is None

    chain[place] = altered(chain[place], **{column: COLUMNS[column]})

    assert found(chain) == ("changed", place + 1)


def test_a_changed_hash_is_found():
    chain = [*CHAIN]
    chain[11] = dataclasses.replace(chain[11], hash=bytes(32))
    assert found(chain) == ("changed", 12)


@pytest.mark.parametrize("document", ['{"route":"other","n":12}', "{}", "null"])
def test_a_changed_document_is_found(document):
    chain = [*CHAIN]
    chain[11] = altered(chain[11], doc=document)
    assert found(chain) == ("changed", 12)


@pytest.mark.parametrize(
    ("body", "kept", "fits"),
    [
        (b'{"b":1, "a":1E+2,"a":2}', '{"a": 2, "b": 1}', True),
        (b'{"n":1.10}', '{"n": 1.10}', True),
        (b'{"n":0.12345678901234567890}', '{"n": 0.12345678901234567891}', False),
        (b'{"n":true}', '{"n": 1}', False),
        (rb'{"s":"\u0000"}', '{"s": "\N{REPLACEMENT CHARACTER}"}', True),
        (b'"null"', "null", False),
        (b"no json", "{}", False),
    ],
)
def test_a_document_is_what_jsonb_makes_of_the_body(body, kept, fits):
    row = dataclasses.replace(make_row(1, data=body), doc=kept)
    assert misfit(row) == (None if fits else "doc")


def test_a_missing_document_is_doubted_until_postgres_refuses_it():
    chain = [*CHAIN[:2], altered(CHAIN[2], doc=None), *CHAIN[3:]]
    assert misfit(chain[2].row) == WITHOUT_DOC
    seen = walked(chain)
    assert (seen.trouble, seen.degraded) == (None, 1)

    walk = Walk(stream="PIPELINE", start=seen.start)
    for kept in chain[:3]:
        assert walk.feed(kept)
    assert walk.doubt == chain[2]
    walk.refute(chain[2])
    trouble = walk.conclude().trouble
    assert trouble is not None
    assert (trouble.kind, trouble.seq) == (Kind.CHANGED, 3)


@pytest.mark.parametrize(("gone", "first"), [((0, 1), 1), ((4, 5), 5), ((9, 20), 10)])
def test_deleted_rows_are_named_by_the_first(gone, first):
    chain = [*CHAIN]
    del chain[slice(*gone)]
    assert found(chain) == ("deleted", first)


def test_messages_that_never_arrived_are_told_and_fit():
    chain = make_chain(5, 6, 9, 10, 12)
    seen = walked(chain)
    assert (seen.trouble, seen.missing) == (None, 7)
    assert seen.gaps == ((1, 4), (7, 8), (11, 11))


def test_a_changed_row_behind_a_gap_is_no_deletion():
    chain = make_chain(1, 2, 5, 6)
    chain[2] = altered(chain[2], body=FORGED)
    assert found(chain) == ("changed", 5)


@pytest.mark.parametrize(("place", "seq"), [(0, 1), (1, 4), (3, 7)])
@pytest.mark.parametrize("linked", [True, False])
def test_an_inserted_row_is_found(place, seq, linked):
    """In a gap, whether or not its own hash was made to fit."""
    chain = make_chain(3, 5, 6, 9, 11)
    behind = chain[place - 1].hash if linked and place else GENESIS
    forged = chained([make_row(seq, data=FORGED)], behind=behind)[0]
    chain.insert(place, forged if linked else dataclasses.replace(forged, hash=bytes(31) + b"x"))
    assert found(chain) == ("inserted", seq)


def test_a_second_row_of_a_sequence_is_inserted():
    second = make_row(12, data=FORGED)
    hashed = chained([second], behind=CHAIN[11].hash)
    assert found([*CHAIN[:12], *hashed, *CHAIN[12:]]) == ("inserted", 12)
    rewritten = chained([second, *(kept.row for kept in CHAIN[12:])], behind=CHAIN[11].hash)
    assert found([*CHAIN[:12], *rewritten]) == ("inserted", 12)


def test_several_rows_slipped_in_are_found():
    chain = make_chain(1, 2, 9, 10)
    chain[2:2] = chained([make_row(seq, data=FORGED) for seq in (3, 4, 5)], behind=chain[1].hash)
    assert found(chain) == ("inserted", 3)


@pytest.mark.parametrize("other", [13, 29])
@pytest.mark.parametrize("kept", [(), ("stored_at",), ("hash",), ("stored_at", "hash")])
def test_swapped_rows_are_found(other, kept):
    """Their sequences exchanged, with or without what else stands at a place."""
    chain = [*CHAIN]
    one, two = chain[11], chain[other]

    def moved(what, to):
        times = {"stored_at": to.row.stored_at} if "stored_at" in kept else {}
        put = altered(what, seq=to.row.seq, **times)
        return dataclasses.replace(put, hash=to.hash) if "hash" in kept else put

    chain[11], chain[other] = moved(two, one), moved(one, two)
    assert found(chain) == ("swapped", 12)


def test_a_truncated_tail_is_found_by_an_anchor_alone():
    assert found(CHAIN[:20]) is None
    assert found(CHAIN[:20], anchors=EDGES[4::5]) == ("truncated", 21)
    assert found([], anchors=EDGES[:1]) == ("truncated", 1)


def test_a_rewritten_chain_is_found_by_an_anchor_alone():
    forged = make_row(12, data=FORGED)
    chain = chained([*(k.row for k in CHAIN[:11]), forged, *(k.row for k in CHAIN[12:])])
    assert found(chain) is None
    assert found(chain, anchors=EDGES[4::5]) == ("rewritten", 15)
    seen = walked(chain, anchors=EDGES[4::5])
    assert seen.anchors == 2
    assert "behind 10" in str(seen.trouble)


def test_an_anchored_row_that_the_chain_closes_over_is_found():
    chain = chained([kept.row for kept in CHAIN if kept.row.seq != 15])
    assert found(chain) is None
    assert found(chain, anchors=EDGES[4::5]) == ("rewritten", 15)


def test_a_chain_goes_on_behind_a_retired_month():
    start = EDGES[9]
    seen = walked(CHAIN[10:], start=start, anchors=EDGES[4::5])
    assert (seen.trouble, seen.missing, seen.anchors, seen.anchors_before) == (None, 0, 5, 1)
    wrong = Edge(seq=10, hash=bytes(32))
    assert found(CHAIN[10:], start=wrong) == ("changed", 11)
    assert found(CHAIN[10:], start=wrong, anchors=EDGES[4::5]) == ("rewritten", 10)


def test_the_end_of_a_retired_month_that_is_still_there_must_fit():
    assert found(CHAIN, ends=[EDGES[9]]) is None
    assert walked(CHAIN, ends=[EDGES[9]]).anchors == 0
    assert found(CHAIN, ends=[Edge(seq=10, hash=bytes(32))]) == ("rewritten", 10)


def test_retired_months_follow_each_other():
    months = [(EDGES[0], EDGES[9]), (EDGES[9], EDGES[19]), (EDGES[19], EDGES[29])]
    assert broken_boundary(months) is None
    trouble = broken_boundary([months[0], months[2]])
    assert trouble is not None
    assert trouble.seq == 20


def test_no_more_rows_are_kept_than_a_few():
    walk = Walk(stream="PIPELINE", start=walked([]).start)
    chain = make_chain(*range(1, AROUND * 3))
    chain[5] = altered(chain[5], body=FORGED)
    taken = 0
    for kept in chain:
        taken += 1
        if not walk.feed(kept):
            break
    assert taken == AROUND + 5
    assert walk.conclude().trouble is not None
