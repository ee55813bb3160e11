"""Whether a page tells what it must never tell. For every test that looks at one."""

import base64
import html
import re
from urllib.parse import quote, unquote

_HASHES = re.compile(r"\$argon2[a-z]*\$|\b[0-9a-f]{64}\b")
"""A password's hash, or a token's."""
_SHORTEST = 6


def assert_no_secrets(page: str, *secrets: str, hashes_too: bool = True) -> None:
    """Neither one of the secrets, in whatever spelling, nor (`hashes_too`) a hash of any."""
    told = f"{page}\n{html.unescape(page)}\n{unquote(page)}"
    for secret in secrets:
        assert len(secret) >= _SHORTEST, "too short to tell from other text"
        spelt = {
            secret,
            quote(secret),
            html.escape(secret),
            secret[::-1],
            # A part of it is enough for whoever guesses the rest.
            secret[: max(_SHORTEST, len(secret) * 3 // 4)],
            secret[-max(_SHORTEST, len(secret) * 3 // 4) :],
            base64.b64encode(secret.encode()).decode().rstrip("="),
        }
        for spelling in spelt:
            assert spelling not in told, "the page holds a secret"
    if hashes_too:
        assert not _HASHES.search(told), "the page holds a hash"
