"""Router shards: the routes are shared over so many consumers of the log, each worked at by one
process at a time. Every one is given all alerts and does its own routes' (docs/decisions/0041).

Their names carry how many there are, so that a process which was set up for another number has
nothing to work at. The number is changed by the set-up step, and nothing is lost by it.
"""

import contextlib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from libs.common.consumers_made import consumers_made
from libs.common.contracts import subjects

_ALONE = "router"
_ONE_OF = re.compile(r"router-(0|[1-9][0-9]*)-of-([1-9][0-9]*)")

Make = Callable[[str, int], Awaitable[None]]
"""Makes a consumer of that name, where there is none, that begins behind a place in the log."""


def router_consumer(shard: int, *, shards: int) -> str:
    return _ALONE if shards == 1 else f"{_ALONE}-{shard}-of-{shards}"


def router_consumers(shards: int) -> tuple[str, ...]:
    return tuple(router_consumer(shard, shards=shards) for shard in range(shards))


def shards_named(name: str) -> int | None:
    """Of how many router shards a consumer, or a lease, is one; None where it is none."""
    if name == _ALONE:
        return 1
    found = _ONE_OF.fullmatch(name)
    if found is None or int(found[1]) >= int(found[2]) or found[2] == "1":
        return None
    return int(found[2])


def order_of(name: str) -> tuple[int, int]:
    """To sort the names of router consumers by."""
    found = _ONE_OF.fullmatch(name)
    return (1, 0) if found is None else (int(found[2]), int(found[1]))


def working_shards(created: Mapping[str, datetime]) -> int | None:
    """Over how many shards the routes are shared, as the log's consumers tell it with the time at
    which each was made: of the sets that are whole, the one that was so first. A change makes the
    new set whole before it takes the old one apart.
    """
    whole: dict[int, datetime] = {}
    for shards in {shards_named(name) for name in created}:
        names = () if shards is None else router_consumers(shards)
        if shards is not None and all(name in created for name in names):
            whole[shards] = max(created[name] for name in names)
    return min(whole, key=lambda shards: (whole[shards], shards), default=None)


async def router_consumers_made(js: JetStreamContext) -> dict[str, api.ConsumerInfo]:
    """Those that the log has; raises the client's errors."""
    made = await consumers_made(js, subjects.STREAM)
    return {name: info for name, info in made.items() if shards_named(name) is not None}


def times_made(consumers: Iterable[api.ConsumerInfo]) -> dict[str, datetime]:
    """What `working_shards` asks for."""
    return {info.name: info.created for info in consumers if info.created is not None}


async def share_routes(js: JetStreamContext, *, shards: int | None, make: Make) -> list[str]:
    """Have that many shards; None leaves what is there, and makes one where there is none. Tells
    in words what changed.

    A step that was interrupted is finished by the next one. First the new consumers are made, each
    behind the place up to which all the old ones have handled everything; with the first old one
    that is taken away the new set counts. What was handled behind that place comes again, and the
    router finds in the log what it has decided.
    """
    found = await router_consumers_made(js)
    if shards is None:
        shards = working_shards(times_made(found.values())) or 1
    wanted, working = router_consumers(shards), working_shards(times_made(found.values()))
    floor = min((_floor(found[name]) for name in router_consumers(working or 0)), default=0)
    if working is None:
        floor = min((_floor(info) for info in found.values()), default=0)
    for name in wanted:
        await make(name, floor if name not in found else _began_behind(found[name]))
        if name in found and shards != working and _floor(found[name]) < floor:
            # Left by a step that was interrupted; others have worked since.
            await js.reset_consumer(subjects.STREAM, name, seq=floor + 1)
    for name in sorted(found.keys() - set(wanted), key=order_of):
        with contextlib.suppress(NotFoundError):
            await js.delete_consumer(subjects.STREAM, name)
    if shards == working:
        return []
    return [f"routes are shared over {shards} router shard{'' if shards == 1 else 's'}"]


def _floor(info: api.ConsumerInfo) -> int:
    return info.ack_floor.stream_seq if info.ack_floor is not None else 0


def _began_behind(info: api.ConsumerInfo) -> int:
    return (info.config.opt_start_seq or 1) - 1
