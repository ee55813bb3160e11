"""Replies and pushes of MEXC as they were published or seen, with the text of every number kept.
Those of the conversations have the published fields and forms of ids, and the numbers of their
behaviour.
"""

from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent


def recorded(name: str) -> Any:
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes())


def reply(name: str) -> bytes:
    """One of `mexc_replies.json`, to the byte."""
    return _to_the_byte("mexc_replies", name)


def push(name: str) -> bytes:
    """One frame of `mexc_pushes.json`, to the byte."""
    return _to_the_byte("mexc_pushes", name)


def _to_the_byte(file: str, name: str) -> bytes:
    kept = msgspec.json.decode((FOLDER / f"{file}.json").read_bytes(), type=dict[str, msgspec.Raw])
    return bytes(kept[name])
