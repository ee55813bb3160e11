"""How people are told of a chain that was walked."""

import pytest

from tests.audited import edge_of, make_chain, walked
from tools.cli.audit_telling import lines

CHAIN = make_chain(1, 2, 3)
EDGES = [edge_of(kept) for kept in CHAIN]


@pytest.mark.parametrize(
    ("rows", "anchors", "told"),
    [
        (3, EDGES[:2], "PIPELINE  1 to 3: 3 rows, 2 anchors fit"),
        (1, EDGES[:1], "PIPELINE  1 to 1: 1 row, 1 anchor fits"),
        (3, [], "PIPELINE  1 to 3: 3 rows, no anchors"),
        (0, [], "PIPELINE  no rows: 0 rows, no anchors"),
    ],
)
def test_a_chain_that_fits_is_counted(rows, anchors, told):
    assert lines(walked(CHAIN[:rows], anchors=anchors)) == [told]
