"""How somebody looks at a page: on what, with which colours, from which time zone."""

from dataclasses import dataclass
from typing import Any, Literal

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True, kw_only=True)
class Look:
    device: Literal["desktop", "phone"] = "desktop"
    scheme: Literal["light", "dark"] = "light"
    # Not UTC, so that a time which is not the viewer's own is seen.
    timezone: str = "Europe/Berlin"
    locale: str = "en-GB"
    reduced_motion: bool = False
    javascript: bool = True

    def options(self) -> dict[str, Any]:
        """As Playwright takes them for a context."""
        phone = self.device == "phone"
        return {
            "viewport": PHONE if phone else DESKTOP,
            "device_scale_factor": 1,
            "is_mobile": phone,
            "has_touch": phone,
            "color_scheme": self.scheme,
            "timezone_id": self.timezone,
            "locale": self.locale,
            "reduced_motion": "reduce" if self.reduced_motion else "no-preference",
            "java_script_enabled": self.javascript,
        }
