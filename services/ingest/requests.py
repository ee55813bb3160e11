"""A request as ASGI brings it: its token, its headers, its bytes; or a body handed over by us."""

from dataclasses import dataclass
from typing import Any

from services.ingest.admission import check_size
from services.ingest.certificates import Holder
from services.ingest.refusals import Refusal
from services.ingest.senders import Senders

_CONTENT_TYPE_MAX = 200


class Disconnected(Exception):  # noqa: N818 - what the sender did
    """The sender went away before its body was whole: there is nobody to answer."""


class Request:
    """One request; `scope` and `receive` are ASGI's, and `senders` says who is believed."""

    def __init__(self, scope: Any, receive: Any, *, senders: Senders) -> None:
        self._receive = receive
        self._scope = scope
        self._senders = senders
        self.method: str = scope["method"]
        self.token = _token(scope["path"])
        self.source_address = senders.address(scope)
        self.content_type = ""
        self.announced_bytes: int | None = None
        for name, value in scope["headers"]:
            if name == b"content-type":
                self.content_type = value.decode("latin-1")[:_CONTENT_TYPE_MAX]
            elif name == b"content-length" and value.isdigit():
                self.announced_bytes = int(value)

    def holder(self) -> Holder | None:
        """Whose certificate the sender has shown."""
        return self._senders.holder(self._scope)

    async def read(self) -> bytes | Refusal:
        """The whole body, or a refusal as soon as it is too large; raises `Disconnected`."""
        chunks: list[bytes] = []
        size = 0
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise Disconnected
            chunk = event.get("body", b"")
            size += len(chunk)
            if refusal := check_size(size):
                return refusal
            chunks.append(chunk)
            if not event.get("more_body", False):
                return b"".join(chunks)


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A body that came by no request, but is taken as if it had."""

    body: bytes
    content_type: str = "application/json"
    source_address: str = ""

    @property
    def announced_bytes(self) -> int:
        return len(self.body)

    async def read(self) -> bytes | Refusal:
        return check_size(len(self.body)) or self.body


def _token(path: str) -> str | None:
    # `/hook/<token>` or `/<token>`, also where somebody pasted a slash behind it.
    words = path.removesuffix("/").removeprefix("/").split("/")
    if words[0] == "hook" and len(words) == 2:
        return words[1] or None
    return words[0] or None if len(words) == 1 else None
