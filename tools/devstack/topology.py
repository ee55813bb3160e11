"""Makes the log's stream, consumers and buckets in this devstack's NATS."""

import nats

from libs.common.topology import ensure_topology


async def apply_topology(url: str) -> None:
    connection = await nats.connect(url, connect_timeout=5)
    try:
        await ensure_topology(connection.jetstream())
    finally:
        await connection.close()
