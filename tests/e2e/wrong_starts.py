"""Services that are started with something wrong in what they are given: a password, a host, an
address that is none, a key file. What each says before it gives up, or while it tries on, is kept.
"""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.backends import free_port_base
from tests.e2e.running_stack import ROOT, RunningStack

SENTINEL = "n0t-the-password-of-this-server"
_NATS = {
    "wrong password": "nats://alertwire:{word}@127.0.0.1:{port}",
    "no such host": "nats://alertwire:{word}@no-such-host.invalid:4222",
    "nobody there": "nats://alertwire:{word}@127.0.0.1:1",
    "no address": "nats://alertwire:{word}@127.0.0.1:port",
}
_POSTGRES = {
    "wrong password": "postgresql://{role}:{word}@127.0.0.1:{port}/alertwire",
    "no address": "postgresql://{role}:{word}@127.0.0.1:port/alertwire",
}
_ROLES = {"auditor": "alertwire_writer", "console": "alertwire_reader"}
_SERVICES = ("ingest", "router", "executor", "auditor", "console")
_AT_ONCE = 4
_PATIENCE_S = 20
_TRIES_FOR_S = 0.3


@dataclass(frozen=True, kw_only=True)
class Start:
    service: str
    what: str
    changes: dict[str, str]


def starts(stack: RunningStack) -> Iterator[Start]:
    ports = stack.processes.ports
    for service in _SERVICES:
        # All of them connect to NATS by the same few lines.
        for what, url in _NATS.items() if service == "executor" else [next(iter(_NATS.items()))]:
            told = url.format(word=SENTINEL, port=ports.of("nats"))
            yield Start(service=service, what=f"NATS, {what}", changes={"NATS_URL": told})
    for service, role in _ROLES.items():
        for what, url in _POSTGRES.items():
            told = url.format(role=role, word=SENTINEL, port=ports.of("postgres"))
            yield Start(service=service, what=f"PostgreSQL, {what}", changes={"POSTGRES_URL": told})
    yield Start(
        service="executor", what="no sealing key", changes={"SEALING_KEY_FILE": f"{SENTINEL}\n"}
    )
    yield Start(
        service="console", what="no public key", changes={"SEALING_PUBLIC_KEY_FILE": SENTINEL}
    )


async def said_of_all(stack: RunningStack, folder: Path) -> list[tuple[str, bytes]]:
    """What each has said, none of them nothing."""
    gate = asyncio.Semaphore(_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_said(one, stack=stack, folder=folder / str(number), gate=gate))
            for number, one in enumerate(starts(stack))
        ]
    return [task.result() for task in tasks]


async def _said(
    one: Start, *, stack: RunningStack, folder: Path, gate: asyncio.Semaphore
) -> tuple[str, bytes]:
    environ = dict(stack.processes.command(one.service).env)
    base = free_port_base()
    environ["ALERTWIRE_HEALTH_PORT"] = str(base)
    if "ALERTWIRE_PORT" in environ:
        environ["ALERTWIRE_PORT"] = str(base + 1)
    if "NATS_URL" in one.changes:
        # With a password, and not by a key.
        del environ["ALERTWIRE_NATS_URL"], environ["ALERTWIRE_NATS_NKEY_FILE"]
    environ |= _in_files(one.changes, folder)
    async with gate:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"services.{one.service}"),
            cwd=ROOT,
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        text = bytearray()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                # Up to its first complaint, and what comes soon after.
                while not _complains(text) and (piece := await process.stdout.read(65536)):
                    text += piece
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TRIES_FOR_S):
                await process.wait()
        if process.returncode is None:
            process.kill()
        text += await process.stdout.read()
        await process.wait()
    assert _complains(text), f"{one}: {text.decode(errors='replace')}"
    return f"{one.service} started with: {one.what}", bytes(text)


def _in_files(changes: dict[str, str], folder: Path) -> dict[str, str]:
    folder.mkdir()
    found = {}
    for name, content in changes.items():
        file = folder / name.lower()
        file.write_text(content)
        found[f"ALERTWIRE_{name.removesuffix('_FILE')}_FILE"] = str(file)
    return found


def _complains(text: bytearray) -> bool:
    return any(sign in text for sign in (b'"level":"warning"', b'"level":"error"', b'"problem":'))
