"""Every page there is, walked through: nothing without signing in, nothing changed by a viewer, and
nothing by a form that is not ours. A new page is covered by being there.
"""

import re

import pytest

from libs.common.topology import ensure_topology
from services.console.web.access.guarding import VIEWERS_MAY
from services.console.web.access.users import Users
from tests.console_people import HTMX, somebody, write_users
from tests.console_server import running
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration

OPEN_TO_ALL = {"/sign-in", "/static/{digest:str}/{name:str}", "/health/live", "/health/ready"}
API = "/api"
SAFE = {"GET", "HEAD"}
HARMLESS = {
    "str": "nothing",
    "int": "1",
    "float": "1",
    "decimal": "1",
    "uuid": "00000000-0000-7000-8000-000000000000",
    "path": "nothing",
    "date": "2026-01-01",
    "datetime": "2026-01-01T00:00:00",
    "time": "00:00:00",
}
PARAMETER = re.compile(r"\{\w+:(\w+)\}")


@pytest.fixture
async def console(js, nats_url, tmp_path):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    write_users(tmp_path / "users.json")
    async with running(nats_url, nowhere, users=Users(tmp_path / "users.json")) as found:
        yield found


def pages(console):
    """Method, address and handler of each page behind the guard."""
    found = []
    for route in console.site.routes:
        if route.path in OPEN_TO_ALL or route.path.startswith(API):
            continue
        address = PARAMETER.sub(lambda part: HARMLESS[part[1]], route.path)
        found += [
            (method, address, handler)
            for handler in route.route_handlers
            for method in sorted(handler.http_methods)
        ]
    return found


async def test_there_are_pages_to_walk_through(console):
    found = {(method, address) for method, address, _ in pages(console)}
    assert {("GET", "/"), ("POST", "/halts"), ("GET", "/changes"), ("POST", "/sign-out")} <= found


async def test_nobody_sees_or_does_anything_without_signing_in(console):
    async with somebody(console) as stranger:
        for method, address, _ in pages(console):
            answer = await stranger.ask(method, address)
            assert (answer.status, address) == (303, address)
            assert answer.headers["Location"].startswith("/sign-in")
            assert answer.text == ""
            scripted = await stranger.ask(method, address, headers=HTMX)
            assert (scripted.status, address) == (401, address)
            assert scripted.headers["HX-Redirect"].startswith("/sign-in")
            # A form is not read before it is known whose it is, nor a method taken from it.
            forged = await stranger.ask(
                method,
                address,
                data={"csrf": "x", "_method": "GET"},
                headers={"X-HTTP-Method-Override": "GET", "Authorization": "Bearer x"},
            )
            assert (forged.status, address) == (303, address)


async def test_a_viewer_changes_nothing(console):
    async with somebody(console, "viewer") as viewer:
        for method, address, handler in pages(console):
            if method in SAFE or handler.opt.get(VIEWERS_MAY) or method == "OPTIONS":
                continue
            answer = await viewer.ask(method, address, headers={"X-CSRF-Token": viewer.csrf})
            assert (answer.status, address) == (403, address)
            assert "takes an operator" in answer.text


@pytest.mark.parametrize("given", [None, "", "other", "é"], ids=["none", "empty", "other", "odd"])
async def test_no_form_counts_without_the_proof_that_it_is_ours(console, given):
    async with somebody(console, "operator") as operator:
        for method, address, _ in pages(console):
            if method in SAFE or method == "OPTIONS":
                continue
            form = {} if given is None else {"csrf": given}
            answer = await operator.ask(method, address, data=form)
            assert (answer.status, address) == (403, address)
            assert "another session" in answer.text
        # In the address it would stand in logs and histories.
        answer = await operator.ask("POST", f"/halts?csrf={operator.csrf}", data={"what": "all"})
        assert answer.status == 403


async def test_methods_that_pages_do_not_have_do_nothing(console):
    async with somebody(console, "operator") as operator:
        for method in ("HEAD", "TRACE", "PUT"):
            answer = await operator.ask(method, "/halts", headers={"X-CSRF-Token": operator.csrf})
            assert answer.status in {404, 405, 501}
