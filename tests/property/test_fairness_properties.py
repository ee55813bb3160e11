"""Routers come to fair shares whatever they begin with, whoever comes and goes, and do not move
more than they have to.
"""

from hypothesis import given
from hypothesis import strategies as st

from services.router.fairness import share, surplus

ROUTERS = "abcdef"
counts = st.dictionaries(
    st.sampled_from(ROUTERS), st.integers(min_value=0, max_value=9), min_size=1
)
numbers = st.integers(min_value=1, max_value=16)


@given(counts, numbers)
def test_shares_add_up_and_differ_by_one_at_most(has, shards):
    shares = [share(me, has=has, shards=shards) for me in has]
    assert sum(shares) == shards
    assert max(shares) - min(shares) <= 1


@given(st.sets(st.sampled_from(ROUTERS), min_size=1), numbers)
def test_who_has_a_fair_share_keeps_it(there, shards):
    each, over = divmod(shards, len(there))
    has = {router: each + (n < over) for n, router in enumerate(sorted(there))}
    assert all(share(me, has=has, shards=shards) == has[me] for me in has)


@given(st.sets(st.text("0123456789", min_size=1)), st.integers(min_value=0, max_value=9))
def test_what_is_over_the_share_is_given(mine, limit):
    given_up = surplus(mine, share=limit)
    assert given_up <= mine
    assert len(mine) - len(given_up) == min(len(mine), limit)


@given(st.data(), numbers, st.integers(min_value=1, max_value=5))
def test_any_mess_settles(data, shards, routers):
    """Each round everybody gives what is over its share, and takes what it lacks, one by one."""
    there = ROUTERS[:routers]
    owners = {n: data.draw(st.sampled_from([*there, None, "gone"])) for n in range(shards)}
    for _ in range(4 * shards + 4):
        before = dict(owners)
        seen = {me: sum(owner == me for owner in owners.values()) for me in there}
        for me in there:
            mine = {str(n) for n, owner in owners.items() if owner == me}
            wanted = share(me, has=seen, shards=shards)
            owners |= {int(n): None for n in surplus(mine, share=wanted)}
            free = [n for n, owner in owners.items() if owner in {None, "gone"}]
            lacking = max(0, wanted - len(mine))
            owners |= dict.fromkeys(free[:lacking], me)
        if owners == before:
            break
    found = [list(owners.values()).count(me) for me in there]
    assert sum(found) == shards, "none is left to nobody"
    assert max(found) - min(found) <= 1
