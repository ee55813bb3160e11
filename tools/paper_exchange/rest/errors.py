"""MEXC's error codes and their messages; placeholders are filled where the value is known."""

import re
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import msgspec

from tools.paper_exchange.numbers import plain

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MESSAGES = msgspec.json.decode(
    Path(__file__).with_name("errors.json").read_bytes(), type=dict[int, str]
)


class Language(StrEnum):
    ENGLISH = "English"
    CHINESE = "Chinese"


# The venue's words as they were seen; the others are not known and stay English.
_CHINESE = {
    602: "签名验证失败!",
    510: "请求频率过快!",
    1001: "合约不存在!",
}


def message_of(code: int, *, language: Language = Language.ENGLISH, **values: object) -> str:
    if language is Language.CHINESE and code in _CHINESE:
        return _CHINESE[code]
    text = _MESSAGES.get(code, f"Error {code}")
    return _PLACEHOLDER.sub(lambda found: _written(values.get(found[1], "")), text)


def language_of(header: str | None, *, default: Language) -> Language:
    """What a `Language` header asks for, such as `zh-CN`, `Chinese` or `English`."""
    if not header:
        return default
    return Language.CHINESE if header.lower().startswith(("zh", "chinese")) else Language.ENGLISH


def _written(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
