"""What ingest reads from its environment."""

import dataclasses

from libs.common.settings import ServiceSettings, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    host: str = setting("Address that the webhook listens on", default="127.0.0.1")
    port: int = setting("Port of the webhook, and of /health/live and /health/ready beside it")
    rate_per_s: float = setting(
        "Alerts per second that one route may send in the long run; 0 switches the limit off",
        default=1000.0,
    )
    rate_burst: float = setting("Alerts that one route may send at once", default=5000.0)
    share_port: bool = setting(
        "Others may listen on the port, too (SO_REUSEPORT), so that one process takes over from"
        " another",
        default=False,
    )
    drain_s: float = setting(
        "Seconds after SIGTERM in which it says that it is not ready and answers all the same,"
        " since whoever spreads the requests learns of it late",
        default=0.0,
    )
