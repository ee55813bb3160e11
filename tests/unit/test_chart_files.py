"""The Helm chart's files, as far as they can be read without Helm; `make chart` renders it."""

import base64
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml
from nacl.public import PrivateKey

from services.console.web.access.user_file import UsersFile, is_right

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "k8s" / "alertwire"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCRIPT = CHART / "files" / "dev" / "make_secrets.py"
CONDITIONS = {"if", "then", "else", "not", "anyOf", "allOf", "oneOf"}
POSTGRES = "postgresql://{user}:{password}@dev-postgres/alertwire"


@pytest.mark.parametrize(
    ("source", "copy"),
    [
        ("deploy/prometheus/alertwire.rules.yml", "alertwire.rules.yml"),
        ("deploy/grafana/alertwire.json", "alertwire.json"),
    ],
    ids=["rules", "dashboard"],
)
def test_the_chart_brings_the_projects_own_rules_and_dashboard(source, copy):
    kept = (CHART / "files" / copy).read_bytes()
    assert kept == (ROOT / source).read_bytes(), "`make chart-files` takes them over"


def described(schema: object, path: str = "", *, partial: bool = False) -> Iterator[tuple]:
    """Every schema that describes an object, and whether it only lays down a condition."""
    if isinstance(schema, list):
        for each in schema:
            yield from described(each, path, partial=partial)
    if not isinstance(schema, dict):
        return
    if "properties" in schema:
        yield path, schema, partial
    for word, inner in schema.items():
        if word in {"properties", "$defs"}:
            for name, one in inner.items():
                conditional = partial or name in {"pinned", "named", "somebody"}
                yield from described(one, f"{path}.{name}", partial=conditional)
        else:
            yield from described(inner, path, partial=partial or word in CONDITIONS)


def test_no_key_is_unknown_anywhere():
    whole = [(path, one) for path, one, partial in described(SCHEMA) if not partial]
    assert len(whole) > 40
    assert [path for path, one in whole if one.get("additionalProperties") is not False] == []


def test_every_value_is_described_and_every_description_has_a_value():
    def compared(values, schema, path):
        while "$ref" in schema:
            schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
        properties = schema.get("properties")
        if not isinstance(values, dict) or properties is None:
            return
        optional = {"global"} if not path else set()
        if path.endswith((".requests", ".limits")):
            optional = {"cpu", "memory", "ephemeral-storage"}
        assert set(values) - set(properties) == set(), path
        assert set(properties) - set(values) - optional == set(), path
        for name, inner in values.items():
            compared(inner, properties[name], f"{path}.{name}")

    compared(VALUES, SCHEMA, "")


def test_examples_name_no_address_that_is_in_use():
    """Documentation's networks, and TradingView's own."""
    for file in sorted((CHART / "ci").glob("*.yaml")):
        values = yaml.safe_load(file.read_text())
        expected = values["executor"]["egress"].get("expectedIPs", [])
        assert all(one.startswith("203.0.113.") for one in expected), file.name


@pytest.fixture
def cluster(tmp_path):
    """The one call of a cluster's API that the script makes, and a pod's service account."""
    (tmp_path / "namespace").write_text("dev")
    (tmp_path / "token").write_text("the-token\n")
    made = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            allowed = self.headers["Authorization"] == "Bearer the-token"
            name = body["metadata"]["name"]
            status = 403 if not allowed else 409 if name in made else 201
            if status == 201:
                made[name] = (self.path, body)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def run():
            places = {
                "KUBERNETES_API": f"http://127.0.0.1:{server.server_port}",
                "SERVICE_ACCOUNT": str(tmp_path),
                "PYTHONPATH": str(ROOT),
            }
            return subprocess.run(
                [sys.executable, str(SCRIPT), "t-dev", POSTGRES],
                env={**os.environ, **places},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        yield run, made, tmp_path
        server.shutdown()
        thread.join()


def test_the_secrets_of_a_development_are_made_once_in_the_cluster(cluster):
    run, made, _ = cluster
    done = run()
    assert done.returncode == 0, done.stderr
    path, secret = made["t-dev"]
    assert path == "/api/v1/namespaces/dev/secrets"
    data = secret["stringData"]
    private = PrivateKey(base64.b64decode(data["sealing.key"]))
    assert base64.b64decode(data["sealing.pub"]) == bytes(private.public_key)
    assert data["console-url"] == POSTGRES.format(
        user="alertwire_reader", password=data["console-password"]
    )
    [user] = msgspec.json.decode(data["users.json"], type=UsersFile).users
    assert is_right(user.password_hash, data["operator-password"])
    assert not any(text in done.stdout + done.stderr for text in data.values())

    again = run()
    assert again.returncode == 0
    assert "left alone" in again.stdout
    assert made["t-dev"][1] is secret


def test_a_cluster_that_refuses_fails_the_job(cluster):
    run, made, account = cluster
    (account / "token").write_text("another")
    done = run()
    assert done.returncode == 1
    assert "403" in done.stderr
    assert made == {}


def test_every_secret_that_the_chart_takes_of_them_is_made(cluster):
    run, made, _ = cluster
    run()
    templates = [file.read_text() for file in (CHART / "templates").rglob("*.*")]
    text = "\n".join(templates)
    named = {"console-token", "sealing.key", "sealing.pub", "users.json", "migrate-password"}
    assert all(f'"{key}"' in text for key in named)
    assert named | {f"{who}-url" for who in ("auditor", "console", "migrate")} <= set(
        made["t-dev"][1]["stringData"]
    )
