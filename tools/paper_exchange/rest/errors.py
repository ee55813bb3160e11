"""MEXC's error codes and their messages; placeholders are filled where the value is known."""

import re
from pathlib import Path

import msgspec

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MESSAGES = msgspec.json.decode(
    Path(__file__).with_name("errors.json").read_bytes(), type=dict[int, str]
)


def message_of(code: int, **values: object) -> str:
    text = _MESSAGES.get(code, f"Error {code}")
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], "")), text)
