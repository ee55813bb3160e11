"""MEXC's request signature: HMAC-SHA256 over access key, request time and payload, in hex.

The payload of a GET is its query as sent, of a POST its body as sent. Names are sorted because
MEXC answers 602 otherwise, and values are percent-encoded because its documents and most clients
sign them so.
"""

import hmac
from collections.abc import Mapping
from urllib.parse import quote

from libs.common.secret import Secret


def sign(*, access_key: str, secret: Secret, request_time_ms: int, payload: str) -> str:
    text = f"{access_key}{request_time_ms}{payload}"
    return hmac.digest(secret.buffer(), text.encode(), "sha256").hex()


def sign_query(*, secret: Secret, query: str) -> str:
    """As the spot side wants it: the query alone, with its timestamp in it."""
    return hmac.digest(secret.buffer(), query.encode(), "sha256").hex()


def canonical_query(parameters: Mapping[str, str | int | None]) -> str:
    """The query to send and sign: sorted, encoded, without the parameters that are None."""
    return "&".join(
        f"{name}={encoded(str(value))}"
        for name, value in sorted(parameters.items())
        if value is not None
    )


def encoded(value: str) -> str:
    """A value as it stands in a query or a path segment."""
    return quote(value, safe="")
