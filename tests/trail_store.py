"""Messages put into a real trail as the auditor stores them."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec

from libs.common.contracts import codec
from libs.common.contracts.codec import AnyMessage
from libs.common.secret import Secret
from services.auditor.rows import to_row
from services.auditor.store import Store, make_pool
from tests.traced import stage_of

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_SERVICES = {"alert": "ingest", "intent": "router"}


class TrailStore:
    """One millisecond from message to message, beginning with `start`."""

    def __init__(self, store: Store, *, start: datetime) -> None:
        self._store = store
        self._start = start
        self._seq = 0

    async def put(self, *messages: AnyMessage, seq: int | None = None) -> None:
        """`seq`: of the first one, where it stands in a log too."""
        for number, message in enumerate(messages):
            self._seq = self._seq + 1 if seq is None else seq + number
            at = self._start + timedelta(milliseconds=self._seq)
            stage = stage_of(message)
            row = to_row(
                stream="PIPELINE",
                seq=self._seq,
                subject=subject_of(message),
                stored_at=at,
                headers={"Alertwire-Service": _SERVICES.get(stage.split(".")[0], "executor")},
                data=codec.encode(msgspec.structs.replace(message, at=at)),
            )
            assert await self._store.insert([row]) == 1


@contextlib.asynccontextmanager
async def trail_store(writer_dsn: str, *, start: datetime = START) -> AsyncIterator[TrailStore]:
    async with make_pool(Secret(writer_dsn)) as pool:
        store = Store(pool)
        await store.ensure_partitions(start.date(), start.date())
        yield TrailStore(store, start=start)


def subject_of(message: AnyMessage) -> str:
    stage = stage_of(message)
    account, symbol = getattr(message, "account", None), getattr(message, "symbol", None)
    if stage == "intent.accepted":
        return f"{stage}.0.{account}.{symbol}"
    if stage.startswith(("order", "execution", "position")):
        return f"{stage}.{account}.{symbol}"
    if stage == "intent.flattened":
        return f"{stage}.{account}"
    return stage if stage.startswith("dead") else f"{stage}.{getattr(message, 'route', '')}"
