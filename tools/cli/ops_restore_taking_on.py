"""Takes a restored log on to where the trail ends, where the database is the newer of the two: what
the trail holds behind the log's end goes back to the very places that it had.

So no new message gets a place that the trail has already, and what was planned and executed since
the backup stands in the log again. What is not in the trail's rows, a message's first time and its
event id, is not there any more: whoever reads the log later takes it for what it is, old news.
"""

import asyncio
from dataclasses import dataclass, field

import click
import nats.js.errors
from nats.js.api import PubAck

from libs.common.buckets import HEADER_OPERATION
from libs.common.bus import HEADER_ALERT, HEADER_MADE_BY, HEADER_SERVICE, Bus
from libs.common.contracts import subjects
from libs.common.secret import Secret
from tools.cli import ops_backup_database as database
from tools.cli.ops_backup_database import Kept

FILLER = "position.restored"
"""Stands for a place of which the trail has nothing, until the log is past it."""
_NEVER_A_KEY = "restored"
_AT_ONCE = 500
_SECRETS = subjects.bucket_stream(subjects.BUCKET_SECRETS)
_DELETED = ".deleted"
_DELETE = {HEADER_OPERATION: "DEL"}


@dataclass(kw_only=True)
class TakenOn:
    places: dict[str, int] = field(default_factory=dict)
    """Of each stream how many places the trail was ahead."""
    secrets_gone: set[str] = field(default_factory=set)
    """Accounts whose secret was changed after the backup: the trail never held it."""


@dataclass(frozen=True, kw_only=True)
class _Message:
    subject: str
    data: bytes
    headers: dict[str, str]


async def require_one_history(bus: Bus, stream: str, *, trail: Secret, head: int) -> None:
    """Raises `click.ClickException` where the trail's last row within the log's reach is not the
    message that stands there.
    """
    state = (await bus.js.stream_info(stream)).state
    row = await database.last_row(trail, stream, until=min(head, state.last_seq))
    if row is None or row.seq < state.first_seq:
        return
    try:
        found = await bus.js.get_msg(stream, seq=row.seq)
    except nats.js.errors.NotFoundError:
        return  # a bucket forgets
    # Of a secret the trail has the digest alone.
    differs = stream != _SECRETS and (found.data or b"") != row.body
    if differs or found.subject != row.subject:
        raise click.ClickException(
            f"trail and log are not of one history: {stream} {row.seq} is {row.subject} in the"
            f" trail and {found.subject} in the log, or another message of it"
        )


async def take_on(bus: Bus, stream: str, *, trail: Secret, head: int, done: TakenOn) -> None:
    """Fill the places behind the log's end up to `head`, where the trail ends."""
    last = (await bus.js.stream_info(stream)).state.last_seq
    if last >= head:
        return
    done.places[stream] = head - last
    placing = _Placing(bus, stream, last=last)
    async for row in database.rows_after(trail, stream, seq=last):
        if row.seq <= placing.last:
            continue  # a row that somebody has put in twice
        while placing.last + 1 < row.seq:
            await placing.put(_filler(stream))
        if stream == _SECRETS and not row.stage.endswith(_DELETED):
            done.secrets_gone.add(subjects.parse_bucket_subject(row.subject)[1])
        await placing.put(_message(stream, row))
    while placing.last < head:
        await placing.put(_filler(stream))
    await placing.settle()
    if stream == subjects.STREAM:
        await bus.js.purge_stream(stream, subject=FILLER)


class _Placing:
    """Publishes many at a time, and checks that each has got its place."""

    def __init__(self, bus: Bus, stream: str, *, last: int) -> None:
        self._bus = bus
        self._stream = stream
        self.last = last
        self._under_way: list[asyncio.Future[PubAck]] = []

    async def put(self, message: _Message) -> None:
        self._under_way.append(
            await self._bus.js.publish_async(
                message.subject, message.data, stream=self._stream, headers=dict(message.headers)
            )
        )
        self.last += 1
        if len(self._under_way) >= _AT_ONCE:
            await self.settle()

    async def settle(self) -> None:
        under_way, self._under_way = self._under_way, []
        first = self.last - len(under_way) + 1
        for wanted, stored in enumerate(await asyncio.gather(*under_way), start=first):
            if stored.seq != wanted:
                raise click.ClickException(
                    f"somebody else writes to {self._stream}: {wanted} became {stored.seq}"
                )


def _message(stream: str, row: Kept) -> _Message:
    told = {
        HEADER_SERVICE: row.service,
        HEADER_ALERT: row.alert_id if stream == subjects.STREAM else None,
        HEADER_MADE_BY: row.made_by,
        "traceparent": row.traceparent,
    }
    headers = {name: value for name, value in told.items() if value is not None}
    if stream == subjects.STREAM:
        # Without its event id: it is no news, and the log must take it whenever it was.
        return _Message(subject=row.subject, data=row.body, headers=headers)
    if stream == _SECRETS or row.stage.endswith(_DELETED):
        # A secret of which we have only the digest is none; an older one would be a wrong one.
        return _Message(subject=row.subject, data=b"", headers=headers | _DELETE)
    return _Message(subject=row.subject, data=row.body, headers=headers)


def _filler(stream: str) -> _Message:
    if stream == subjects.STREAM:
        return _Message(subject=FILLER, data=b"", headers={})
    bucket = stream.removeprefix(subjects.bucket_stream(""))
    subject = subjects.bucket_subject(bucket=bucket, key=_NEVER_A_KEY)
    return _Message(subject=subject, data=b"", headers=_DELETE)
