"""From a request's JSON to a checked document: pure. A field that nobody knows is refused by name,
since it is most likely a misspelling that would otherwise be ignored in silence.
"""

import difflib
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from services.console.problems import Problem

T = TypeVar("T")
Document = dict[str, Any]

# Decimals may come as strings or as numbers; as numbers they must not pass through a float.
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_PLACE = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")
_MISSING = re.compile(r"required field `(?P<field>[^`]+)`")


def parse_object(body: bytes) -> Document:
    """The request's body as one JSON object, or a 415 as ingest answers it."""
    try:
        found = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticError) as error:
        raise Problem(415, f"The body is not JSON: {error}") from None
    except RecursionError:
        raise Problem(415, "The body is nested too deeply.") from None
    if not isinstance(found, dict):
        raise Problem(415, "The body must be one JSON object.")
    return found


def checked(document: Document, cls: type[T]) -> T:
    """The document as a `cls`, or a 422 naming the field."""
    strange = unknown_field(document, inspect.type_info(cls))
    if strange is not None:
        field, known = strange
        close = difflib.get_close_matches(field.rpartition(".")[2], known, n=1)
        right = f"did you mean `{close[0]}`?" if close else f"known are {', '.join(known)}."
        raise Problem(422, f"`{field}` is not a field; {right}", field=field)
    try:
        return msgspec.convert(document, cls)
    except msgspec.ValidationError as error:
        text = str(error)
        place, missing = _PLACE.search(text), _MISSING.search(text)
        parts = [found["field"] for found in (place, missing) if found]
        field = ".".join(part for part in parts if part)
        detail = _PLACE.sub("", text)
        raise Problem(
            422, f"`{field}`: {detail}" if field else detail, field=field or None
        ) from None


def unknown_field(
    value: object, kind: inspect.Type, *, at: str = ""
) -> tuple[str, list[str]] | None:
    """The first field that `kind` does not know, with those that it knows at that place."""
    match kind, value:
        case inspect.StructType(fields=fields), dict():
            kinds = {field.encode_name: field.type for field in fields}
            for name, inner in value.items():
                if name not in kinds:
                    return f"{at}{name}", sorted(kinds)
                found = unknown_field(inner, kinds[name], at=f"{at}{name}.")
                if found is not None:
                    return found
        case inspect.DictType(value_type=inner_kind), dict():
            pairs = ((unknown_field(v, inner_kind, at=f"{at}{k}.")) for k, v in value.items())
            return next((found for found in pairs if found), None)
        case inspect.VarTupleType(item_type=inner_kind), list():
            items = (unknown_field(v, inner_kind, at=f"{at}{n}.") for n, v in enumerate(value))
            return next((found for found in items if found), None)
    return None


def merged(document: Document, patch: Document) -> Document:
    """JSON merge patch (RFC 7396): objects are merged, null removes, so that the default stands."""
    out = dict(document)
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        elif isinstance(value, dict):
            before = out.get(name)
            out[name] = merged(before if isinstance(before, dict) else {}, value)
        else:
            out[name] = value
    return out


def plain(value: object) -> Any:
    """A struct as JSON shows it, with its defaults spelled out and decimals as plain strings."""
    match value:
        case msgspec.Struct():
            return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        case Decimal():
            return format(value, "f")
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case tuple() | list():
            return [plain(inner) for inner in value]
    return value


def moment(at: datetime) -> str:
    """A time as every document shows it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
