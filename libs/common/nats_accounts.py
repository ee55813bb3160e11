"""NATS's own configuration of our account: an NKey user for each process with its permissions, as
the server reads it. Pure.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from libs.common.permissions import Rights, User, rights_of


def users(
    keys: Mapping[User, Iterable[str]], *, shards: int, router_shards: int
) -> list[dict[str, Any]]:
    """Of public keys by user: several, where one is being replaced."""
    return [
        {"nkey": key, "permissions": _permissions(rights)}
        for user, found in keys.items()
        for rights in [rights_of(user, shards=shards, router_shards=router_shards)]
        for key in found
    ]


def as_text(config: Mapping[str, Any]) -> str:
    """JSON is valid in NATS's configuration language, quoting of odd paths included."""
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"


def _permissions(rights: Rights) -> dict[str, Any]:
    publish: dict[str, Any] = {"allow": list(rights.publish)}
    if rights.but_not:
        publish["deny"] = list(rights.but_not)
    return {"publish": publish, "subscribe": {"allow": list(rights.subscribe)}}
