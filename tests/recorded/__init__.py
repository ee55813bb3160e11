"""Replies of MEXC as they were published or seen, with the text of every number kept. Those of the
conversations have the published fields and forms of ids, and the numbers of their behaviour.
"""

from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent


def recorded(name: str) -> Any:
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes())


def reply(name: str) -> bytes:
    """One of `mexc_replies.json`, to the byte."""
    replies = msgspec.json.decode(
        (FOLDER / "mexc_replies.json").read_bytes(), type=dict[str, msgspec.Raw]
    )
    return bytes(replies[name])
