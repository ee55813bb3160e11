"""The paper exchange's configuration."""

from dataclasses import dataclass
from pathlib import Path

from libs.common.settings import setting


@dataclass(frozen=True, kw_only=True)
class PaperExchangeSettings:
    host: str = setting("Address to listen on", default="127.0.0.1")
    port: int = setting("Port to listen on")
    state_dir: Path | None = setting(
        "Folder that the books are kept in across restarts; none keeps nothing", default=None
    )
    kline_dir: Path | None = setting(
        "Folder of the kline files that can be played as prices; none plays no files", default=None
    )
    walk_seed: int | None = setting(
        "Seed of random walks that all prices begin with; none leaves them still", default=None
    )
    log_level: str = setting("debug, info, warning or error", default="info")
