"""What a person sends becomes a route or an account: pure. Secrets leave here only as hashes, as a
`Secret` on its way to be sealed, or as the box that somebody has sealed already.
"""

import binascii
import ipaddress
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from libs.common.contracts.route import Account, Route, RouteSettings, TokenHash
from libs.common.contracts.words import RouteState, SecretSource
from libs.common.sealing import BOX_OVERHEAD
from libs.common.secret import Secret
from services.console.documents import Document, checked, merged, plain
from services.console.problems import Problem
from services.console.trading import check_trading

STARS = "***"
_SHOWN_OF_KEY = 4
SECRET_BYTES_MAX = 1024


@dataclass(frozen=True, kw_only=True)
class AccountDraft:
    account: Account
    secret_key: Secret | None = None
    """As it was typed, to be sealed here."""
    sealed: bytes | None = None
    """As it was sealed where it was typed. Of neither: the key that is kept stays."""

    @property
    def has_secret(self) -> bool:
        return self.secret_key is not None or self.sealed is not None


def new_route(document: Document, *, token: str) -> Route:
    settings = _route_settings(document)
    if settings.body_secret == STARS:
        raise Problem(422, f"`{STARS}` stands for a secret that is kept.", field="body_secret")
    return Route(
        settings=msgspec.structs.replace(settings, body_secret=None),
        tokens=(TokenHash(sha256=_hash(token)),),
        body_secret_sha256=_hash_or_none(settings.body_secret),
    )


def changed_route(route: Route, patch: Document) -> Route:
    """The route with a merge patch applied; stars for the body secret keep it."""
    settings = _route_settings(merged(shown_route(route), patch))
    _same_id(route.id, settings.id)
    keep = settings.body_secret == STARS
    return msgspec.structs.replace(
        route,
        settings=msgspec.structs.replace(settings, body_secret=None),
        body_secret_sha256=(
            route.body_secret_sha256 if keep else _hash_or_none(settings.body_secret)
        ),
    )


def rotated(route: Route, *, token: str, now: datetime, overlap_s: int) -> Route:
    """The route with a new token; the one before it, and no older one, stays valid for
    `overlap_s` seconds.
    """
    expires_at = now + timedelta(seconds=overlap_s)
    old = route.tokens[-1]
    ends = expires_at if old.expires_at is None else min(expires_at, old.expires_at)
    kept = (msgspec.structs.replace(old, expires_at=ends),) if ends > now else ()
    return msgspec.structs.replace(route, tokens=(*kept, TokenHash(sha256=_hash(token))))


def with_state(route: Route, state: RouteState) -> Route:
    settings = msgspec.structs.replace(route.settings, state=state)
    return msgspec.structs.replace(route, settings=settings)


def shown_route(route: Route) -> Document:
    """The route as the API speaks of it, every default spelled out."""
    secret = None if route.body_secret_sha256 is None else STARS
    document: Document = plain(route.settings)
    return {**document, "body_secret": secret}


def new_account(document: Document) -> AccountDraft:
    draft = _account(document)
    if not draft.has_secret and draft.account.secret_source is SecretSource.SEALED:
        raise Problem(422, "`secret_key` or `sealed_secret_key` is missing.", field="secret_key")
    return draft


def changed_account(account: Account, patch: Document) -> AccountDraft:
    """The account with a merge patch applied. What GET showed may come back: a masked access key
    and an empty secret key change nothing.
    """
    patch = dict(patch)
    if patch.get("access_key") == masked(account.access_key):
        del patch["access_key"]
    draft = _account(merged(plain(account), patch))
    _same_id(account.id, draft.account.id)
    is_sealed = draft.account.secret_source is SecretSource.SEALED
    if is_sealed and account.secret_source is SecretSource.MOUNTED and not draft.has_secret:
        raise Problem(
            422, "What is sealed has to be entered: give `secret_key` too.", field="secret_key"
        )
    return draft


def shown_account(account: Account) -> Document:
    document: Document = plain(account)
    return {**document, "access_key": masked(account.access_key), "secret_key": None}


def masked(key: str) -> str:
    """The last characters of a key, so that a person recognises it; none of a short one."""
    shown = key[-_SHOWN_OF_KEY:] if len(key) >= 2 * _SHOWN_OF_KEY else ""
    return f"{STARS}{shown}"


def _route_settings(document: Document) -> RouteSettings:
    settings = checked(document, RouteSettings)
    names = [part.account for part in settings.accounts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Problem(422, "An account may be named once.", field="accounts", value=twice)
    if settings.body_secret is not None and not settings.body_secret:
        raise Problem(422, "A body secret has characters; null asks for none.", field="body_secret")
    _check_networks(settings.allow_addresses, field="allow_addresses")
    check_trading(settings)
    return settings


def _account(document: Document) -> AccountDraft:
    document = dict(document)
    secret, box = document.pop("secret_key", None), document.pop("sealed_secret_key", None)
    if secret is not None and box is not None:
        raise Problem(
            422, "Give `secret_key` or `sealed_secret_key`, not both.", field="sealed_secret_key"
        )
    if secret is not None and (not isinstance(secret, str) or not secret.strip()):
        raise Problem(422, "`secret_key` must be the key's text.", field="secret_key")
    sealed = None if box is None else _sealed(box)
    account = checked(document, Account)
    _check_networks(account.expected_addresses, field="expected_addresses")
    draft = AccountDraft(
        account=account,
        secret_key=None if secret is None else Secret(secret.strip()),
        sealed=sealed,
    )
    if draft.has_secret and account.secret_source is SecretSource.MOUNTED:
        raise Problem(
            422,
            "The secret key of this account is mounted at the executor: change the file there, or"
            " set `secret_source` to `sealed` as well.",
            field="secret_source",
        )
    return draft


def _sealed(box: object) -> bytes:
    """Whether it can be opened, the executor alone can tell; here only whether it can be a box."""
    wrong = Problem(
        422,
        "`sealed_secret_key` must be a sealed box in base64 with the key's text in it.",
        field="sealed_secret_key",
    )
    if not isinstance(box, str):
        raise wrong
    try:
        sealed = b64decode(box, validate=True)
    except (binascii.Error, ValueError):
        raise wrong from None
    if not BOX_OVERHEAD < len(sealed) <= BOX_OVERHEAD + SECRET_BYTES_MAX:
        raise wrong
    return sealed


def _check_networks(values: tuple[str, ...], *, field: str) -> None:
    for value in values:
        try:
            ipaddress.ip_network(value)
        except ValueError as error:
            raise Problem(
                422, f"Not an address or network: {error}", field=field, value=value
            ) from None


def _same_id(before: str, after: str) -> None:
    if after != before:
        raise Problem(422, "An id cannot be changed.", field="id", value=after)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _hash_or_none(text: str | None) -> str | None:
    return None if text is None else _hash(text)
