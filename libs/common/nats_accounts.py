"""NATS's own configuration of our account: an NKey user for each process with its permissions, as
the server reads it. Pure.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from libs.common.permissions import Rights, User, rights_of

ACCOUNT = "ALERTWIRE"
CLUSTER = "alertwire"


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


def server(  # noqa: PLR0913 - a server's settings, each by name
    keys: Mapping[User, Iterable[str]],
    *,
    store: str,
    listen: str,
    server_name: str,
    monitoring: str | None = None,
    tags: Iterable[str] = (),
    tls: Mapping[str, Any] | None = None,
    tls_ca: str | None = None,
    cluster_listen: str | None = None,
    routes: Iterable[str] = (),
    shards: int = 1,
    router_shards: int = 1,
) -> dict[str, Any]:
    """A whole configuration. Who comes without a key is not let in."""
    config: dict[str, Any] = {
        "server_name": server_name,
        "listen": listen,
        # Accepted means stored: what is confirmed is on the disk.
        "jetstream": {"store_dir": store, "sync_interval": "always"},
        "accounts": {
            ACCOUNT: {
                "jetstream": "enabled",
                "users": users(keys, shards=shards, router_shards=router_shards),
            }
        },
    }
    if monitoring is not None:
        config["http"] = monitoring
    if tags := list(tags):
        config["server_tags"] = tags
    if tls is not None:
        config["tls"] = {**tls, "min_version": "1.2", "timeout": 5}
    if cluster_listen is not None:
        config["cluster"] = {
            "name": CLUSTER,
            "listen": cluster_listen,
            "routes": [f"nats-route://{each}" for each in routes],
        }
        if tls is not None:
            # Each server is a client of the others, and shows its certificate to them.
            vouching = {"ca_file": tls_ca} if tls_ca else {}
            config["cluster"]["tls"] = {**tls, **vouching, "verify": True, "timeout": 5}
    return config


def as_text(config: Mapping[str, Any]) -> str:
    """JSON is valid in NATS's configuration language, quoting of odd paths included."""
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"


def _permissions(rights: Rights) -> dict[str, Any]:
    publish: dict[str, Any] = {"allow": list(rights.publish)}
    if rights.but_not:
        publish["deny"] = list(rights.but_not)
    return {"publish": publish, "subscribe": {"allow": list(rights.subscribe)}}
