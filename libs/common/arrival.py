"""A message of the log as it came to a consumer: its place, and how often it came, are in the
subject that its acknowledgement goes to.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from libs.common.express import decoded_headers

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = 9
"""`$JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<consumer seq>.<time>.<pending>`; newer servers
may put a domain and an account before the stream, and a word behind the last.
"""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    stream: str
    seq: int
    deliveries: int
    consumer_seq: int
    """The consumer's own count of what it has delivered."""
    stored_ns: int
    """Unix time in nanoseconds."""
    waiting: int
    """How many more the consumer has to deliver."""
    subject: str
    reply: str
    data: bytes
    raw_headers: bytes | None

    @cached_property
    def headers(self) -> dict[str, str]:
        return decoded_headers(self.raw_headers)

    @property
    def stored_at(self) -> datetime:
        """To the microsecond, cut, so that every reader gets the same."""
        return _EPOCH + timedelta(microseconds=self.stored_ns // 1000)


def arrival(subject: str, reply: str, data: bytes, raw_headers: bytes | None) -> Arrival:
    """Raises `ValueError` where the reply subject is none of a consumer's."""
    words = reply.split(".")
    first = 2 if len(words) == _WORDS else 4
    try:
        stream, _, deliveries, seq, consumer_seq, stored_ns, waiting = words[first : first + 7]
    except ValueError:
        raise ValueError(f"{reply!r} acknowledges nothing") from None
    return Arrival(
        stream=stream,
        seq=int(seq),
        deliveries=int(deliveries),
        consumer_seq=int(consumer_seq),
        stored_ns=int(stored_ns),
        waiting=int(waiting),
        subject=subject,
        reply=reply,
        data=data,
        raw_headers=raw_headers,
    )
