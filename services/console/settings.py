"""The console's configuration."""

import dataclasses
from pathlib import Path

from libs.common.secret import Secret
from libs.common.settings import ServiceSettings, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    host: str = setting("Address that the console listens on", default="127.0.0.1")
    port: int = setting("Port of the console")
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
    console_token: Secret = setting("Bearer token that the API asks for")
    postgres_url: Secret = setting("The trail, read through views: postgresql://user:password@…")
    webhook_base_url: str = setting("Where senders reach ingest: https://hook.example.org")
    sealing_public_key: str = setting(
        "The executor's public sealing key, 32 bytes in base64; this or its file has to be given",
        default="",
    )
    sealing_public_key_file: Path | None = setting(
        "File with it instead, as `alertwire ops sealing-key public` prints it. Followed while the"
        " console runs",
        default=None,
    )
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
    trusted_proxies: str = setting(
        "Networks of the proxies before the console, with commas between: 10.0.0.0/24,::1/128. Only"
        " they may say where a request comes from, and who has signed in to them",
        default="",
    )
    proxy_user_header: str = setting(
        "Header in which a trusted proxy names who has signed in: X-Auth-Request-Email; empty:"
        " nobody signs in by a proxy",
        default="",
    )
    proxy_groups_header: str = setting(
        "Header in which it names their groups, with commas between", default=""
    )
    proxy_operators: str = setting(
        "Who of them may change things: names, or groups as group:NAME, with commas between",
        default="",
    )
    proxy_viewers: str = setting(
        "Who of them may look: likewise, or * for everybody whom the proxy lets through",
        default="",
    )
    proxy_sign_out_url: str = setting(
        "Where signing out leads whom a proxy has signed in: /oauth2/sign_out", default=""
    )
