"""An in-memory log with the bus's promises: an event id is stored once, entries keep order."""

import asyncio
from datetime import UTC, datetime

from libs.common.bus import Entry, LogUnavailable, Stored
from libs.common.contracts import codec
from libs.common.contracts.subjects import parse


class FakeBus:
    """Stands in for `Bus`; the next `failing` publishes fail."""

    service = "test"

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.failing = 0
        self.floor = 0
        """What `handled_up_to` answers."""
        self._seq_of: dict[str, int] = {}

    async def publish(self, *, subject, message, event_id) -> Stored:
        if self.failing:
            self.failing -= 1
            raise LogUnavailable("away")
        if event_id in self._seq_of:
            return Stored(seq=self._seq_of[event_id], duplicate=True)
        self._seq_of[event_id] = seq = len(self.entries) + 1
        # Through the codec, as the real log would: what cannot travel fails here too.
        stored = codec.decode(codec.encode(message))
        at = datetime.now(UTC)
        self.entries.append(Entry(seq=seq, subject=subject, stored_at=at, message=stored))
        return Stored(seq=seq, duplicate=False)

    def publish_soon(self, **event) -> asyncio.Future[Stored]:
        return asyncio.ensure_future(self.publish(**event))

    def forget_event_ids(self) -> None:
        """The dedup window has passed."""
        self._seq_of.clear()

    def cut_after(self, seq: int) -> None:
        """As if the process had died after storing `seq`: what came later never happened."""
        del self.entries[seq:]
        self._seq_of = {name: number for name, number in self._seq_of.items() if number <= seq}

    async def handled_up_to(self, durable) -> int:
        assert durable
        return self.floor

    async def entry(self, seq) -> Entry:
        return self.entries[seq - 1]

    async def last(self, subject) -> Entry | None:
        return next((one for one in reversed(self.entries) if one.subject == subject), None)

    async def subjects(self, pattern) -> list[str]:
        return sorted({one.subject for one in self.entries if _matches(one.subject, pattern)})

    async def entries_after(self, *, subject, seq):
        for entry in self.entries:
            if entry.seq > seq and _matches(entry.subject, subject):
                yield entry

    @property
    def stages(self) -> list[str]:
        """Of the way of alerts, in its order: what is told beside it (`account.called`) comes when
        nobody waits for it, and is found by `messages`.
        """
        found = [parse(entry.subject).stage for entry in self.entries]
        return [stage for stage in found if stage != "account.called"]

    def messages(self, stage):
        return [entry.message for entry in self.entries if parse(entry.subject).stage == stage]


def _matches(subject: str, pattern: str) -> bool:
    words, wanted = subject.split("."), pattern.split(".")
    if wanted[-1] == ">":
        return len(words) >= len(wanted) and _matches(
            ".".join(words[: len(wanted) - 1]), ".".join(wanted[:-1])
        )
    return len(words) == len(wanted) and all(
        want in {"*", word} for word, want in zip(words, wanted, strict=True)
    )
