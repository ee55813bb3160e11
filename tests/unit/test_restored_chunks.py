"""A stream's file goes back chunk by chunk, to a server that ours hears of a moment later."""

import json
from types import SimpleNamespace

import click
import pytest
from nats.errors import NoRespondersError

from tools.cli import ops_backup_snapshots as snapshots
from tools.cli.ops_backup_snapshots import put_stream

PLACE = "restore.here"


class Client:
    """Takes what it is sent after so many times that nobody listens."""

    def __init__(self, *, deaf, answer=b""):
        self._deaf, self._answer = deaf, answer
        self.taken = []

    async def request(self, subject, data, **_):
        if subject != PLACE:
            return SimpleNamespace(data=json.dumps({"deliver_subject": PLACE}).encode())
        if self._deaf:
            self._deaf -= 1
            raise NoRespondersError
        self.taken.append(data)
        return SimpleNamespace(data=self._answer)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "RESTORED_CHUNK_BYTES", 4)
    monkeypatch.setattr(snapshots, "_ASK_AGAIN_S", 0)
    path = tmp_path / "x.snapshot"
    path.write_bytes(b"abcdefghij")
    return path


async def put(client, path):
    bus = SimpleNamespace(client=client)
    await put_stream(bus, "X", config={}, state={}, path=path, tell=lambda _: None)


@pytest.mark.parametrize("deaf", [0, 3])
async def test_every_chunk_is_taken_once_and_the_end_is_told(file, deaf):
    client = Client(deaf=deaf)
    await put(client, file)
    assert client.taken == [b"abcd", b"efgh", b"ij", b""]


async def test_it_ends_where_nobody_ever_listens(file, monkeypatch):
    monkeypatch.setattr(snapshots, "_HEARD_WITHIN_S", 0)
    with pytest.raises(NoRespondersError):
        await put(Client(deaf=10**9), file)


async def test_a_refusal_ends_it_in_the_servers_words(file):
    client = Client(deaf=0, answer=b'{"error": {"description": "insufficient storage"}}')
    with pytest.raises(click.ClickException, match="NATS refuses: insufficient storage"):
        await put(client, file)
    assert len(client.taken) == 1
