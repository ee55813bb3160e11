"""What Prometheus is told of the consumers of a process, of which there may be several."""

from prometheus_client import REGISTRY

from libs.common.depths import shown


class Consumer:
    def __init__(self, *depths):
        self._depths = depths

    def waiting(self):
        return self._depths[0]

    def in_hand(self):
        return self._depths[1]

    def oldest_s(self):
        return self._depths[2]

    def lanes(self):
        return self._depths[3]

    def deepest_lane(self):
        return self._depths[4]


def told():
    names = (
        "alertwire_consumer_waiting_messages",
        "alertwire_messages_in_hand",
        "alertwire_oldest_in_hand_seconds",
        "alertwire_lanes",
        "alertwire_deepest_lane_messages",
    )
    return [REGISTRY.get_sample_value(name, {"service": "several"}) for name in names]


def test_several_consumers_are_told_together_while_they_work():
    with shown("several", Consumer(7, 3, 1.5, 2, 4)):
        assert told() == [7, 3, 1.5, 2, 4]
        with shown("several", Consumer(5, 2, 9.5, 1, 1)):
            assert told() == [7, 5, 9.5, 3, 4]
        assert told() == [7, 3, 1.5, 2, 4]
    assert told() == [0, 0, 0, 0, 0]
