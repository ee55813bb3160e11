"""Writes keys of the log's KV buckets together with who changes them, which the client library's
own bucket cannot: it takes no headers. The auditor puts both into the trail.
"""

import re

import nats.js.errors
from nats.js.api import Header

from libs.common.buckets import DELETED, HEADER_OPERATION
from libs.common.bus import HEADER_MADE_BY, HEADER_SERVICE, Bus
from libs.common.contracts import subjects

_KEY = re.compile(r"[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*")
_DELETE = {HEADER_OPERATION: "DEL"}
_PURGE = {HEADER_OPERATION: "PURGE", Header.ROLLUP.value: "sub"}
# Of an expected revision, in the server's two spellings.
_WRONG_LAST_SEQUENCE = frozenset({10071, 10164})


class NotTheLast(Exception):  # noqa: N818 - says what happened
    """Another revision of the key stands there than the one that was to be changed."""


class Writer:
    """Of one bucket. Every method may raise the errors of the client library, too."""

    def __init__(self, bus: Bus, *, bucket: str) -> None:
        self._bus = bus
        self._bucket = bucket

    async def put(self, key: str, value: bytes, *, made_by: str) -> int:
        """Whatever stands there; returns the new revision."""
        return await self._publish(key, value, made_by=made_by)

    async def create(self, key: str, value: bytes, *, made_by: str) -> int:
        """Raises `NotTheLast` where the key has a value."""
        try:
            return await self._publish(key, value, made_by=made_by, last=0)
        except NotTheLast:
            deleted_at = await self._deleted_at(key)
            if deleted_at is None:
                raise
        return await self._publish(key, value, made_by=made_by, last=deleted_at)

    async def update(self, key: str, value: bytes, *, made_by: str, revision: int) -> int:
        """Raises `NotTheLast`."""
        return await self._publish(key, value, made_by=made_by, last=revision)

    async def delete(self, key: str, *, made_by: str, revision: int) -> None:
        """Older revisions stay for as long as the bucket keeps them. Raises `NotTheLast`."""
        await self._publish(key, b"", made_by=made_by, last=revision, more=_DELETE)

    async def purge(self, key: str, *, made_by: str) -> None:
        """Nothing older stays."""
        await self._publish(key, b"", made_by=made_by, more=_PURGE)

    async def _deleted_at(self, key: str) -> int | None:
        """The revision by which a key was deleted; None where it has a value."""
        found = await self._bus.js.get_last_msg(
            subjects.bucket_stream(self._bucket), self._subject(key)
        )
        is_deleted = (found.headers or {}).get(HEADER_OPERATION) in DELETED
        return found.seq if is_deleted else None

    async def _publish(
        self,
        key: str,
        value: bytes,
        *,
        made_by: str,
        last: int | None = None,
        more: dict[str, str] | None = None,
    ) -> int:
        headers = {HEADER_MADE_BY: made_by, HEADER_SERVICE: self._bus.service, **(more or {})}
        if last is not None:
            headers[Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value] = str(last)
        try:
            stored = await self._bus.js.publish(self._subject(key), value, headers=headers)
        except nats.js.errors.APIError as error:
            if error.err_code not in _WRONG_LAST_SEQUENCE:
                raise
            raise NotTheLast(key) from None
        return int(stored.seq)

    def _subject(self, key: str) -> str:
        # A wildcard in it would not name one key.
        if _KEY.fullmatch(key) is None:
            raise nats.js.errors.InvalidKeyError(key)
        return subjects.bucket_subject(bucket=self._bucket, key=key)
