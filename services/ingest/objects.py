"""The body as one JSON object, its values still undecoded, so that no number is ever a float.

Names of fields are compared without case. Nothing here knows what a field means.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

from libs.common.contracts.reasons import Reason
from services.ingest.refusals import Refusal, shortened

PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")
# Without colons: a whole object in double braces is no placeholder, and may hold a secret.
_LOOSE_PLACEHOLDER = re.compile(r"\{\{[^{}:]*\}\}")

_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BRACE_ENCODED = b"%7B"
_EXAMPLE = '{"ticker":"BTCUSDT.P","order_action":"buy","order_contracts":"0.001"}'


class Field(NamedTuple):
    """One member of the object: its name as sent, and its value as the JSON text it was."""

    name: str
    literal: bytes


@dataclass(frozen=True, kw_only=True)
class Body:
    text: str
    members: Mapping[str, msgspec.Raw]
    """By the name as sent; of a repeated name the last."""
    fields: Mapping[str, Field]
    """By the name in lower case."""
    ambiguous: Mapping[str, str]
    """The values, for people, of names in lower case that occur more than once and differ."""


def unwrapped(data: bytes) -> bytes:
    """The JSON that a form field's encoding or a byte order mark hides; else the body as it is."""
    data = data.removeprefix(_BYTE_ORDER_MARK)
    if data[:3].upper() != _BRACE_ENCODED:
        return data
    # A form whose one field has the object for its name, as relays and `--data-urlencode` send it.
    return unquote_to_bytes(data.replace(b"+", b" ").rstrip(b"=\r\n"))


def read_body(data: bytes) -> Body | Refusal:
    """The object, or a refusal (415) that says where the JSON breaks."""
    try:
        text = data.decode()
        members = _decoder.decode(data)
        fields = {
            name.lower(): Field(name=name, literal=bytes(raw)) for name, raw in members.items()
        }
        # Each member has a colon, so where there are no more colons than names none is repeated.
        repeatable = data.count(b":") > len(fields)
        ambiguous = _ambiguous(text) if repeatable else {}
    except UnicodeDecodeError as error:
        return _refused(f"it is not UTF-8 text (byte {error.start})", data=data)
    except msgspec.MsgspecError as error:
        return _refused(_sentence(str(error), data=data), data=data)
    except RecursionError:
        return _refused("it is nested too deeply", data=data)
    return Body(text=text, members=members, fields=fields, ambiguous=ambiguous)


def _refused(why: str, *, data: bytes) -> Refusal:
    text = data.decode(errors="replace")
    found = _LOOSE_PLACEHOLDER.search(text)
    hint = (
        f" It holds {shortened(found[0])}, which TradingView did not replace; a placeholder also"
        " belongs between quotes."
        if found
        else ""
    )
    message = f"The body must be one JSON object, like {_EXAMPLE}, but {why}.{hint}"
    return Refusal(status=415, reason=Reason.NOT_A_JSON_OBJECT, message=message)


def _sentence(error: str, *, data: bytes) -> str:
    if not data.strip():
        return "it is empty"
    if error.startswith("Expected `object`, got `"):
        return f"it is a JSON {error.removeprefix('Expected `object`, got ').strip('`')}"
    return f"it is not JSON: {error.removeprefix('JSON is malformed: ')}"


def _ambiguous(text: str) -> dict[str, str]:
    # Objects become lists of pairs, numbers one-tuples of their text: equal only if sent equal.
    pairs = json.loads(
        text, object_pairs_hook=list, parse_int=_number, parse_float=_number, strict=False
    )
    seen: dict[str, object] = {}
    differing: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        if key in seen and seen[key] != value:
            differing[key] = f"{_told(seen[key])} / {_told(value)}"
        seen[key] = value
    return differing


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return str(value[0])
    return value if isinstance(value, str) else json.dumps(value)


def _number(literal: str) -> tuple[str]:
    return (literal,)
