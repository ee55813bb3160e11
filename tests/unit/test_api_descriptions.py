"""The descriptions of the HTTP APIs have every route, and refuse what nobody has described."""

import pytest

from libs.common.health import Health
from services.ingest.app import create_app
from tools import documenting_api
from tools.documenting_api import console, ingest


def test_ingest_has_the_webhook_and_what_is_described():
    paths = {route.path for route in create_app(webhook=None, health=Health("ingest")).routes}
    # The webhook is mounted at the root, and tells its two addresses apart itself.
    assert paths - {"/"} | {"/hook/{token}", "/{token}"} == set(ingest()["paths"])


def test_an_operation_that_nobody_has_described_ends_it(monkeypatch):
    known = dict(documenting_api.OPERATIONS)
    del known["GET", "/api/routes"]
    monkeypatch.setattr(documenting_api, "OPERATIONS", known)
    with pytest.raises(KeyError, match="/api/routes"):
        console()


def test_every_api_operation_asks_for_the_token_and_tells_of_its_problems():
    for path, methods in console()["paths"].items():
        for operation in methods.values():
            assert ("security" in operation) == path.startswith("/api"), path
            if path.startswith("/api"):
                problem = operation["responses"]["401"]["content"]
                assert list(problem) == ["application/problem+json"]


def test_a_body_is_as_it_is_checked():
    schemas = console()["components"]["schemas"]
    assert schemas["RouteSettings"]["required"] == ["id", "accounts"]
    assert schemas["RouteSettings"]["additionalProperties"] is False
    assert schemas["RouteSettings"]["properties"]["id"]["pattern"] == "^[a-z0-9][a-z0-9_-]{0,62}$"
    assert {"secret_key", "sealed_secret_key"} <= set(schemas["NewAccount"]["properties"])
    # Of a change nothing is required, and null takes a field back.
    assert "required" not in schemas["ChangedRoute"]
    assert {"type": "null"} in schemas["ChangedRoute"]["properties"]["leverage"]["anyOf"]
