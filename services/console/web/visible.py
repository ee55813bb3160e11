"""Texts of strangers as they are, with what nobody could see in them made visible."""

import re

from markupsafe import Markup, escape

_KEPT = "\n\t"
_CONTROL = re.compile(
    # Controls, marks that turn the direction of what follows, blanks of no width, and what is no
    # character at all.
    "([\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f])\\1*"
)
_CODE = re.compile("`([^`]+)`")


def visible(text: object) -> str:
    """For a body or a reply that is shown whole: a mark's name stands in its place."""
    return _CONTROL.sub(_named, str(text))


def _named(found: re.Match[str]) -> str:
    char, number = found[1], len(found[0])
    if char in _KEPT:
        return found[0]
    times = f" x {number}" if number > 1 else ""
    return f"⟨U+{ord(char):04X}{times}⟩"


def with_code(text: object) -> Markup:
    """Our own sentences name commands between backticks."""
    safe = visible(text)
    parts = _CODE.split(safe)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def shortened(text: object, most: int = 200) -> str:
    """For lists: its beginning, in one line."""
    shown = visible(" ".join(str(text)[: most * 2].split()))
    return shown if len(shown) <= most else shown[: most - 1] + "…"
