"""The router's configuration."""

import dataclasses

from libs.common.settings import ServiceSettings, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    shards: int = setting("How many executor shards share the accounts", default=1)
