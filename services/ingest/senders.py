"""Who sends, as far as the connection and the proxies before it tell: the address, and whose
certificate was shown. What strangers say of themselves in the same headers is never looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from libs.common.addresses import (
    TRADINGVIEW,
    Network,
    is_within,
    origin_of,
    read_address,
    read_senders,
)
from libs.common.http_limits import PEER_CERTIFICATE
from services.ingest.certificates import (
    Holder,
    holder_by_envoy,
    holder_by_name,
    holder_by_tls,
)

ENVOY_HEADER = b"x-forwarded-client-cert"
VERIFY_HEADER = b"ssl-client-verify"
VERIFIED = b"SUCCESS"
"""What nginx says beside a subject whose certificate it has verified."""
_FORWARDED_FOR = b"x-forwarded-for"
_TRADINGVIEW_NETWORKS = read_senders(TRADINGVIEW)

Headers = Iterable[tuple[bytes, bytes]]


class ClientCertificate(StrEnum):
    """Who tells whose certificate the sender has shown."""

    OFF = "off"
    TLS = "tls"
    HEADER = "header"


@dataclass(frozen=True, kw_only=True)
class Senders:
    """Which proxies are believed, and which senders are let in."""

    trusted: tuple[Network, ...] = ()
    allowed: tuple[Network, ...] = ()
    """Empty: from anywhere."""
    certificate: ClientCertificate = ClientCertificate.OFF
    header: bytes = b""
    """In which a trusted proxy says whose certificate it has verified."""

    def address(self, scope: Mapping[str, Any]) -> str:
        """Where a request comes from, in one spelling; empty where there is no telling."""
        client = scope.get("client")
        if not client:
            return ""
        told: str = client[0]
        if not self.trusted and ":" not in told:
            return told
        peer = read_address(told)
        if peer is None:
            return ""
        lines = (
            value.decode("latin-1") for name, value in scope["headers"] if name == _FORWARDED_FOR
        )
        return str(origin_of(peer, forwarded=lines, trusted=self.trusted))

    def holder(self, scope: Mapping[str, Any]) -> Holder | None:
        """Whose certificate was shown; None: nobody's, or that of whom nobody we trust tells."""
        match self.certificate:
            case ClientCertificate.OFF:
                return None
            case ClientCertificate.TLS:
                return holder_by_tls(scope.get(PEER_CERTIFICATE))
            case ClientCertificate.HEADER:
                return self._told_by_proxy(scope)

    def is_allowed(self, address: str) -> bool:
        return not self.allowed or is_within(read_address(address), self.allowed)

    def is_unlimited(self, address: str) -> bool:
        """Few addresses carry all of TradingView's alerts, and those that are listed are known:
        what counts by address would only ever lose real alerts there.
        """
        known = (*self.allowed, *_TRADINGVIEW_NETWORKS)
        return is_within(read_address(address), known)

    def is_proxy(self, address: str) -> bool:
        return is_within(read_address(address), self.trusted)

    def _told_by_proxy(self, scope: Mapping[str, Any]) -> Holder | None:
        client = scope.get("client")
        if not client or not self.is_proxy(client[0]):
            return None
        told = _values(scope["headers"], self.header)
        if len(told) != 1:
            return None  # Twice: one of them is what a stranger sent along.
        text = told[0].decode("utf-8", "replace")
        if self.header == ENVOY_HEADER:
            return holder_by_envoy(text)
        verified = _values(scope["headers"], VERIFY_HEADER) == [VERIFIED]
        return holder_by_name(text) if verified else None


def _values(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]
