"""Characters that nobody sees and a terminal may obey: controls, marks that turn the direction of
what follows, blanks of no width.
"""

import re

# What is below a blank JSON escapes itself.
_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def replaced(text: str) -> str:
    """Text of strangers for one line on a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def escaped(document: str) -> str:
    """A JSON document that says the same without them."""
    if document.isascii() and "\x7f" not in document:
        return document
    return _UNSEEN.sub(_escape, document)


def _escape(found: re.Match[str]) -> str:
    pair = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{pair[at : at + 2].hex()}" for at in range(0, len(pair), 2))
