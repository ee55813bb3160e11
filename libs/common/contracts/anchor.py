"""A head of the trail as it stood at some moment, kept where whoever can change the trail cannot
change it too. It is no message of the log.
"""

from datetime import datetime

import msgspec


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    stream: str
    seq: int
    """Of the last row of the stream's chain."""
    hash: str
    """In hex."""
    at: datetime


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Anchor)


def encode_anchor(anchor: Anchor) -> bytes:
    return _encoder.encode(anchor)


def decode_anchor(data: bytes) -> Anchor:
    """Raises `msgspec.MsgspecError`."""
    return _decoder.decode(data)
