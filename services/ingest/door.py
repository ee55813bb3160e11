"""The webhook's door, as the settings want it: whom it believes, lets in, and how much it takes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from libs.common.addresses import read_proxies, read_senders
from libs.common.http_limits import HttpLimits
from libs.common.settings import SettingsError, variable_name
from libs.common.tls import Tls, TlsError, TlsFiles
from services.ingest.admission import AddressRates
from services.ingest.senders import ClientCertificate, Senders
from services.ingest.settings import Settings

_HEAD_TIMEOUT_S = 5.0
"""TradingView sends an alert in one go, and gives up after 3 s."""
_BODY_TIMEOUT_S = 10.0
"""The webhook itself answers after 2 s; this ends those who go on sending behind the answer."""
_REQUEST_BYTES_MAX = 1_048_576
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Door:
    senders: Senders
    rates: AddressRates
    limits: HttpLimits
    tls: Tls | None


def door_of(settings: Settings) -> Door:
    """Raises `SettingsError` where what is set cannot be, or would check nothing."""
    senders = Senders(
        trusted=_read("trusted_proxies", lambda: read_proxies(settings.trusted_proxies)),
        allowed=_read("allow_addresses", lambda: read_senders(settings.allow_addresses)),
        certificate=_read(
            "client_certificate", lambda: ClientCertificate(settings.client_certificate)
        ),
        header=_read("client_certificate_header", lambda: _header(settings)),
    )
    _check(settings, senders)
    rates = AddressRates(
        per_s=settings.address_rate_per_s,
        burst=settings.address_rate_burst,
        is_unlimited=senders.is_unlimited,
    )
    limits = HttpLimits(
        head_timeout_s=_HEAD_TIMEOUT_S,
        body_timeout_s=_BODY_TIMEOUT_S,
        request_bytes_max=_REQUEST_BYTES_MAX,
        is_unlimited=lambda address: senders.is_proxy(address) or senders.is_unlimited(address),
    )
    return Door(senders=senders, rates=rates, limits=limits, tls=_tls(settings))


def _check(settings: Settings, senders: Senders) -> None:
    if senders.certificate is ClientCertificate.HEADER and not senders.trusted:
        raise SettingsError(
            "ALERTWIRE_CLIENT_CERTIFICATE=header needs ALERTWIRE_TRUSTED_PROXIES: who may say so"
        )
    if senders.certificate is ClientCertificate.TLS and not (
        settings.tls_cert_file and settings.client_ca_file
    ):
        raise SettingsError(
            "ALERTWIRE_CLIENT_CERTIFICATE=tls needs ALERTWIRE_TLS_CERT_FILE, ALERTWIRE_TLS_KEY_FILE"
            " and ALERTWIRE_CLIENT_CA_FILE"
        )
    if (settings.tls_cert_file is None) != (settings.tls_key_file is None):
        raise SettingsError("ALERTWIRE_TLS_CERT_FILE and ALERTWIRE_TLS_KEY_FILE go together")


def _tls(settings: Settings) -> Tls | None:
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    # Who is not asked for a certificate need not be refused for a wrong one.
    is_asked = settings.client_certificate == ClientCertificate.TLS
    files = TlsFiles(
        cert=settings.tls_cert_file,
        key=settings.tls_key_file,
        client_ca=settings.client_ca_file if is_asked else None,
    )
    try:
        return Tls(files)
    except TlsError as error:
        raise SettingsError(f"ALERTWIRE_TLS_…_FILE, ALERTWIRE_CLIENT_CA_FILE: {error}") from None


def _header(settings: Settings) -> bytes:
    name = settings.client_certificate_header
    if _HEADER_NAME.fullmatch(name) is None:
        raise ValueError(f"`{name[:64]}` is no name of a header")
    return name.lower().encode()


def _read(field: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise SettingsError(f"{variable_name(field)}: {error}") from None
