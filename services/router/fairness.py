"""How many of the shards each of several routers has: pure. All of them know who is there and who
has how many, and so come to the same shares, with as few hand-overs as can be.
"""

from collections.abc import Collection, Mapping


def share(me: str, *, has: Mapping[str, int], shards: int) -> int:
    """How many shards are `me`'s, where `has` tells how many each router has now, me among them.

    As many as any other's, or one more or less; who has more now has one more then.
    """
    each, over = divmod(shards, len(has))
    in_order = sorted(has, key=lambda router: (-has[router], router))
    return each + (in_order.index(me) < over)


def surplus(mine: Collection[str], *, share: int) -> frozenset[str]:
    """Which of `mine` should be somebody else's."""
    return frozenset(sorted(mine)[share:])
