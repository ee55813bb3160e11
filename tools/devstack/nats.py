"""NATS with JetStream as a child process: its configuration, its address, and when it is ready."""

import asyncio
import contextlib
import dataclasses
import sys
import time
from pathlib import Path

from libs.common.nats_accounts import as_text, users
from libs.common.nkeys import NKey, key_of, new_key
from libs.common.permissions import User
from tools.devstack.command import Command
from tools.devstack.errors import DevstackError
from tools.devstack.ports import HOST
from tools.devstack.private_files import write_private

KEYS = "nkeys"
"""The folder of the seeds, a file for each user."""
_SHARDS = 4
"""More than anybody starts beside a devstack."""


class NatsNotReadyError(DevstackError):
    """The server did not greet in time."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NatsServer:
    directory: Path
    port: int
    user: str
    password: str = dataclasses.field(repr=False)
    syncs_always: bool = True
    """False for a restore alone, which is begun anew where the power fails: a server that syncs
    each message takes in so few in a second that it gives a large one up."""

    @property
    def address(self) -> str:
        """Without the password, for who has a key."""
        return f"nats://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"nats://{self.user}:{self.password}@{HOST}:{self.port}"

    def key_file(self, user: str) -> Path:
        """With the seed of a user's key, once the server was prepared."""
        return self.directory / KEYS / user

    def prepare(self) -> Command:
        """Write the keys and the configuration, and say how to start the server."""
        store = self.directory / "nats"
        store.mkdir(mode=0o700, exist_ok=True)
        config = self.directory / "nats.conf"
        write_private(config, self._config(store))
        return Command(
            name="nats",
            argv=(str(binary()), "--config", str(config)),
            cwd=self.directory,
            env={"PATH": "/usr/bin:/bin"},
            tier=0,
        )

    async def wait_ready(self, *, timeout_s: float = 15.0) -> None:
        """Return when the server greets, which it does once JetStream is up."""
        deadline = time.monotonic() + timeout_s
        while not await self._greets():
            if time.monotonic() > deadline:
                raise NatsNotReadyError(
                    f"NATS on port {self.port} is not ready after {timeout_s:.0f} s;"
                    " see logs/nats.log"
                )
            await asyncio.sleep(0.02)

    def _config(self, store: Path) -> str:
        keys = {user: [self._key(user).public] for user in User}
        everything = {"user": self.user, "password": self.password}
        return as_text(
            {
                "server_name": "alertwire-devstack",
                "listen": f"{HOST}:{self.port}",
                "jetstream": {"store_dir": str(store)} | self._syncing(),
                # Each service may do here what it may do anywhere, so every test proves that it is
                # enough. Who has the password may do everything.
                "authorization": {
                    "users": [everything, *users(keys, shards=_SHARDS, router_shards=_SHARDS)]
                },
            }
        )

    # Made once.
    def _key(self, user: str) -> NKey:
        path = self.key_file(user)
        if path.exists():
            return key_of(path.read_text(encoding="ascii"))
        path.parent.mkdir(mode=0o700, exist_ok=True)
        key = new_key()
        write_private(path, key.seed + "\n")
        return key

    def _syncing(self) -> dict[str, str]:
        # Accepted means stored: sync before each acknowledgement (design, guarantee 1).
        return {"sync_interval": "always"} if self.syncs_always else {}

    async def _greets(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(HOST, self.port)
        except OSError:
            return False
        try:
            async with asyncio.timeout(1):
                return (await reader.readline()).startswith(b"INFO ")
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def binary() -> Path:
    # The package installs the server beside the interpreter, like any command.
    return Path(sys.executable).with_name("nats-server")
