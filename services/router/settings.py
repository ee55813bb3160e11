"""The router's configuration."""

import dataclasses

from libs.common.settings import ServiceSettings, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    shards: int = setting("How many executor shards share the accounts", default=1)
    router_shards: int = setting(
        "How many router shards share the routes: as the set-up step made them. Each router tries"
        " for every shard, and they come to about as many each",
        default=1,
    )
