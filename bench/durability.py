"""How safely the stack under test stores what it accepted, asked of what runs: the benchmark is to
be of the settings that are shipped, and `bench.json` is to prove it.
"""

import json
from pathlib import Path
from typing import Any

import asyncpg
import nats

from libs.common.contracts.subjects import STREAM


async def durability(directory: Path, described: dict[str, Any]) -> dict[str, Any]:
    """Settings of the log and of Postgres."""
    # The server tells how often it syncs only to its system account: its own file is read.
    config = json.loads((directory / "nats.conf").read_text())
    found = {"log_sync_interval": config["jetstream"].get("sync_interval", "the server's default")}
    client = await nats.connect(described["nats"])
    try:
        stream = await client.jetstream().stream_info(STREAM)
        version = client.connected_server_version
        found |= {
            "log_server": f"NATS {version.major}.{version.minor}.{version.patch}",
            "log_storage": str(stream.config.storage),
            "log_replicas": stream.config.num_replicas,
        }
    finally:
        await client.close()
    postgres = await asyncpg.connect(described["postgres"])
    try:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            found[f"postgres_{name}"] = await postgres.fetchval(f"SHOW {name}")
    finally:
        await postgres.close()
    return found
