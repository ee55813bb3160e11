"""The stack goes on writing while a run is judged: what came since is no gap, what was there is."""

from dataclasses import replace

from chaos.evidence import Entry
from chaos.verifying import verify
from chaos.violations import Breach
from tests.chaos_stage import made_world, perfect

WORLD = made_world()


def breaches(seen) -> set[Breach]:
    return {violation.breach for violation in verify(WORLD, seen)}


def test_what_the_log_got_since_need_not_be_in_the_trail():
    seen = perfect(WORLD)
    about = seen.stored[0].alert_id
    seen.log[len(seen.log) + 1] = Entry(subject="account.called.a", digest="", alert_id=about)
    assert breaches(seen) == set()
    seen.settled += 1
    assert breaches(seen) == {Breach.TRAIL_GAP, Breach.UNANCHORED}


def test_what_a_journey_got_since_need_not_be_in_the_log():
    seen = perfect(WORLD)
    about = seen.stored[0].alert_id
    told = seen.told[about]
    seen.told[about] = replace(told, seqs=(*told.seqs, len(seen.log) + 1))
    assert breaches(seen) == set()
    seen.told[about] = replace(told, seqs=told.seqs[1:])
    assert breaches(seen) == {Breach.TRAIL_GAP}


def test_a_chain_that_does_not_hold_is_a_breach_of_its_own():
    seen = perfect(WORLD)
    seen.chain[3] = replace(seen.chain[3], columns=("another",))
    assert breaches(seen) == {Breach.BROKEN_CHAIN}
