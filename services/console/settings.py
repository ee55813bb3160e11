"""The console's configuration."""

import dataclasses
from pathlib import Path

from libs.common.secret import Secret
from libs.common.settings import ServiceSettings, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    host: str = setting("Address that the console listens on", default="127.0.0.1")
    port: int = setting("Port of the console")
    console_token: Secret = setting("Bearer token that the API asks for")
    postgres_url: Secret = setting("The trail, read through views: postgresql://user:password@…")
    webhook_base_url: str = setting("Where senders reach ingest: https://hook.example.org")
    sealing_public_key: str = setting("The executor's public sealing key, 32 bytes in base64")
    users_file: Path | None = setting(
        "Who signs in to the pages by password: a file that `alertwire users` writes", default=None
    )
    public_url: str = setting(
        "Where people reach the console: https://console.example.org; with https its cookies"
        " travel by https alone",
        default="",
    )
    trace_url: str = setting(
        "Where the tracing backend shows a trace, with {trace_id} in it:"
        " https://jaeger.example.org/trace/{trace_id}; without it alerts have no such link",
        default="",
    )
