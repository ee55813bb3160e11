"""The auditor's configuration."""

from dataclasses import dataclass

from libs.common.secret import Secret
from libs.common.settings import ServiceSettings, setting


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    postgres_url: Secret = setting(
        "Postgres, as a login that is a member of the role `auditor`:"
        " postgresql://user:password@host:port/database"
    )
    batch_max: int = setting("Most messages that are stored in one transaction", default=500)
    flush_ms: int = setting(
        "Longest time in milliseconds that a message waits for others to fill its batch",
        default=50,
    )
    anchor_every_s: float = setting(
        "Seconds between two looks whether a chain of the trail has grown, so that its head is"
        " anchored in the log",
        default=300.0,
    )
