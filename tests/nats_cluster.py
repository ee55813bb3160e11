"""Three NATS servers on loopback, as `alertwire ops nats-config` sets them up: TLS between all of
them, and a key for each user.
"""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from click.testing import CliRunner

from libs.common.connecting import Access
from libs.common.permissions import User
from libs.common.secret import Secret
from tests.backends import scratch_folder
from tests.nats_certificates import Certificates, make_certificates
from tools.cli.__main__ import main
from tools.devstack.child_logs import open_log
from tools.devstack.command import Command, spawn_options
from tools.devstack.nats import binary
from tools.devstack.ports import free_port

NAMES = ("n0", "n1", "n2")


class NatsCluster:
    def __init__(self, directory: Path, certificates: Certificates) -> None:
        self.directory = directory
        self.certificates = certificates
        self._ports = {name: free_port() for name in NAMES}
        self._routes = {name: free_port() for name in NAMES}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return ",".join(f"tls://127.0.0.1:{port}" for port in self._ports.values())

    def key_file(self, user: User) -> Path:
        return self.directory / "keys" / user

    def access(self, user: User) -> Access:
        return Access(
            url=Secret(self.url), nkey_file=self.key_file(user), ca_file=self.certificates.ca
        )

    def environment(self, user: User) -> dict[str, str]:
        return {
            "ALERTWIRE_NATS_URL": self.url,
            "ALERTWIRE_NATS_NKEY_FILE": str(self.key_file(user)),
            "ALERTWIRE_NATS_CA_FILE": str(self.certificates.ca),
        }

    def configure(self) -> None:
        _alertwire("ops", "keys", str(self.directory / "keys"))
        for name in NAMES:
            others = [f"127.0.0.1:{port}" for each, port in self._routes.items() if each != name]
            options = {
                "--name": name,
                "--store": str(self.directory / name),
                "--listen": f"127.0.0.1:{self._ports[name]}",
                "--tls-cert": str(self.certificates.cert),
                "--tls-key": str(self.certificates.key),
                "--tls-ca": str(self.certificates.ca),
                "--cluster": f"127.0.0.1:{self._routes[name]}",
                "--tag": "disk:fast",
            }
            words = [word for pair in options.items() for word in pair]
            words += [word for other in others for word in ("--route", other)]
            public = str(self.directory / "keys" / "public.json")
            text = _alertwire("ops", "nats-config", public, *words)
            self.config_file(name).write_text(text)

    def config_file(self, name: str) -> Path:
        return self.directory / f"{name}.conf"

    def start(self, name: str) -> None:
        command = Command(
            name=name,
            argv=(str(binary()), "--config", str(self.config_file(name))),
            cwd=self.directory,
            env={"PATH": "/usr/bin:/bin"},
        )
        with open_log(self.log_file(name)) as log:
            self._running[name] = subprocess.Popen(command.argv, **spawn_options(command, log=log))

    def log_file(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def refused(self) -> list[str]:
        """What a server did not let somebody say or hear."""
        lines = [line for name in NAMES for line in self.log_file(name).read_text().splitlines()]
        return [line for line in lines if "Violation" in line]

    async def kill(self, name: str) -> None:
        self._running[name].kill()
        await asyncio.to_thread(self._running.pop(name).wait, 10)

    async def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            await asyncio.to_thread(process.wait, 10)


@contextlib.asynccontextmanager
async def nats_cluster() -> AsyncIterator[NatsCluster]:
    with scratch_folder() as directory:
        cluster = NatsCluster(directory, make_certificates(directory / "tls"))
        cluster.configure()
        try:
            for name in NAMES:
                cluster.start(name)
            yield cluster
        finally:
            await cluster.stop()


def _alertwire(*words: str) -> str:
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 0, done.output
    return done.output
