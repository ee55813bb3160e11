"""How a process gets to NATS: where it is, with which key, and who vouches for the server.
Services, commands and Jobs connect in this one way (docs/decisions/0031).
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from libs.common.express import ExpressClient
from libs.common.nkeys import NKey, NKeyError, key_of
from libs.common.secret import Secret
from libs.common.settings import ServiceSettings, SettingsError

CONNECT_TIMEOUT_S = 2
_PING_EVERY_S = 2
_PINGS_MISSED = 2
"""A server whose machine is gone says nothing: after six seconds another one is asked."""
_SCHEMES = ("nats", "tls")


@dataclass(frozen=True, kw_only=True)
class Access:
    url: Secret
    """One address, or several with commas between."""
    nkey_file: Path | None = None
    ca_file: Path | None = None


def access_of(settings: ServiceSettings) -> Access:
    return Access(
        url=settings.nats_url,
        nkey_file=settings.nats_nkey_file,
        ca_file=settings.nats_ca_file,
    )


def inbox_prefix(user: str) -> str:
    """Where answers for a user go; nobody else may listen there."""
    return f"_INBOX_{user}"


async def connect(client: ExpressClient, access: Access, *, user: str, **options: Any) -> None:
    """Connect as the library does, with its options. Raises `SettingsError` where the access is no
    good, before anything is asked.
    """
    addresses, credentials = _addresses(access.url)
    tls = _tls(addresses, access.ca_file)
    client.needs_tls = tls is not None
    if access.nkey_file is not None:
        client.use_key(_key(access.nkey_file))
    try:
        await client.connect(
            addresses,
            inbox_prefix=inbox_prefix(user),
            tls=tls,
            connect_timeout=CONNECT_TIMEOUT_S,
            ping_interval=_PING_EVERY_S,
            max_outstanding_pings=_PINGS_MISSED,
            **credentials,
            **options,
        )
    except BaseException:
        # The library leaves a connection open that it was not let in by.
        await client.close()
        raise


def _addresses(url: Secret) -> tuple[list[str], dict[str, str]]:
    """Without user and password, which servers that are found later are to be told, too."""
    parts = [_split(each.strip()) for each in url.reveal().split(",") if each.strip()]
    if not parts:
        raise SettingsError("ALERTWIRE_NATS_URL names no server")
    if len({part.scheme for part in parts}) > 1:
        raise SettingsError("ALERTWIRE_NATS_URL: tls:// or nats:// for all servers, not both")
    users = {(part.username, part.password) for part in parts if part.username}
    if len(users) > 1:
        raise SettingsError("ALERTWIRE_NATS_URL names several users; one is for all servers")
    addresses = [urlunsplit((part.scheme, _bare(part), "", "", "")) for part in parts]
    for user, password in users:
        if password is None:
            return addresses, {"token": unquote(user or "")}
        return addresses, {"user": unquote(user or ""), "password": unquote(password)}
    return addresses, {}


def _split(address: str) -> SplitResult:
    found = urlsplit(address if "://" in address else f"nats://{address}")
    try:
        is_good = found.scheme in _SCHEMES and found.hostname and found.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        # The address may hold a password, so it is not repeated.
        raise SettingsError("ALERTWIRE_NATS_URL: an address is no tls://host:port")
    return found


def _bare(part: SplitResult) -> str:
    return part.netloc.rpartition("@")[2]


def _tls(addresses: list[str], ca_file: Path | None) -> ssl.SSLContext | None:
    if not addresses[0].startswith("tls://"):
        if ca_file is not None:
            raise SettingsError("ALERTWIRE_NATS_CA_FILE is for tls:// in ALERTWIRE_NATS_URL")
        return None
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise SettingsError(f"ALERTWIRE_NATS_CA_FILE: {ca_file} holds no certificates") from None
    except OSError as error:
        raise SettingsError(f"ALERTWIRE_NATS_CA_FILE: {ca_file}: {error.strerror}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _key(path: Path) -> NKey:
    name = "ALERTWIRE_NATS_NKEY_FILE"
    try:
        return key_of(path.read_text(encoding="ascii"))
    except OSError as error:
        raise SettingsError(f"{name}: {path}: {error.strerror}") from None
    except NKeyError as error:
        raise SettingsError(f"{name}: {path}: {error}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: {path}: it is no NKey") from None
