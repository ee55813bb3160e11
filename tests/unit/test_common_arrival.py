"""What the acknowledgement's subject tells of a message."""

from datetime import UTC, datetime

import pytest

from libs.common.arrival import arrival

BEHIND = "PIPELINE.router.2.17.5.1795435200123456999.3"


@pytest.mark.parametrize(
    "reply",
    [f"$JS.ACK.{BEHIND}", f"$JS.ACK.hub.acchash.{BEHIND}", f"$JS.ACK._.acchash.{BEHIND}.token"],
)
def test_a_place_and_how_often_it_came(reply):
    came = arrival("alert.received.demo", reply, b"{}", b"NATS/1.0\r\nX: y\r\n\r\n")
    assert (came.stream, came.seq, came.deliveries, came.consumer_seq, came.waiting) == (
        *("PIPELINE", 17, 2, 5, 3),
    )
    assert came.headers == {"X": "y"}


def test_time_is_cut_to_microseconds():
    came = arrival("s", f"$JS.ACK.{BEHIND}", b"", None)
    assert came.stored_at == datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("reply", ["", "_INBOX.a.b", "$JS.ACK.PIPELINE.router.x.17.5.1.3"])
def test_what_acknowledges_nothing_is_an_error(reply):
    with pytest.raises(ValueError, match=r"acknowledges nothing|invalid literal"):
        arrival("s", reply, b"", None)
