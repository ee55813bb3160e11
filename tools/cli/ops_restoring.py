"""Puts a backup back, in an order in which nothing can act before all is there: PIPELINE, which
everybody works on, comes last, and is given to nobody until it is settled.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from nats.js.errors import NotFoundError

from libs.common.bus import Bus
from libs.common.connecting import Access
from libs.common.consumers_made import ConsumersUntold, consumers_made
from libs.common.contracts import subjects
from libs.common.secret import Secret
from tools.cli import ops_backup_database as database
from tools.cli.ops_backup_manifest import Manifest, SavedStream
from tools.cli.ops_backup_reaching import reached, require_nobody
from tools.cli.ops_backup_snapshots import Tell, now_and_then, put_stream
from tools.cli.ops_restore_settling import Settled, hold_consumers, settle
from tools.cli.ops_setup import tags_in

_CONSUMERS_WITHIN_S = 60.0
_ASK_AGAIN_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Restored:
    settled: Settled
    database: bool
    """Whether the backup's was put back."""


@dataclass(frozen=True, kw_only=True)
class Restoring:
    directory: Path
    manifest: Manifest
    log: Access
    database: Secret | None
    """None: there is none, and the trail begins anew."""
    replace: bool
    keep_database: bool
    replace_database: bool
    replicas: int | None
    """None: as they were."""
    placement: Sequence[str]
    """The tags of the servers that may keep it, `-` for none; empty: as they were."""
    tell: Tell

    async def run(self) -> Restored:
        """Raises `click.ClickException`; what is broken off is begun anew with `replace`."""
        async with reached(self.log) as bus:
            await require_nobody(bus)
            await self._require_room(bus)
            dumped = await self._put_database()
            for stream in self.manifest.streams:
                await self._put(bus, stream)
            await hold_consumers(bus)
            self.tell("the log is back; what it left open is being looked for")
            settled = await settle(bus, trail=self.database, backup_at=self.manifest.made_at)
        return Restored(settled=settled, database=dumped)

    async def _require_room(self, bus: Bus) -> None:
        names = [stream.name for stream in self.manifest.streams]
        if names[-1:] != [subjects.STREAM]:
            raise click.ClickException("this backup is not one of a whole log")
        # Each by itself: a list leaves out what nobody leads at the moment.
        full = sorted([name for name in names if await _messages_in(bus, name)])
        if full and not self.replace:
            raise click.ClickException(
                f"the log holds something already, in {', '.join(full)}: --replace deletes it"
            )

    async def _put_database(self) -> bool:
        saved = self.manifest.database
        if self.database is None or self.keep_database:
            return False
        if saved is None:
            raise click.ClickException(
                "the database is not in this backup: restore it by what saved it, and use"
                " --keep-database, or --no-database where there is none"
            )
        if await database.has_rows(self.database) and not self.replace_database:
            raise click.ClickException(
                "the database holds a trail: --keep-database goes on with it, as when it is the"
                " newer one; --replace-database deletes it"
            )
        self.tell("the database is being put back")
        await database.put_back(self.database, path=self.directory / saved.file.name)
        return True

    async def _put(self, bus: Bus, stream: SavedStream) -> None:
        self.tell(f"{stream.name} is being put back")
        with contextlib.suppress(NotFoundError):
            await bus.js.delete_stream(stream.name)
        await put_stream(
            bus,
            stream.name,
            config=self._config(stream),
            state=stream.state,
            path=self.directory / stream.file.name,
            tell=now_and_then(self.tell),
        )
        await _consumers_back(bus, stream)

    def _config(self, stream: SavedStream) -> dict[str, Any]:
        config = dict(stream.config)
        if self.replicas is not None:
            config["num_replicas"] = self.replicas
        if self.placement:
            tags = tags_in(self.placement)
            config["placement"] = {"tags": tags} if tags else None
        return config


async def _messages_in(bus: Bus, stream: str) -> int:
    try:
        info = await bus.js.stream_info(stream)
    except NotFoundError:
        return 0
    return info.state.messages


async def _consumers_back(bus: Bus, stream: SavedStream) -> None:
    """A cluster tells of a consumer only once it has chosen who leads it. One that is told of later
    would be neither held nor settled, and so be given what the backup holds as open.
    """
    until = time.monotonic() + _CONSUMERS_WITHIN_S
    while missing := set(stream.consumers) - await _led(bus, stream.name):
        if time.monotonic() > until:
            raise click.ClickException(
                f"{stream.name} is back without {', '.join(sorted(missing))}: start nothing, and do"
                " it again with --replace"
            )
        await asyncio.sleep(_ASK_AGAIN_S)


async def _led(bus: Bus, stream: str) -> set[str]:
    try:
        return set(await consumers_made(bus.js, stream))
    except ConsumersUntold as untold:
        return set(untold.told)
