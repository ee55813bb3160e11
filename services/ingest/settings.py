"""What ingest reads from its environment."""

import dataclasses
from pathlib import Path

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
    address_rate_per_s: float = setting(
        "Requests per second that one address may send in the long run, where it is neither"
        " TradingView's nor listed in ALERTWIRE_ALLOW_ADDRESSES; a wrong token counts for 20. 0"
        " switches the limit off",
        default=2000.0,
    )
    address_rate_burst: float = setting(
        "Requests that one address may send at once", default=10_000.0
    )
    trusted_proxies: str = setting(
        "Networks of the proxies before ingest, with commas between: 10.0.0.0/24,::1/128. Only they"
        " may say where a request comes from, and whose certificate its sender has shown",
        default="",
    )
    allow_addresses: str = setting(
        "Networks that may send, with commas between, to whichever route; `tradingview` stands for"
        " TradingView's four addresses. Empty: from anywhere",
        default="",
    )
    client_certificate: str = setting(
        "Whether senders have to show TradingView's client certificate: `off`, `tls` (ingest itself"
        " serves https and checks it) or `header` (a trusted proxy has checked it)",
        default="off",
    )
    client_certificate_header: str = setting(
        "Header in which a trusted proxy names whose certificate it has verified:"
        " X-Forwarded-Client-Cert as Envoy writes it, or any other with the subject as nginx writes"
        " it, beside `ssl-client-verify: SUCCESS`",
        default="ssl-client-subject-dn",
    )
    tls_cert_file: Path | None = setting(
        "File with our certificate and those between it and its root (PEM): the webhook is served"
        " over https. Read again when it changes",
        default=None,
    )
    tls_key_file: Path | None = setting("File with its private key (PEM)", default=None)
    client_ca_file: Path | None = setting(
        "File with the certificates (PEM) of who may vouch for senders' client certificates",
        default=None,
    )
