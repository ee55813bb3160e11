"""Under which address this executor is seen, told to whoever asks: the addresses that a key has to
be linked to are needed before there is any account.
"""

import asyncio
from collections.abc import Callable

from libs.common.asking import answer, answering
from libs.common.bus import Bus
from libs.common.contracts import codec, subjects
from libs.common.contracts.account_picture import EgressMatch, EgressSeen, EgressTold
from libs.common.contracts.route import Account
from services.executor.addresses import unexpected
from services.executor.checkup.addresses import OwnAddress


def egress_of(account: Account, own: OwnAddress) -> EgressSeen:
    """Our address beside those that the account expects."""
    expected = account.expected_addresses
    state = EgressMatch.UNKNOWN
    if own.addresses and expected:
        wrong = unexpected(own.addresses, expected)
        state = EgressMatch.DIFFERENT if wrong else EgressMatch.MATCHING
    return EgressSeen(seen=own.addresses, expected=expected, state=state, at=own.seen_at)


async def tell_egress(
    bus: Bus, own: OwnAddress, *, shard: int, shards: int, is_owner: Callable[[], bool]
) -> None:
    """Answer until cancelled, also while this executor stands by or must not work."""

    def tell(_subject: str, reply: str, _payload: bytes) -> None:
        told = EgressTold(
            shard=shard,
            shards=shards,
            owner=is_owner(),
            seen=own.addresses,
            expected=own.expected,
            at=own.seen_at,
            problem=own.problem,
        )
        answer(bus, reply, codec.encode(told))

    async with answering(bus, subjects.EGRESS_ASKED, tell):
        await asyncio.Event().wait()
