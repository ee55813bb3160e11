"""Under which licences the packages of an image come, by their own metadata, and which are allowed.

An expression (SPDX) counts first, then the old free text, then the trove classifiers. What is not
understood is not allowed: somebody has to look, and write it into a table here.
"""

import importlib.metadata
import re
from collections.abc import Collection, Mapping

# May be shipped in an image, each asking for no more than a notice, or (MPL) for its own files.
SHIPPABLE = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0"),
        *("MPL-2.0", "PSF-2.0", "Unlicense"),
    }
)
# May be used to build and to test, and is part of nothing that is handed on.
USABLE = SHIPPABLE | {
    *("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later"),
    *("LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),
}
# Of packages whose metadata says nothing, or something else: what was read in them, and why.
READ_BY_HAND = {
    # The wheel's LICENSE file; its metadata has a classifier that several licences share.
    "jinja2": "BSD-3-Clause",
    "itsdangerous": "BSD-3-Clause",
    # "3-Clause BSD License" in the metadata.
    "protobuf": "BSD-3-Clause",
    # Dual since 0.15, as its LICENSE-APACHE and LICENSE-MIT say; the field names one.
    "uvloop": "MIT OR Apache-2.0",
    # The wheel's LICENSE.
    "axe-playwright-python": "MIT",
}
_WRITTEN = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "mit license": "MIT",
    "isc license (iscl)": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}


def licence_of(name: str) -> str | None:
    """An installed package's licence as an expression; None where that cannot be told."""
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    metadata = importlib.metadata.metadata(name)
    told = metadata.get_all("License-Expression") or metadata.get_all("License") or [""]
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in metadata.get_all("Classifier") or []
        if each.startswith("License :: ")
    ]
    # Some put the whole text into the field.
    texts = [text.strip().partition("\n")[0] for text in (str(told[0]), *classifiers)]
    known = (_WRITTEN.get(text.lower(), text) for text in texts)
    return next((text for text in known if is_allowed(text, allowed=USABLE)), texts[0] or None)


def refused(
    licences: Mapping[str, str | None], *, allowed: Collection[str] = SHIPPABLE
) -> list[str]:
    """Those that are not allowed, as sentences."""
    return [
        f"{name}: {expression or 'no licence is told'}"
        for name, expression in sorted(licences.items())
        if not is_allowed(expression, allowed=allowed)
    ]


def is_allowed(expression: str | None, *, allowed: Collection[str] = SHIPPABLE) -> bool:
    """`A AND B` needs both, `A OR B` one of them."""
    tokens = re.findall(r"[()]|[^()\s]+", expression or "")
    value, rest = _either(tokens, allowed)
    return value and not rest


# What is left of the tokens comes back with the answer.
def _either(tokens: list[str], allowed: Collection[str]) -> tuple[bool, list[str]]:
    value, rest = _both(tokens, allowed)
    while rest[:1] == ["OR"]:
        other, rest = _both(rest[1:], allowed)
        value = value or other
    return value, rest


def _both(tokens: list[str], allowed: Collection[str]) -> tuple[bool, list[str]]:
    value, rest = _one(tokens, allowed)
    while rest[:1] == ["AND"]:
        other, rest = _one(rest[1:], allowed)
        value = value and other
    return value, rest


def _one(tokens: list[str], allowed: Collection[str]) -> tuple[bool, list[str]]:
    if tokens[:1] == ["("]:
        value, rest = _either(tokens[1:], allowed)
        return (value, rest[1:]) if rest[:1] == [")"] else (False, rest)
    return (tokens[0] in allowed, tokens[1:]) if tokens else (False, [])
