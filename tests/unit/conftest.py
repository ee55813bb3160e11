"""Fixtures of the command line's tests."""

import json

import pytest

from tests.unit.cli_stand import scripted_server


@pytest.fixture
def server():
    with scripted_server() as found:
        yield found


@pytest.fixture
def stack(server, tmp_path, monkeypatch):
    """A folder with a running stack, as `up` leaves it."""
    for name in ("ALERTWIRE_DIR", "ALERTWIRE_CONSOLE_URL", "ALERTWIRE_INGEST_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "stack"
    directory.mkdir()
    document = {
        "ingest": server.url,
        "console": server.url,
        "console_token": "the-token",
        "demo": {"route": "demo", "webhook": f"{server.url}/hook/demo-token"},
    }
    (directory / "stack.json").write_text(json.dumps(document))
    return directory
