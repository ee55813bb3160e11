"""Our own processes: the environment each is given, and nothing else of the caller's.

An unknown ALERTWIRE_ variable is an error for them, so none is passed on.
"""

import dataclasses
import os
import sys
from pathlib import Path

from tools.devstack.command import Command
from tools.devstack.console_users import users_file
from tools.devstack.credentials import Credentials, SealingKey
from tools.devstack.nats import KEYS
from tools.devstack.ports import HOST, Ports
from tools.devstack.private_files import write_private

REPOSITORY = Path(__file__).resolve().parents[2]
_MODULES = {
    "paper_exchange": "tools.paper_exchange",
    "ingest": "services.ingest",
    "router": "services.router",
    "executor": "services.executor",
    "auditor": "services.auditor",
    "console": "services.console",
}
_SECRETS = frozenset({"POSTGRES_URL", "CONSOLE_TOKEN"})
_PASSED_ON = ("PATH", "HOME", "LANG")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Processes:
    """Knows every address and secret, and gives each process only its own."""

    directory: Path
    ports: Ports
    credentials: Credentials
    sealing: SealingKey
    nats_url: str
    writer_url: str = dataclasses.field(repr=False)
    reader_url: str = dataclasses.field(repr=False)

    def command(self, name: str) -> Command:
        own = {f"ALERTWIRE_{key}": value for key, value in self._with_files(name).items()}
        return Command(
            name=name,
            argv=(sys.executable, "-m", _MODULES[name]),
            cwd=REPOSITORY,
            env=_clean_environment() | own,
        )

    def ready_url(self, name: str) -> str:
        """What answers 200 once the process can do its work."""
        if name == "paper_exchange":
            return f"{self.ports.url(name)}/api/v1/contract/ping"
        return f"{self.ports.health_url(name)}/health/ready"

    def _with_files(self, name: str) -> dict[str, str]:
        """Its settings, of which a secret stands in a file: an environment is seen by more."""
        settings = self._settings(name)
        folder = self.directory / "secrets" / name
        for key in _SECRETS & settings.keys():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = folder / key.lower()
            write_private(file, settings.pop(key))
            settings[f"{key}_FILE"] = str(file)
        return settings

    def _settings(self, name: str) -> dict[str, str]:
        if name == "paper_exchange":
            state = {"STATE_DIR": str(self.directory / "paper_exchange")}
            return self._listening(name) | state
        common = {
            "NATS_URL": self.nats_url,
            "NATS_NKEY_FILE": str(self.directory / KEYS / name),
            "HEALTH_PORT": str(self.ports.health_of(name)),
        }
        return common | self._special(name)

    def _special(self, name: str) -> dict[str, str]:
        match name:
            case "ingest":
                return self._listening(name)
            case "executor":
                echo = f"{self.ports.url('paper_exchange')}/_paper/address"
                return {
                    "SEALING_KEY_FILE": str(self.sealing.file),
                    "SECRETS_DIR": str(self._mounted()),
                    # Nothing on the internet is asked by a stack that trades on this machine.
                    "ECHO_URLS": f"{echo},{echo}?format=text",
                }
            case "auditor":
                return {"POSTGRES_URL": self.writer_url}
            case "console":
                return self._listening(name) | {
                    "POSTGRES_URL": self.reader_url,
                    "CONSOLE_TOKEN": self.credentials.console_token,
                    "SEALING_PUBLIC_KEY_FILE": str(self.sealing.public_file),
                    "WEBHOOK_BASE_URL": self.ports.url("ingest"),
                    "USERS_FILE": str(users_file(self.directory)),
                }
            case _:
                return {}

    def _mounted(self) -> Path:
        """Where secret keys may be put that are not sealed."""
        folder = self.directory / "mounted"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _listening(self, name: str) -> dict[str, str]:
        return {"HOST": HOST, "PORT": str(self.ports.of(name))}


def _clean_environment() -> dict[str, str]:
    # Without PYTHONDONTWRITEBYTECODE, whoever set it: importing from source costs seconds.
    passed = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith("OTEL_")
    }
    return {"PATH": os.defpath, "PYTHONUNBUFFERED": "1"} | passed
