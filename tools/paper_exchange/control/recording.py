"""The private calls that were received, for those who check what reached the exchange. The last
100,000 of each path are kept; paths that carry an id in them count as one.
"""

from collections import deque
from typing import Any
from urllib.parse import parse_qsl

import msgspec

KEPT_PER_PATH = 100_000


class Record(msgspec.Struct, kw_only=True, gc=False):
    """`code` is the business code, also of a reply that was lost; None: nothing was executed.
    There are many, and they hold no cycles, so the collector passes them by.
    """

    path: str
    method: str
    received_ns: int
    raw: bytes
    access_key: str | None
    code: int | None = None

    def shown(self) -> dict[str, Any]:
        content: dict[str, Any]
        if self.method == "GET":
            query = self.raw.decode(errors="replace")
            content = {"query": dict(parse_qsl(query, keep_blank_values=True))}
        else:
            content = {"body": _parsed(self.raw)}
        return {
            "path": self.path,
            "received_ns": self.received_ns,
            **content,
            "code": self.code,
            "access_key": _readable(self.access_key),
        }


class Requests:
    def __init__(self) -> None:
        self._rings: dict[str, deque[Record]] = {}

    def note(self, record: Record, *, pattern: str) -> None:
        ring = self._rings.get(pattern)
        if ring is None:
            ring = self._rings[pattern] = deque(maxlen=KEPT_PER_PATH)
        ring.append(record)

    def of(self, path: str | None) -> list[dict[str, Any]]:
        """Oldest first; of one path and what lies below it, or all."""
        below = f"{path.rstrip('/')}/" if path else ""
        found = [
            record
            for ring in self._rings.values()
            for record in ring
            if not path or record.path == path or record.path.startswith(below)
        ]
        found.sort(key=lambda record: record.received_ns)
        return [record.shown() for record in found]

    def clear(self) -> None:
        self._rings.clear()


def _parsed(raw: bytes) -> Any:
    # Valid JSON is shown as it came, so that no number changes its digits on the way.
    if not raw:
        return None
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw.decode(errors="replace")
    return msgspec.Raw(raw)


def _readable(header: str | None) -> str | None:
    # Bytes of a header that are no text arrive as surrogates, which no answer can hold.
    return header and header.encode(errors="surrogateescape").decode(errors="replace")
