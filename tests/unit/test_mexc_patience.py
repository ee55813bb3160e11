"""When the private connection asks for a sign of life."""

import pytest

from services.executor.mexc.stream import Patience


@pytest.mark.parametrize(
    ("heard_at", "due_at"),
    [
        (100.0, 105.0),  # nothing since the last ping
        (103.0, 108.0),  # silent since
        (114.9, 119.9),
        (119.0, 120.0),  # never silent: the exchange wants one all the same
        (50.0, 105.0),  # not even the last one was answered
    ],
)
def test_a_ping_is_due_after_silence_and_in_time_to_be_kept(heard_at, due_at):
    patience = Patience(ping_s=5, keep_alive_s=20)
    assert patience.ping_due_at(heard_at=heard_at, pinged_at=100.0) == pytest.approx(due_at)
