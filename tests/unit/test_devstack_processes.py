"""Each process gets exactly the settings it knows: its own settings class is the judge."""

import dataclasses
import importlib
import sys
from pathlib import Path

import pytest

from libs.common.settings import from_env
from tools.devstack.credentials import Credentials, SealingKey
from tools.devstack.ports import Ports
from tools.devstack.processes import REPOSITORY, Processes

SERVICES = ["ingest", "router", "executor", "auditor", "console"]


@pytest.fixture
def processes(tmp_path):
    names = [field.name for field in dataclasses.fields(Credentials)]
    return Processes(
        directory=tmp_path,
        ports=Ports(8400),
        credentials=Credentials(**{name: f"<{name}>" for name in names}),
        sealing=SealingKey(file=tmp_path / "sealing.key", public_file=tmp_path / "sealing.pub"),
        nats_url="nats://127.0.0.1:8403",
        writer_url="postgresql://writer:<writer>@127.0.0.1:8404/alertwire",
        reader_url="postgresql://reader:<reader>@127.0.0.1:8404/alertwire",
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_accepts_its_environment(processes, name):
    settings_class = importlib.import_module(f"services.{name}.settings").Settings
    settings = from_env(settings_class, processes.command(name).env)
    assert settings.health_port == Ports(8400).health_of(name)


def test_the_paper_exchange_accepts_its_environment(processes, tmp_path):
    module = importlib.import_module("tools.paper_exchange.settings")
    env = processes.command("paper_exchange").env
    assert from_env(module.PaperExchangeSettings, env).state_dir == tmp_path / "paper_exchange"


@pytest.mark.parametrize(
    ("secret", "holders"),
    [
        ("<nats_password>", set()),
        *[(f"nkeys/{name}", {name}) for name in SERVICES],
        ("<writer>", {"auditor"}),
        ("<reader>", {"console"}),
        ("<console_token>", {"console"}),
        ("sealing.key", {"executor"}),
        ("<postgres_password>", set()),
    ],
)
def test_a_secret_reaches_only_who_needs_it(processes, secret, holders):
    given = {
        name
        for name in [*SERVICES, "paper_exchange"]
        if any(secret in value for value in told(processes.command(name).env))
    }
    assert given == holders


def told(env):
    """The variables' values, and what stands in the files that they name."""
    for name, value in env.items():
        yield value
        if name.endswith(("_URL_FILE", "_TOKEN_FILE")):
            yield Path(value).read_text()


def test_secrets_stand_in_files_of_their_own_and_not_in_the_environment(processes, tmp_path):
    for name in SERVICES:
        env = processes.command(name).env
        assert [value for value in env.values() if "<" in value] == []
        for file in (tmp_path / "secrets" / name).glob("*"):
            assert file.stat().st_mode & 0o777 == 0o600
    assert {file.name for file in (tmp_path / "secrets" / "console").iterdir()} == {
        "console_token",
        "postgres_url",
    }
    assert (tmp_path / "secrets" / "console").stat().st_mode & 0o777 == 0o700


def test_arguments_that_all_users_can_read_hold_no_secret(processes):
    for name in SERVICES:
        assert processes.command(name).argv == (sys.executable, "-m", f"services.{name}")


def test_of_the_callers_environment_only_the_harmless_is_passed_on(processes, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("ALERTWIRE_NATS_ULR", "misspelt")
    monkeypatch.setenv("SOME_TOKEN", "x")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    env = processes.command("router").env
    assert env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
    assert set(env) <= {
        *("PATH", "HOME", "LANG", "PYTHONUNBUFFERED", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        *("ALERTWIRE_NATS_URL", "ALERTWIRE_NATS_NKEY_FILE", "ALERTWIRE_HEALTH_PORT"),
        *(name for name in env if name.startswith("OTEL_")),
    }


def test_processes_start_where_their_modules_are(processes):
    assert processes.command("ingest").cwd == REPOSITORY
    assert (REPOSITORY / "services/ingest").is_dir()
