"""A NATS of a test's own that knows our users, with the log in it, and connections as each."""

import asyncio
import contextlib
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from libs.common.bus import Bus, connected
from libs.common.connecting import Access, connect
from libs.common.express import ExpressClient
from libs.common.health import Health
from libs.common.permissions import User
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from tests.backends import scratch_folder
from tools.devstack.child_logs import open_log
from tools.devstack.command import spawn_options
from tools.devstack.nats import NatsServer
from tools.devstack.ports import free_port


class LockedNats:
    def __init__(self, server: NatsServer, process: "subprocess.Popen[bytes]") -> None:
        self.server = server
        self._process = process

    @property
    def config_file(self) -> Path:
        return self.server.directory / "nats.conf"

    def reload(self) -> None:
        """Let it read its configuration again."""
        self._process.send_signal(signal.SIGHUP)

    @contextlib.asynccontextmanager
    async def client(self, user: User) -> AsyncIterator[ExpressClient]:
        client = ExpressClient()
        await connect(client, self._access(user), user=user, error_cb=_ignore)
        try:
            yield client
        finally:
            await client.close()

    @contextlib.asynccontextmanager
    async def bus(self, user: User) -> AsyncIterator[Bus]:
        async with connected(self._access(user), service=user, health=Health(user)) as bus:
            yield bus

    def _access(self, user: User) -> Access:
        return Access(url=Secret(self.server.address), nkey_file=self.server.key_file(user))


@contextlib.asynccontextmanager
async def locked_nats() -> AsyncIterator[LockedNats]:
    with scratch_folder() as directory:
        server = NatsServer(directory=directory, port=free_port(), user="test", password="test")
        command = server.prepare()
        log = directory / "nats.log"
        with open_log(log) as descriptor:
            process = subprocess.Popen(command.argv, **spawn_options(command, log=descriptor))
        try:
            await server.wait_ready()
            locked = LockedNats(server, process)
            async with locked.client(User.SETUP) as setup:
                await ensure_topology(setup.jetstream(), shards=2)
            yield locked
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 10)


async def asked(client: ExpressClient, subject: str, body: Any = None) -> dict[str, Any] | None:
    """What the server answers; None where it refuses the question, which it does by silence."""
    payload = json.dumps(body).encode() if body is not None else b""
    try:
        answer = await client.request(subject, payload, timeout=1)
    except TimeoutError:
        return None
    found: dict[str, Any] = json.loads(answer.data)
    return found


async def _ignore(_error: Exception) -> None:
    """What is refused is seen by what does not happen."""
