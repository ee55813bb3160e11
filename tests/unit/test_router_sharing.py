"""Which shards a router takes and gives, as it hears of the others."""

import msgspec

from libs.common.processes import this_process
from services.router.replicas import SILENT_FOR_S, Replicas, Told
from services.router.sharing import KEPT_FOR_S, LEFT_FOR_S, FairShare

NAMES = [f"router-{shard}-of-4" for shard in range(4)]


class Stand:
    """One router of four shards among others, of which it only hears."""

    def __init__(self):
        self.now_s = 0.0
        self.sharing = FairShare(lambda: self.replicas, shards=4, clock=lambda: self.now_s)
        self.replicas = Replicas(
            None,
            shards=4,
            held=self.sharing.held,
            able=lambda: False,
            clock=lambda: self.now_s,
        )

    def hears(self, router, has=0, **changes):
        told = Told(**{"router": router, "shards": 4, "has": has, **changes})
        self.replicas.hear("", "", msgspec.json.encode(told), None)

    def takes(self, *names, free_s=0.0, gone=None):
        return [each for each in names if self.sharing.takes(each, free_s=free_s, gone=gone)]

    def gives(self):
        return [each for each in NAMES if self.sharing.gives(each) is not None]


def test_who_is_alone_takes_all():
    stand = Stand()
    assert stand.takes(*NAMES) == NAMES
    assert stand.gives() == []


def test_a_newcomer_is_given_half():
    stand = Stand()
    stand.takes(*NAMES)
    stand.hears("other")
    assert stand.gives() == NAMES[2:]
    for name in stand.gives():
        stand.sharing.leaves(name)
    assert stand.gives() == []
    assert stand.takes(*NAMES[2:]) == [], "they are left to the other"


def test_what_nobody_takes_is_taken_and_kept_for_a_while():
    stand = Stand()
    stand.hears("other")
    assert stand.takes(*NAMES) == NAMES[:2]
    assert stand.takes(*NAMES[2:], free_s=LEFT_FOR_S) == NAMES[2:]
    assert stand.gives() == []
    stand.now_s = KEPT_FOR_S + 1
    assert stand.gives() == [], "the other is not heard any more"
    stand.hears("other")
    assert stand.gives() == NAMES[2:]


def test_who_falls_silent_is_gone():
    stand = Stand()
    stand.hears("other", has=2)
    assert stand.takes(*NAMES) == NAMES[:2]
    stand.now_s = SILENT_FOR_S + 0.1
    assert stand.takes(*NAMES[2:]) == NAMES[2:]


def test_who_leaves_or_is_known_to_be_dead_is_gone_at_once():
    stand = Stand()
    stand.hears("leaving", has=2)
    stand.hears("dead", has=2)
    assert stand.takes(*NAMES) == NAMES[:1]
    stand.hears("leaving", has=2, leaves=True)
    assert stand.takes(*NAMES[1:]) == NAMES[1:2]
    assert stand.takes(*NAMES[2:], gone="dead") == NAMES[2:]


def test_routers_of_another_number_and_ourselves_do_not_count():
    stand = Stand()
    stand.hears("older", has=1, shards=2)
    stand.hears(this_process().token, has=4)
    stand.replicas.hear("", "", b"{", None)
    assert stand.takes(*NAMES) == NAMES


def test_five_routers_leave_one_without_a_shard():
    stand = Stand()
    for router in "abcd":
        stand.hears(router, has=1)
    assert stand.takes(*NAMES) == []
