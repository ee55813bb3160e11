"""Changes by hand as rows of the trail: of routes, accounts, controls and secrets, which stand in
KV buckets. Pure and total, as the projection of the log's messages is.

A bucket keeps a few revisions of each key, so a replay gives those that are still there, and gaps
in its sequence are normal. A sealed secret never reaches the trail: its hash does, which tells
whether it is the one that lies in the bucket.
"""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

import msgspec

from libs.common.buckets import DELETED, HEADER_OPERATION
from libs.common.contracts import subjects
from libs.common.contracts.control import Scope
from services.auditor.rows import Row, short, to_row

DELETION = "deleted"
_NOUNS = {
    subjects.BUCKET_ROUTES: "route",
    subjects.BUCKET_ACCOUNTS: "account",
    subjects.BUCKET_CONTROLS: "control",
    subjects.BUCKET_SECRETS: "secret",
}
_SECRETS = subjects.bucket_stream(subjects.BUCKET_SECRETS)


class _Sealed(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="secret.sealed"):
    sha256: str


def to_change(
    *,
    stream: str,
    seq: int,
    subject: str,
    stored_at: datetime,
    headers: Mapping[str, str] | None,
    data: bytes,
) -> Row:
    """The row of one revision of a bucket's key; never raises."""
    bucket, _ = subjects.parse_bucket_subject(subject)
    if data and (stream == _SECRETS or bucket == subjects.BUCKET_SECRETS):
        data = msgspec.json.encode(_Sealed(sha256=sha256(data).hexdigest()))
    return change_of(
        stream=stream,
        seq=seq,
        subject=subject,
        stored_at=stored_at,
        headers=headers,
        body=data,
        is_deleted=(headers or {}).get(HEADER_OPERATION) in DELETED,
    )


def change_of(  # noqa: PLR0913 - what a row is made of, each by name
    *,
    stream: str,
    seq: int,
    subject: str,
    stored_at: datetime,
    headers: Mapping[str, str] | None,
    body: bytes,
    is_deleted: bool,
) -> Row:
    """The row of a body as the trail has it."""
    bucket, key = subjects.parse_bucket_subject(subject)
    row = to_row(
        stream=stream,
        seq=seq,
        subject=subject,
        stored_at=stored_at,
        headers=headers,
        data=body,
    )
    route, account = _whose(bucket, key)
    return dataclasses.replace(
        row,
        # A document may tell a time, an account or a route of its own; the change has the key's.
        at=stored_at,
        stage=f"{_NOUNS.get(bucket, row.stage)}.{DELETION if is_deleted else 'changed'}",
        alert_id=None,
        route=short(route),
        account=short(account),
        symbol=None,
        client_order_id=None,
        intent_id=None,
    )


def _whose(bucket: str, key: str) -> tuple[str | None, str | None]:
    """The route or the account that was changed; neither of what is halted everywhere."""
    match bucket:
        case subjects.BUCKET_ROUTES:
            return key, None
        case subjects.BUCKET_ACCOUNTS | subjects.BUCKET_SECRETS:
            return None, key
        case subjects.BUCKET_CONTROLS:
            scope, name = subjects.parse_control_key(key)
            if scope == Scope.ROUTE:
                return name, None
            if scope == Scope.ACCOUNT:
                return None, name
    return None, None
