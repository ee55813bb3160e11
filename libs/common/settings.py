"""Configuration: read once from the environment, typed, frozen, documented, printed redacted.

A settings class is a frozen dataclass whose fields are made by `setting(...)`. A field `nats_url`
is read from `ALERTWIRE_NATS_URL`; a secret one also from the file that `ALERTWIRE_NATS_URL_FILE`
names, since an environment is seen by more than files are. An `ALERTWIRE_` variable that no field
knows is an error: it is most likely a misspelling that would otherwise be ignored in silence.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from libs.common.secret import Secret

PREFIX = "ALERTWIRE_"
LARGEST_PORT = 65_535

T = TypeVar("T")


class SettingsError(Exception):
    """The environment does not describe a valid configuration; the message names the variable."""


def setting(doc: str, *, may_be_empty: bool = False, **default: Any) -> Any:
    """Declare a field: `doc` gives meaning and unit; `default=` makes it optional. A variable that
    is empty counts as absent, unless the field `may_be_empty`.
    """
    return dataclasses.field(metadata={"doc": doc, "may_be_empty": may_be_empty}, **default)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What every service needs; each adds its own fields."""

    nats_url: Secret = setting(
        "NATS: tls://host:port, several with commas between; nats://user:password@host:port where"
        " no key is given"
    )
    nats_nkey_file: Path | None = setting("File with the seed of our NKey at NATS", default=None)
    nats_ca_file: Path | None = setting(
        "File with the certificates (PEM) of who may vouch for NATS; without it the system's",
        default=None,
    )
    health_host: str = setting("Address that health and metrics listen on", default="127.0.0.1")
    health_port: int = setting("Port of /health/live, /health/ready and /metrics")
    log_level: str = setting("debug, info, warning or error", default="info")


def from_env(cls: type[T], environ: Mapping[str, str]) -> T:
    """Build `cls` from the environment, or raise `SettingsError` naming what is wrong."""
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    known = {variable_name(field.name) for field in fields}
    known |= {_file_variable(field.name) for field in fields if is_secret(hints[field.name])}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsError(f"unknown variable {unknown[0]}; known are {', '.join(sorted(known))}")
    values: dict[str, Any] = {}
    for field in fields:
        name = variable_name(field.name)
        raw = environ.get(name, "")
        if is_secret(hints[field.name]) and environ.get(_file_variable(field.name)):
            raw = _from_file(field.name, environ)
        if raw or (name in environ and field.metadata["may_be_empty"]):
            values[field.name] = _convert(raw, kind=hints[field.name], name=name)
            if field.name == "port" or field.name.endswith("_port"):
                _check_port(values[field.name], name=name)
        elif field.default is dataclasses.MISSING:
            or_file = f" or {_file_variable(field.name)}" if is_secret(hints[field.name]) else ""
            raise SettingsError(f"{name}{or_file} is missing: {field.metadata['doc']}")
    return cls(**values)


def variable_name(field_name: str) -> str:
    return PREFIX + field_name.upper()


def is_secret(kind: Any) -> bool:
    """Whether a field of this type holds a secret, and may therefore come in a file of its own."""
    return kind is Secret or Secret in typing.get_args(kind)


def redacted(settings: object) -> dict[str, object]:
    """The settings as a log line may show them: secrets as stars, addresses without passwords."""
    shown: dict[str, object] = {}
    for field in dataclasses.fields(settings):  # type: ignore[arg-type]
        value = getattr(settings, field.name)
        shown[field.name] = str(value) if isinstance(value, (Secret, Path)) else value
    return shown


def _file_variable(field_name: str) -> str:
    return variable_name(field_name) + "_FILE"


def _from_file(field_name: str, environ: Mapping[str, str]) -> str:
    name, file_name = variable_name(field_name), _file_variable(field_name)
    if environ.get(name):
        raise SettingsError(f"{name} and {file_name} are both set; one of them must go")
    path = environ[file_name]
    try:
        # Editors and `kubectl create secret` leave a line's end behind.
        text = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{file_name}: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file_name}: {path} is no text") from None
    if not text:
        raise SettingsError(f"{file_name}: {path} is empty")
    return text


def _check_port(port: int, *, name: str) -> None:
    # An event loop may wrap a larger number around and listen somewhere else.
    if not 0 <= port <= LARGEST_PORT:
        raise SettingsError(f"{name} lies between 0 and {LARGEST_PORT}, not {port}")


def _convert(raw: str, *, kind: Any, name: str) -> Any:
    if isinstance(kind, types.UnionType):
        kind = next(arm for arm in typing.get_args(kind) if arm is not type(None))
    if kind is bool:
        lowered = raw.lower()
        if lowered not in {"true", "false"}:
            raise SettingsError(f"{name} must be true or false, not {raw!r}")
        return lowered == "true"
    if kind in {int, float}:
        try:
            return kind(raw)
        except ValueError:
            raise SettingsError(f"{name} must be a number, not {raw!r}") from None
    return kind(raw)
