"""Routes, accounts, halts and sealed keys in the log's KV buckets, and the exchanges' contracts,
which the executor writes. A change names the revision that it was made from, so two editors never
overwrite each other, and who made it.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
import nats.errors
import nats.js.errors

from libs.common.buckets import read_all
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.control import Control
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.route import Account, Route
from libs.common.contracts.words import VenueSymbol
from services.console.problems import Problem
from services.console.writing import NotTheLast, Writer

T = TypeVar("T", Route, Account, Control)

_LIST_TIMEOUT_S = 5.0
_decode_instrument = msgspec.json.Decoder(Instrument).decode


@dataclass(frozen=True, kw_only=True)
class Kept(Generic[T]):
    """A value as it stands in its bucket."""

    value: T
    revision: int


class Shelf(Generic[T]):
    """The documents of one kind, by id."""

    def __init__(self, bus: Bus, *, bucket: str, cls: type[T]) -> None:
        self._bus = bus
        self._bucket = bucket
        self._writer = Writer(bus, bucket=bucket)
        self._noun = cls.__name__.lower()
        self._decode: Callable[[bytes], T] = msgspec.json.Decoder(cls).decode
        self.read = False
        """Whether the bucket could be listed once."""

    async def list(self) -> list[T]:
        """All of them, sorted by id. Read from the log each time: what was written is seen."""
        async with _answering():
            bucket = await self._bus.js.key_value(self._bucket)
            found = await read_all(bucket, timeout_s=_LIST_TIMEOUT_S)
        self.read = True
        return [self._decode(value) for value in found.values()]

    async def find(self, key: str) -> Kept[T]:
        """One of them, or a 404."""
        async with _answering():
            bucket = await self._bus.js.key_value(self._bucket)
            try:
                entry = await bucket.get(key)
            except (nats.js.errors.KeyNotFoundError, nats.js.errors.InvalidKeyError):
                raise Problem(404, f"There is no {self._noun} `{key}`.") from None
            return Kept(value=self._decode(entry.value or b""), revision=int(entry.revision or 0))

    async def exists(self, key: str) -> bool:
        try:
            await self.find(key)
        except Problem as problem:
            if problem.status == 404:
                return False
            raise
        return True

    async def create(self, key: str, value: T, *, made_by: str) -> int:
        async with _answering():
            try:
                return await self._writer.create(key, msgspec.json.encode(value), made_by=made_by)
            except NotTheLast:
                raise self.taken(key) from None

    async def put(self, key: str, value: T, *, made_by: str) -> int:
        """Whatever stands there."""
        async with _answering():
            return await self._writer.put(key, msgspec.json.encode(value), made_by=made_by)

    async def update(self, key: str, value: T, *, revision: int, made_by: str) -> int:
        async with _answering():
            try:
                return await self._writer.update(
                    key, msgspec.json.encode(value), made_by=made_by, revision=revision
                )
            except NotTheLast:
                raise _changed_meanwhile(self._noun, key) from None

    async def delete(self, key: str, *, revision: int, made_by: str) -> None:
        async with _answering():
            try:
                await self._writer.delete(key, made_by=made_by, revision=revision)
            except NotTheLast:
                raise _changed_meanwhile(self._noun, key) from None

    def taken(self, key: str) -> Problem:
        return Problem(409, f"There is a {self._noun} `{key}` already.", field="id", value=key)


class Registry:
    """Everything that is changed by hand. Sealed keys can be written and removed, never read."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.routes: Shelf[Route] = Shelf(bus, bucket=subjects.BUCKET_ROUTES, cls=Route)
        self.accounts: Shelf[Account] = Shelf(bus, bucket=subjects.BUCKET_ACCOUNTS, cls=Account)
        self.controls: Shelf[Control] = Shelf(bus, bucket=subjects.BUCKET_CONTROLS, cls=Control)
        self._sealed = Writer(bus, bucket=subjects.BUCKET_SECRETS)

    def missing(self) -> str | None:
        """A readiness check."""
        return None if self.routes.read and self.accounts.read else "routes and accounts not read"

    async def instruments(self, base_url: str) -> list[Instrument]:
        """The contracts of one exchange, sorted by symbol; none before they were read."""
        prefix = f"{subjects.instrument_prefix(base_url)}."
        async with _answering():
            bucket = await self._bus.js.key_value(subjects.BUCKET_INSTRUMENTS)
            found = await read_all(bucket, timeout_s=_LIST_TIMEOUT_S)
        return [_decode_instrument(value) for key, value in found.items() if key.startswith(prefix)]

    async def instrument(self, base_url: str, symbol: VenueSymbol) -> Instrument | None:
        """One contract of an exchange, where it is listed."""
        async with _answering():
            bucket = await self._bus.js.key_value(subjects.BUCKET_INSTRUMENTS)
            try:
                entry = await bucket.get(subjects.instrument_key(base_url=base_url, symbol=symbol))
            except (nats.js.errors.KeyNotFoundError, nats.js.errors.InvalidKeyError):
                return None
            return _decode_instrument(entry.value or b"")

    async def put_sealed(self, account: str, sealed: bytes, *, made_by: str) -> None:
        async with _answering():
            await self._sealed.put(account, sealed, made_by=made_by)

    async def replace_sealed(
        self, account: str, sealed: bytes, *, revision: int, made_by: str
    ) -> None:
        """Where the box of that revision still stands, else a 409."""
        async with _answering():
            try:
                await self._sealed.update(account, sealed, made_by=made_by, revision=revision)
            except NotTheLast:
                raise Problem(409, "its secret key was entered anew meanwhile") from None

    async def drop_sealed(self, account: str, *, made_by: str) -> None:
        async with _answering():
            await self._sealed.purge(account, made_by=made_by)


def _changed_meanwhile(noun: str, key: str) -> Problem:
    return Problem(409, f"The {noun} `{key}` was changed meanwhile: read it again, then change it.")


@contextlib.asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError) as error:
        raise Problem(
            503, f"The log does not answer ({type(error).__name__}); try again."
        ) from None
