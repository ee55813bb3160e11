"""The text of `/metrics`, in pieces: an executor of hundreds of accounts has thousands of samples,
and an order must not wait until all of them are written.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

SAMPLES_AT_ONCE = 40
"""About a millisecond."""
_END = b"# EOF\n"


@dataclass(frozen=True, kw_only=True)
class Exposition:
    content_type: str
    pieces: Iterator[bytes]


def exposition(accept: str) -> Exposition:
    """In the format that the `Accept` header asks for."""
    encode, content_type = choose_encoder(accept)
    return Exposition(content_type=content_type, pieces=_pieces(encode))


class _Family:
    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        return (self._metric,)


def _pieces(encode: Callable[[_Family], bytes]) -> Iterator[bytes]:
    is_ended = False
    for family in REGISTRY.collect():
        for start in range(0, max(1, len(family.samples)), SAMPLES_AT_ONCE):
            part = Metric(family.name, family.documentation, family.type, family.unit)
            part.samples = family.samples[start : start + SAMPLES_AT_ONCE]
            text = encode(_Family(part))
            is_ended = text.endswith(_END)
            yield (text if start == 0 else _without_head(text)).removesuffix(_END)
    if is_ended:
        yield _END


def _without_head(text: bytes) -> bytes:
    """What follows belongs to a family that was begun before."""
    return b"".join(line for line in text.splitlines(keepends=True) if not line.startswith(b"# "))
