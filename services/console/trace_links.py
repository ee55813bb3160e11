"""Where the tracing backend shows one alert: an address that the operator gives once."""

from urllib.parse import urlsplit

from libs.common.settings import SettingsError

_PLACE = "{trace_id}"
_VARIABLE = "ALERTWIRE_TRACE_URL"


class TraceLinks:
    """Raises `SettingsError` for a template that leads nowhere; an empty one leads nowhere on
    purpose. Other braces stay as they are, since some backends have JSON in their addresses.
    """

    def __init__(self, template: str = "") -> None:
        if template:
            _check(template)
        self._template = template

    def link(self, trace_id: str) -> str | None:
        """`trace_id`: 32 hexadecimal digits."""
        return self._template.replace(_PLACE, trace_id) if self._template else None


def _check(template: str) -> None:
    if _PLACE not in template:
        raise SettingsError(f"{_VARIABLE} has no {_PLACE} in it")
    if not template.isprintable() or " " in template:
        raise SettingsError(f"{_VARIABLE} must be one address, without blanks")
    try:
        parts = urlsplit(template)
    except ValueError as error:
        raise SettingsError(f"{_VARIABLE}: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"{_VARIABLE} must begin with http:// or https:// and a host")
    if _PLACE in parts.netloc:
        raise SettingsError(f"{_VARIABLE}: {_PLACE} belongs behind the host")
    if "@" in parts.netloc:
        raise SettingsError(f"{_VARIABLE} is shown to everybody who signs in: no password in it")
