"""TradingView's client certificate: who is named in one, and whether that is TradingView. Pure.

That the certificate is genuine was checked before: in the handshake by ingest itself, or by the
proxy whose word this is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from libs.common.contracts.reasons import Reason
from services.ingest.refusals import Refusal, shortened

COMMON_NAME = "TradingView Webhooks"
ORGANIZATION = "TradingView, Inc."
EMAIL = "webhook-server@tradingview.com"
"""As TradingView's support article 43000680459 tells them."""

_LONGEST = 4_096
_TYPES = {"CN": "commonName", "O": "organizationName"}
_PART = re.compile(r"\s*([A-Za-z][A-Za-z0-9.-]*|\d+(?:\.\d+)*)=((?:[^\\,+\"]|\\.)*)(?:([,+])|\Z)")
_ESCAPED = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)")
# An element of X-Forwarded-Client-Cert: `Name=value` or `Name="value"`, with semicolons between.
_PAIR = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(;|\Z)')


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Whom a certificate names."""

    common_names: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    emails: tuple[str, ...] | None = None
    """None: a proxy told the subject alone."""

    def __str__(self) -> str:
        return f"CN={', '.join(self.common_names)}; O={', '.join(self.organizations)}"


def check_certificate(holder: Holder | None) -> Refusal | None:
    """Refuse whoever has shown no certificate, or one that is not TradingView's."""
    if (
        holder is not None
        and holder.common_names == (COMMON_NAME,)
        and holder.organizations == (ORGANIZATION,)
        and (holder.emails is None or EMAIL in holder.emails)
    ):
        return None
    return Refusal(
        status=403,
        reason=Reason.CLIENT_CERTIFICATE_WRONG,
        message=f"The sender's certificate must be TradingView's: CN \"{COMMON_NAME}\","
        f' O "{ORGANIZATION}", email {EMAIL}.',
        value="no certificate" if holder is None else shortened(str(holder)),
    )


def holder_by_tls(certificate: Mapping[str, Any] | None) -> Holder | None:
    """Of a certificate as Python's `getpeercert` describes it."""
    if not certificate:
        return None
    pairs = [pair for name in certificate.get("subject", ()) for pair in name]
    names = certificate.get("subjectAltName", ())
    emails = tuple(value for kind, value in names if kind == "email")
    return _holder(pairs, emails=emails)


def holder_by_name(name: str) -> Holder | None:
    """Of a subject as nginx and others write it (RFC 4514): `CN=…,O=…,C=…`; None where that could
    mean two things, or nothing.
    """
    pairs: list[tuple[str, str]] = []
    at = 0
    while name and len(name) <= _LONGEST:
        found = _PART.match(name, at)
        if found is None:
            return None
        kind, value, end = found.groups()
        pairs.append((_TYPES.get(kind.upper(), kind), _ESCAPED.sub(_unescaped, value)))
        at = found.end()
        if not end:
            return _holder(pairs, emails=None)
    return None


def holder_by_envoy(header: str) -> Holder | None:
    """Of one element of X-Forwarded-Client-Cert; None also where there are several, since the
    first of them could be the sender's own.
    """
    subjects: list[str] = []
    at = 0
    while header and len(header) <= _LONGEST * 4:
        found = _PAIR.match(header, at)
        if found is None:
            return None
        name, value, end = found.groups()
        if name.lower() == "subject":
            subjects.append(value.removeprefix('"').removesuffix('"'))
        at = found.end()
        if not end:
            return holder_by_name(subjects[0]) if len(subjects) == 1 else None
    return None


def _holder(pairs: Iterable[tuple[str, str]], *, emails: tuple[str, ...] | None) -> Holder:
    named = list(pairs)
    return Holder(
        common_names=tuple(value for kind, value in named if kind == "commonName"),
        organizations=tuple(value for kind, value in named if kind == "organizationName"),
        emails=emails,
    )


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return bytes.fromhex(found[1].replace("\\", "")).decode("utf-8", "replace")
    return found[2]
