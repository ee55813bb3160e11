"""Whom a process talks to: a server that it can check, and another one where that is gone."""

import asyncio
import signal

import click
import pytest

from libs.common.bus import connected
from libs.common.connecting import Access
from libs.common.health import Health
from libs.common.nats_accounts import as_text, server
from libs.common.nkeys import new_key
from libs.common.permissions import User
from libs.common.secret import Secret
from tests.backends import running_process, scratch_folder
from tests.nats_certificates import make_certificates
from tests.nats_process import NatsProcess
from tools.cli.log_reaching import log_at
from tools.devstack.command import Command
from tools.devstack.nats import NatsServer, binary
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
async def secured():
    """The port of a server with TLS, the key of its administrator, and who vouches for it."""
    with scratch_folder() as directory:
        port, key = free_port(), new_key()
        tls = make_certificates(directory / "tls")
        config = server(
            {User.ADMIN: [key.public]},
            store=str(directory / "store"),
            listen=f"127.0.0.1:{port}",
            server_name="t",
            tls={"cert_file": str(tls.cert), "key_file": str(tls.key)},
        )
        (directory / "nats.conf").write_text(as_text(config))
        (directory / "seed").write_text(key.seed)
        command = Command(
            name="nats",
            argv=(str(binary()), "--config", str(directory / "nats.conf")),
            cwd=directory,
            env={"PATH": "/usr/bin:/bin"},
        )
        with running_process(command, log=directory / "nats.log"):
            await NatsServer(directory=directory, port=port, user="", password="").wait_ready()
            yield port, directory / "seed", tls.ca


async def streams(url, **access):
    async with log_at(Access(url=Secret(url), **access), user=User.ADMIN) as js:
        return (await js.account_info()).streams


async def test_a_server_is_talked_to_whose_certificate_is_vouched_for(secured):
    port, seed, ca = secured
    assert await streams(f"tls://127.0.0.1:{port}", nkey_file=seed, ca_file=ca) == 0
    assert await streams(f"tls://localhost:{port}", nkey_file=seed, ca_file=ca) == 0


async def test_a_server_that_nobody_vouches_for_is_not(secured, tmp_path):
    port, seed, _ = secured
    with pytest.raises(click.ClickException, match="certificate verify failed"):
        await streams(f"tls://127.0.0.1:{port}", nkey_file=seed)
    others = make_certificates(tmp_path / "others").ca
    with pytest.raises(click.ClickException, match="certificate verify failed"):
        await streams(f"tls://127.0.0.1:{port}", nkey_file=seed, ca_file=others)


async def test_nothing_is_said_to_a_server_without_tls(secured):
    """Whoever sits in between could take the offer of TLS out of the server's greeting."""
    _, seed, ca = secured
    said = []

    async def greet(reader, writer):
        writer.write(b'INFO {"server_id":"x","nonce":"abc","max_payload":1048576}\r\n')
        said.append(await reader.read())
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(click.ClickException, match="offers no TLS"):
            await streams(f"tls://127.0.0.1:{port}", nkey_file=seed, ca_file=ca)
        async with asyncio.timeout(10):
            while not said:
                await asyncio.sleep(0.01)
    assert said == [b""]


async def test_a_server_that_says_nothing_any_more_is_left_for_another(tmp_path):
    servers = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        servers.append(NatsProcess(tmp_path / name))
        await servers[-1].start()
    url = Secret(",".join(each.url for each in servers))
    by_port = {int(each.url.rpartition(":")[2]): each for each in servers}
    try:
        async with connected(Access(url=url), service="t", health=Health("t")) as bus:
            first = bus.client.connected_url.port
            by_port[first].send(signal.SIGSTOP)
            async with asyncio.timeout(50):
                while not bus.client.is_connected or bus.client.connected_url.port == first:
                    await asyncio.sleep(0.05)
            await bus.client.flush()
            by_port[first].send(signal.SIGCONT)
    finally:
        for each in servers:
            await each.stop()
