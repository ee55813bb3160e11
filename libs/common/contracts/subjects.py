"""Subjects and keys: built and parsed here only. `noun.past_verb.<key…>`, general to specific."""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from libs.common.contracts.words import AccountId, ExecutionKind, RouteId, VenueSymbol

STREAM = "PIPELINE"
STREAM_SUBJECTS = (
    *("alert.>", "intent.>", "order.>", "execution.>", "position.>", "account.>", "dead.>"),
)

ANCHORS = "ANCHORS"
"""The stream that holds the heads of the trail's chains, outside the database."""
ANCHOR_SUBJECTS = "anchor.>"

BUCKET_ROUTES = "routes"
BUCKET_ACCOUNTS = "accounts"
BUCKET_SECRETS = "secrets"
BUCKET_CONTROLS = "controls"
BUCKET_INSTRUMENTS = "instruments"
BUCKET_OWNERS = "owners"
BUCKET_SESSIONS = "sessions"
BUCKETS = (
    BUCKET_ROUTES,
    BUCKET_ACCOUNTS,
    BUCKET_SECRETS,
    BUCKET_CONTROLS,
    BUCKET_INSTRUMENTS,
    BUCKET_OWNERS,
    BUCKET_SESSIONS,
)
WITHOUT_HISTORY = frozenset({BUCKET_SECRETS, BUCKET_OWNERS, BUCKET_SESSIONS})
"""Of a secret nothing older is kept, and who owned a name or had signed in a second ago is nobody's
interest.
"""

BUCKET_SUBJECTS = "$KV."
"""What the subjects of all buckets begin with."""
AUDITED_BUCKETS = (BUCKET_ROUTES, BUCKET_ACCOUNTS, BUCKET_SECRETS, BUCKET_CONTROLS)
"""What people change, so that each change stands in the trail."""

ALERTS_RECEIVED = "alert.received.>"
INTENTS_ACCEPTED = "intent.accepted.>"
DEAD_LETTERS = "dead.*"
DEAD_REPLAYED = "dead.replayed.*"
EXECUTIONS_RESTING = "execution.resting.>"
CHECKUPS_ASKED = "ask.checkup.*"
PRESENCE_ASKED = "ask.presence"
"""Questions that are answered at once, and are no part of the log."""
PICTURES_ASKED = "ask.picture.*"
"""What an account holds now: the executor that owns it answers with an `AccountPicture`."""
EGRESS_ASKED = "ask.egress"
"""Under which address executors are seen: each answers with an `EgressTold`."""
SEALING_ASKED = "ask.sealing"
"""Which sealing keys executors have: each answers with a `SealingTold`."""
RESEALS_ASKED = "ask.reseal.*"
PARSE_ASKED = "ask.parse"
DECIDE_ASKED = "ask.decide"
PLANS_ASKED = "ask.plan.*"
TESTS_ASKED = "ask.test.*"
ROUTERS_TOLD = "tell.routers"
"""Routers tell each other that they are there, and how many shards each has."""

_REMEMBERED = 8_192
"""Subjects and accounts: the same ones come again with every alert."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = re.compile(r"=([0-9a-f]{2})")


def alert_received(route: RouteId) -> str:
    return f"alert.received.{_token(route)}"


def alert_duplicate(route: RouteId) -> str:
    return f"alert.duplicate.{_token(route)}"


def alert_refused(route: RouteId) -> str:
    return f"alert.refused.{_token(route)}"


def intent_accepted(*, shard: int, account: AccountId, symbol: VenueSymbol) -> str:
    return f"intent.accepted.{shard}.{_token(account)}.{_token(symbol)}"


def intents_of_shard(shard: int) -> str:
    return f"intent.accepted.{shard}.>"


def intents_of_account(*, shard: int, account: AccountId) -> str:
    return f"intent.accepted.{shard}.{_token(account)}.>"


def intents_on(account: AccountId) -> str:
    """Of one account in whatever shard: how many share the accounts may have changed since."""
    return f"intent.accepted.*.{_token(account)}.>"


def intent_denied(route: RouteId) -> str:
    return f"intent.denied.{_token(route)}"


def intent_flattened(account: AccountId) -> str:
    return f"intent.flattened.{_token(account)}"


def order_planned(*, account: AccountId, symbol: VenueSymbol) -> str:
    return f"order.planned.{_token(account)}.{_token(symbol)}"


def orders_planned_on(account: AccountId) -> str:
    """Of all its symbols."""
    return f"order.planned.{_token(account)}.*"


def execution(*, kind: ExecutionKind, account: AccountId, symbol: VenueSymbol) -> str:
    return f"execution.{kind.value}.{_token(account)}.{_token(symbol)}"


def executions_of(*, account: AccountId, symbol: VenueSymbol) -> str:
    return f"execution.*.{_token(account)}.{_token(symbol)}"


def position_drifted(*, account: AccountId, symbol: VenueSymbol) -> str:
    return f"position.drifted.{_token(account)}.{_token(symbol)}"


def positions_drifted_on(account: AccountId) -> str:
    """Of all its symbols."""
    return f"position.drifted.{_token(account)}.*"


def account_checked(account: AccountId) -> str:
    return f"account.checked.{_token(account)}"


def account_called(account: AccountId) -> str:
    return f"account.called.{_token(account)}"


def checkup_asked(account: AccountId) -> str:
    return f"ask.checkup.{_token(account)}"


def picture_asked(account: AccountId) -> str:
    return f"ask.picture.{_token(account)}"


def reseal_asked(account: AccountId) -> str:
    return f"ask.reseal.{_token(account)}"


def plan_asked(account: AccountId) -> str:
    return f"ask.plan.{_token(account)}"


def test_asked(route: RouteId) -> str:
    return f"ask.test.{_token(route)}"


def dead(service: str) -> str:
    return f"dead.{_token(service)}"


def dead_replayed(service: str) -> str:
    """Beside the letters, so that whoever reads those learns of it."""
    return f"dead.replayed.{_token(service)}"


@lru_cache(maxsize=_REMEMBERED)
def shard_of(name: AccountId | RouteId, *, shards: int) -> int:
    """Which executor shard owns an account, or which router shard a route: stable across processes
    and versions.
    """
    return int.from_bytes(sha256(name.encode()).digest()[:4], "big") % shards


def anchor(stream: str) -> str:
    return f"anchor.{_token(stream)}"


def control_key(*, scope: str, name: str | None) -> str:
    """Of the `controls` bucket."""
    return scope if name is None else f"{scope}.{_token(name)}"


def parse_control_key(key: str) -> tuple[str, str | None]:
    """The scope and the name that `control_key` was given."""
    scope, dot, name = key.partition(".")
    return scope, _plain(name) if dot else None


def bucket_stream(bucket: str) -> str:
    """A bucket is a stream, whose sequence is the bucket's revision."""
    return f"KV_{bucket}"


def bucket_subject(*, bucket: str, key: str) -> str:
    return f"{BUCKET_SUBJECTS}{bucket}.{key}"


def parse_bucket_subject(subject: str) -> tuple[str, str]:
    """The bucket and the key."""
    _, _, place = subject.partition(".")
    bucket, _, key = place.partition(".")
    return bucket, key


def instrument_prefix(base_url: str) -> str:
    """Contracts are kept per exchange address: a paper exchange's sizes are not MEXC's."""
    return sha256(base_url.encode()).hexdigest()[:12]


def instrument_key(*, base_url: str, symbol: VenueSymbol) -> str:
    return f"{instrument_prefix(base_url)}.{_token(symbol)}"


@dataclass(frozen=True)
class Subject:
    """A parsed subject: the stage, and the keys behind it with their escapes undone."""

    stage: str
    keys: tuple[str, ...]


@lru_cache(maxsize=_REMEMBERED)
def parse(subject: str) -> Subject:
    words = subject.split(".")
    stage = "dead" if words[0] == "dead" and words[1:2] != ["replayed"] else ".".join(words[:2])
    keys = words[len(stage.split(".")) :]
    return Subject(stage=stage, keys=tuple(_plain(key) for key in keys))


def _token(text: str) -> str:
    # A subject's token holds no dot, space or wildcard; a symbol of the exchange might one day.
    if _PLAIN.fullmatch(text):
        return text
    return "".join(
        char if _PLAIN.fullmatch(char) else "".join(f"={byte:02x}" for byte in char.encode())
        for char in text
    )


def _plain(token: str) -> str:
    if "=" not in token:
        return token
    raw = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), token)
    return raw.encode("latin-1").decode(errors="replace")
