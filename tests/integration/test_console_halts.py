"""`/api/halt` and `/api/resume` over real NATS: what is written, and what a wrong question gets."""

import msgspec
import pytest

from libs.common.contracts.control import Control
from libs.common.topology import ensure_topology
from tests.api_bodies import ACCOUNT
from tests.console_server import running
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
async def console(js, nats_url):
    """It halts while Postgres is away, too."""
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere) as found:
        for name in ("main", "second"):
            await found.call("POST", "/api/accounts", {**ACCOUNT, "id": name})
        route = {"id": "btc", "accounts": [{"account": "second"}]}
        assert (await found.call("POST", "/api/routes", route))[0] == 201
        yield found


async def kept(console, key):
    return msgspec.json.decode(await console.stored("controls", key), type=Control)


async def listed(console):
    _, found = await console.call("GET", "/api/halt")
    return [(halt["scope"], halt["id"]) for halt in found["halts"]]


@pytest.mark.parametrize(
    ("scope", "id_", "key", "accounts"),
    [
        ("all", None, "all", ["main", "second"]),
        ("account", "main", "account.main", ["main"]),
        ("route", "btc", "route.btc", ["second"]),
    ],
)
async def test_a_halt_is_kept_until_it_is_resumed(console, scope, id_, key, accounts):
    body = {"scope": scope, "id": id_, "flatten": True, "reason": "enough", "by": "anna"}
    status, answer = await console.call("POST", "/api/halt", body)
    halt = answer["halt"]
    assert (status, answer["new"]) == (200, True)
    told = {name: halt[name] for name in ("scope", "id", "flatten", "reason", "by", "accounts")}
    assert told == {**body, "accounts": accounts}
    assert halt["at"].endswith("Z")
    stored = await kept(console, key)
    assert (stored.halt_id, stored.accounts) == (halt["halt_id"], tuple(accounts))
    assert await console.call("GET", "/api/halt") == (200, {"halts": [halt]})
    status, answer = await console.call("POST", "/api/resume", {"scope": scope, "id": id_})
    assert (status, answer) == (200, {"resumed": halt, "halts": []})
    assert await listed(console) == []


async def test_halts_stand_beside_each_other(console):
    for body in ({"scope": "all"}, {"scope": "route", "id": "btc"}):
        await console.call("POST", "/api/halt", body)
    assert await listed(console) == [("all", None), ("route", "btc")]
    _, answer = await console.call("POST", "/api/resume", {"scope": "all"})
    assert [halt["id"] for halt in answer["halts"]] == ["btc"]


async def test_halting_again_changes_nothing_unless_it_flattens(console):
    _, first = await console.call("POST", "/api/halt", {"scope": "all", "reason": "first"})
    _, again = await console.call("POST", "/api/halt", {"scope": "all", "reason": "second"})
    assert again == {"halt": first["halt"], "new": False}
    _, flat = await console.call("POST", "/api/halt", {"scope": "all", "flatten": True})
    assert flat["new"]
    assert flat["halt"]["halt_id"] != first["halt"]["halt_id"]
    _, again = await console.call("POST", "/api/halt", {"scope": "all"})
    assert again["halt"] == flat["halt"], "the flatten may not be done yet"


async def test_what_is_not_halted_cannot_be_resumed(console):
    status, problem = await console.call("POST", "/api/resume", {"scope": "all"})
    assert (status, problem["detail"]) == (
        404,
        "everything is not halted; what is halted: nothing.",
    )
    await console.call("POST", "/api/halt", {"scope": "account", "id": "main"})
    status, problem = await console.call("POST", "/api/resume", {"scope": "route", "id": "btc"})
    assert status == 404
    assert "what is halted: account main" in problem["detail"]


async def test_what_was_deleted_since_can_be_resumed(console):
    await console.call("POST", "/api/halt", {"scope": "account", "id": "main"})
    assert (await console.call("DELETE", "/api/accounts/main"))[0] == 204
    body = {"scope": "account", "id": "main"}
    assert (await console.call("POST", "/api/resume", body))[0] == 200


@pytest.mark.parametrize("path", ["/api/halt", "/api/resume"])
@pytest.mark.parametrize(
    ("body", "status", "field", "says"),
    [
        ({}, 422, "scope", "required"),
        ({"scope": "world"}, 422, "scope", "world"),
        ({"scope": "all", "id": "main"}, 422, "id", "for an account or a route"),
        ({"scope": "account"}, 422, "id", "must name the account"),
        ({"scope": "route", "id": ""}, 422, "id", "must name the route"),
        ({"scope": "all", "reson": "x"}, 422, "reson", "not a field"),
        ({"scope": "account", "id": "nobody"}, 404, None, "nobody"),
        ({"scope": "route", "id": "a.b*>"}, 404, None, "a.b*>"),
        ([1], 415, None, "one JSON object"),
    ],
)
async def test_a_wrong_question_is_a_problem_that_tells(console, path, body, status, field, says):
    found, problem = await console.call("POST", path, body)
    assert (found, problem.get("field")) == (status, field)
    assert says in problem["detail"]
    assert await listed(console) == []


async def test_a_reason_has_a_length(console):
    body = {"scope": "all", "reason": "x" * 501}
    status, problem = await console.call("POST", "/api/halt", body)
    assert (status, problem["field"]) == (422, "reason")


@pytest.mark.parametrize("path", ["/api/halt", "/api/resume"])
async def test_without_the_token_nothing_is_halted_or_resumed(console, path):
    body = {"scope": "all"}
    status, _ = await console.call("POST", path, body, Authorization="Bearer wrong")
    assert status == 401
    assert await listed(console) == []
