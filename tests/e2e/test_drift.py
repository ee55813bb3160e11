"""A position that somebody else has moved is told in the journey of the last alert there."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


async def test_a_position_that_was_closed_by_hand_is_told(trader):
    opened = await trader.execute()
    assert opened["status"] == "executed"
    await trader.paper.order(side=4, vol=10)
    journey = await trader.journey(opened["alert_id"], has_drifted, timeout_s=20)
    assert journey["status"] == "executed", "the alert itself went as it should"
    (drifted,) = [event for event in journey["events"] if event["stage"] == "position.drifted"]
    assert drifted["service"] == "executor"
    assert drifted["data"]["expected"] == [{"side": "long", "contracts": "10"}]
    assert drifted["data"]["held"] == []


def has_drifted(found):
    return any(event["stage"] == "position.drifted" for event in found["events"])
