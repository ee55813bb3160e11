"""What is done to a restored log before anybody may work on it (docs/decisions/0040): it is taken
on to where the trail ends, what it leaves open is buried, every consumer begins behind it, and
everything is halted until somebody has looked.
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from nats.js import api

from libs.common.buckets import read_all
from libs.common.bus import Bus
from libs.common.consumers_made import consumers_made
from libs.common.contracts import subjects
from libs.common.contracts.control import Control, Scope
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.route import Route
from libs.common.contracts.words import AccountId
from libs.common.domain import identity
from libs.common.secret import Secret
from libs.common.topology import AUDITED_STREAMS, AUDITOR, ROUTER
from services.console.writing import Writer
from tools.cli import ops_backup_database as database
from tools.cli.ops_restore_taking_on import TakenOn, require_one_history, take_on
from tools.cli.ops_restore_unfinished import Open, Reading

MADE_BY = "ops restore"
BURIED = (
    "restored from a backup, and the log does not show what became of it since: look at the"
    " exchange before it is replayed"
)
_HELD_FOR = timedelta(days=365)
_READ_WITHIN_S = 30.0
_EXECUTOR = "executor-"


@dataclass(kw_only=True)
class Settled:
    """What was done, for who restores."""

    taken_on: TakenOn = field(default_factory=TakenOn)
    buried: list[Open] = field(default_factory=list)
    flattening: list[str] = field(default_factory=list)
    """Halts that were to close what is held, and no longer do."""


async def hold_consumers(bus: Bus) -> None:
    """Nothing is given to router and executors before all is done, whoever starts them."""
    until = (datetime.now(UTC) + _HELD_FOR).isoformat()
    for name in await _floors(bus):
        await bus.js.pause_consumer(subjects.STREAM, name, pause_until=until)


async def settle(bus: Bus, *, trail: Secret | None, backup_at: datetime) -> Settled:
    """`trail`: the database; None where there is none, and the auditor begins anew."""
    done = Settled()
    heads = await database.heads(trail) if trail is not None else {}
    if trail is not None:
        for stream in AUDITED_STREAMS:
            await require_one_history(bus, stream, trail=trail, head=heads.get(stream, 0))
        for stream in AUDITED_STREAMS:
            head = heads.get(stream, 0)
            await take_on(bus, stream, trail=trail, head=head, done=done.taken_on)
    floors = await _floors(bus)
    done.buried = await _left_open(bus, floors=floors)
    for letter in done.buried:
        await _bury(bus, letter)
    end = (await bus.js.stream_info(subjects.STREAM)).state.last_seq + 1
    for name in floors:
        await bus.js.reset_consumer(subjects.STREAM, name, seq=end)
    for stream in AUDITED_STREAMS:
        # What the trail has does not come again, and what it lacks does.
        await bus.js.reset_consumer(stream, AUDITOR, seq=heads.get(stream, 0) + 1)
    done.flattening = await _halt_everything(bus, backup_at=backup_at)
    for name in floors:
        await bus.js.resume_consumer(subjects.STREAM, name)
    return done


async def _floors(bus: Bus) -> dict[str, int]:
    """Of router and executors up to where they have handled everything."""
    found = {}
    for name, info in (await consumers_made(bus.js, subjects.STREAM)).items():
        if name == ROUTER or name.startswith((_EXECUTOR, f"{ROUTER}-")):
            found[name] = info.ack_floor.stream_seq if info.ack_floor is not None else 0
    return found


async def _left_open(bus: Bus, *, floors: dict[str, int]) -> list[Open]:
    routes = await read_all(
        await bus.js.key_value(subjects.BUCKET_ROUTES), timeout_s=_READ_WITHIN_S
    )
    reading = Reading(
        router_floor=min((at for name, at in floors.items() if ROUTER in name), default=0),
        shard_floors={
            int(name.removeprefix(_EXECUTOR)): at
            for name, at in floors.items()
            if name.removeprefix(_EXECUTOR).isdigit()
        },
        accounts={
            route.id: frozenset(AccountId(each.account) for each in route.settings.accounts)
            for route in map(msgspec.json.Decoder(Route).decode, routes.values())
        },
    )
    after = min(floors.values(), default=0)
    config = api.ConsumerConfig(
        deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=after + 1
    )
    state = (await bus.js.stream_info(subjects.STREAM)).state
    if not state.messages or state.last_seq <= after:
        return []
    following = await bus.js.subscribe(
        ">", stream=subjects.STREAM, ordered_consumer=True, config=config
    )
    waiting = 1
    while waiting:
        came = await following.next_msg(timeout=_READ_WITHIN_S)
        waiting = came.metadata.num_pending
        reading.take(
            seq=came.metadata.sequence.stream,
            subject=came.subject,
            headers=came.headers or {},
            data=came.data,
        )
    await following.unsubscribe()
    return reading.left_open()


async def _bury(bus: Bus, left: Open) -> None:
    letter = DeadLetter(
        service=left.service,
        at=datetime.now(UTC),
        subject=left.subject,
        seq=left.seq,
        deliveries=0,
        reason=BURIED,
        data=left.data,
        headers=dict(left.headers),
        alert_id=left.alert_id,
    )
    await bus.publish(
        subject=subjects.dead(left.service),
        message=letter,
        event_id=identity.dead_event_id(service=left.service, seq=left.seq),
    )


async def _halt_everything(bus: Bus, *, backup_at: datetime) -> list[str]:
    """Routes, tokens and halts are those of the backup, so nothing is opened by them unseen; and
    what a halt was to close then may be something else now.
    """
    writer = Writer(bus, bucket=subjects.BUCKET_CONTROLS)
    store = await bus.js.key_value(subjects.BUCKET_CONTROLS)
    standing = await read_all(store, timeout_s=_READ_WITHIN_S)
    was_flattening = []
    for key, value in standing.items():
        control = msgspec.json.decode(value, type=Control)
        if control.flatten:
            was_flattening.append(control.what)
            quiet = msgspec.structs.replace(control, flatten=False, accounts=())
            await writer.put(key, msgspec.json.encode(quiet), made_by=MADE_BY)
    everything = subjects.control_key(scope=Scope.ALL.value, name=None)
    if everything not in standing:
        now = datetime.now(UTC)
        control = Control(
            scope=Scope.ALL,
            halt_id=identity.alert_id(
                unix_ms=int(now.timestamp() * 1000), random_bits=secrets.randbits(74)
            ),
            at=now,
            reason=f"restored from the backup of {backup_at:%Y-%m-%d %H:%M:%S} UTC: compare"
            " positions, routes and keys before you resume",
            by=MADE_BY,
        )
        await writer.create(everything, msgspec.json.encode(control), made_by=MADE_BY)
    return was_flattening
