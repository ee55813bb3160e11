"""Signatures agree with the published vectors; queries are sorted and encoded for it."""

import pytest

from libs.common.secret import Secret
from services.executor.mexc.signing import canonical_query, encoded, sign
from tests.recorded import recorded

VECTORS = recorded("sign_vectors")


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_vector(vector):
    signature = sign(
        access_key=VECTORS["accessKey"],
        secret=Secret(VECTORS["secret"]),
        request_time_ms=int(VECTORS["requestTime"]),
        payload=vector["payload"],
    )
    assert signature == vector["signature"]


def test_query_of_vector_is_made_from_unsorted_parameters():
    query = canonical_query({"symbol": "BTC_USDT", "page_size": 20, "page_num": 1})
    assert query == "page_num=1&page_size=20&symbol=BTC_USDT"


def test_query_encodes_values_and_drops_none():
    assert canonical_query({"order_ids": "1,2,3", "symbol": None}) == "order_ids=1%2C2%2C3"
    assert canonical_query({"a": "x y+z/ü"}) == "a=x%20y%2Bz%2F%C3%BC"
    assert canonical_query({}) == ""


def test_path_segment_cannot_leave_its_place():
    assert encoded("../a?b") == "..%2Fa%3Fb"
