"""The console's routes and accounts over real NATS, as scripts and the CLI use them."""

import asyncio
import json
from base64 import urlsafe_b64decode
from typing import Any

import msgspec
import nats
import pytest
from nacl.encoding import Base64Encoder

from libs.common.contracts.route import Account, Route
from libs.common.sealing import unseal
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from tests.api_bodies import ACCOUNT, ROUTE
from tests.console_server import PRIVATE_KEY, TOKEN, running
from tests.factories import ALERT_ID
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
async def console(js, nats_url, reader_dsn):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn) as found:
        yield found


@pytest.fixture
async def console_without_postgres(js, nats_url):
    await ensure_topology(js)
    nowhere = f"postgresql://viewer:x@127.0.0.1:{free_port()}/none"
    async with running(nats_url, nowhere) as found:
        yield found


@pytest.mark.parametrize("header", ["", "Bearer wrong", TOKEN, f"Basic {TOKEN}", "Bearer \u00e9"])
async def test_without_the_token_nothing_is_told(console, header):
    for path in ("/api/routes", "/api/alerts"):
        status, problem = await console.call("GET", path, Authorization=header)
        assert (status, problem["title"]) == (401, "Unauthorized")


async def test_a_route_is_made_and_its_token_is_stored_as_a_hash(console):
    await console.call("POST", "/api/accounts", ACCOUNT)
    status, made = await console.call("POST", "/api/routes", ROUTE)
    assert status == 201
    assert made["webhook"] == f"https://hook.example.org/hook/{made['token']}"
    assert len(made["token"]) >= 32
    assert made["route"]["leverage"] == 10
    stored = await console.stored("routes", "btc")
    assert made["token"].encode() not in stored
    assert msgspec.json.decode(stored, type=Route).tokens[0].expires_at is None
    assert await console.call("GET", "/api/routes/btc") == (200, made["route"])
    assert await console.call("GET", "/api/routes") == (200, {"routes": [made["route"]]})


async def test_nobody_chooses_a_token(console):
    """Ours has 192 bits; one that somebody thought of could be guessed."""
    await console.call("POST", "/api/accounts", ACCOUNT)
    chosen = ({"token": "simple"}, {"tokens": [{"sha256": "0" * 64}]}, {"token_sha256": "0" * 64})
    for fields in chosen:
        status, problem = await console.call("POST", "/api/routes", ROUTE | fields)
        assert (status, problem["field"]) == (422, next(iter(fields)))
    _, made = await console.call("POST", "/api/routes", ROUTE)
    for fields in chosen:
        assert (await console.call("PATCH", "/api/routes/btc", fields))[0] == 422
        assert (await console.call("POST", "/api/routes/btc/rotate", fields))[0] == 422
    made_tokens = {made["token"]}
    for _ in range(20):
        _, rotated = await console.call("POST", "/api/routes/btc/rotate", {"overlap_s": 60})
        made_tokens.add(rotated["token"])
    assert len(made_tokens) == 21
    assert {len(urlsafe_b64decode(token)) * 8 for token in made_tokens} == {192}
    kept = msgspec.json.decode(await console.stored("routes", "btc"), type=Route).tokens
    assert len(kept) == 2, "the newest, and the one before it for a while"


async def test_a_route_needs_its_accounts_and_a_free_id(console):
    status, problem = await console.call("POST", "/api/routes", ROUTE)
    assert (status, problem["field"], problem["value"]) == (422, "accounts", "main")
    await console.call("POST", "/api/accounts", ACCOUNT)
    await console.call("POST", "/api/routes", ROUTE)
    status, problem = await console.call("POST", "/api/routes", ROUTE)
    assert (status, problem["title"]) == (409, "Conflict")


async def test_a_route_is_changed_paused_resumed_and_deleted(console):
    await console.call("POST", "/api/accounts", ACCOUNT)
    await console.call("POST", "/api/routes", ROUTE)
    status, route = await console.call("PATCH", "/api/routes/btc", {"sizing": {"multiplier": 2}})
    assert (status, route["sizing"]["multiplier"]) == (200, "2")
    status, _ = await console.call("PATCH", "/api/routes/btc", {"levrage": 2})
    assert status == 422
    assert (await console.call("POST", "/api/routes/btc/pause"))[1]["state"] == "paused"
    status, route = await console.call("POST", "/api/routes/btc/resume")
    assert (status, route["state"], route["sizing"]["multiplier"]) == (200, "live", "2")
    assert await console.call("DELETE", "/api/routes/btc") == (204, None)
    for method in ("GET", "DELETE", "PATCH"):
        status, _ = await console.call(method, "/api/routes/btc", {})
        assert status == 404
    assert (await console.call("POST", "/api/routes", ROUTE))[0] == 201


async def test_rotating_answers_a_new_webhook_and_keeps_the_old_for_a_while(console):
    await console.call("POST", "/api/accounts", ACCOUNT)
    _, made = await console.call("POST", "/api/routes", ROUTE)
    status, second = await console.call("POST", "/api/routes/btc/rotate", {"overlap_s": 60})
    assert status == 200
    assert second["token"] != made["token"]
    tokens = msgspec.json.decode(await console.stored("routes", "btc"), type=Route).tokens
    assert [each.expires_at is None for each in tokens] == [False, True]
    status, _ = await console.call("POST", "/api/routes/btc/rotate", {"overlap": 0})
    assert status == 422
    await console.call("POST", "/api/routes/btc/rotate", {"overlap_s": 0})
    tokens = msgspec.json.decode(await console.stored("routes", "btc"), type=Route).tokens
    assert len(tokens) == 1


async def test_of_two_editors_the_second_is_told(console):
    """Each read the same revision; the second change would undo what it never saw."""
    await console.call("POST", "/api/accounts", ACCOUNT)
    await console.call("POST", "/api/routes", ROUTE)
    async with console.http.get(
        f"{console.url}/api/routes/btc", headers={"Authorization": f"Bearer {TOKEN}"}
    ) as answer:
        revision = answer.headers["ETag"]
    first = await console.call(
        "PATCH", "/api/routes/btc", {"leverage": 3}, **{"If-Match": revision}
    )
    second = await console.call(
        "PATCH", "/api/routes/btc", {"leverage": 4}, **{"If-Match": revision}
    )
    assert (first[0], second[0]) == (200, 409)
    assert (await console.call("GET", "/api/routes/btc"))[1]["leverage"] == 3


async def test_writes_at_once_lose_nothing(console):
    """Changes that cross are made on the revision they read, or refused; none is overwritten."""
    await console.call("POST", "/api/accounts", ACCOUNT)
    await console.call("POST", "/api/routes", ROUTE)
    changes: list[dict[str, Any]] = [
        {"symbols": {"overrides": {f"T{n}": {"symbol": "BTC_USDT"}}}} for n in range(8)
    ]
    answers = await asyncio.gather(
        *(console.call("PATCH", "/api/routes/btc", change) for change in changes)
    )
    assert {status for status, _ in answers} <= {200, 409}
    wanted = {f"T{n}" for n, (status, _) in enumerate(answers) if status == 200}
    _, route = await console.call("GET", "/api/routes/btc")
    assert set(route["symbols"]["overrides"]) == wanted


async def test_an_accounts_secret_is_sealed_and_never_comes_back(console):
    status, made = await console.call("POST", "/api/accounts", ACCOUNT)
    assert status == 201
    assert made["account"]["secret_key"] is None
    assert made["account"]["access_key"] == "***1234"
    stored = msgspec.json.decode(await console.stored("accounts", "main"), type=Account)
    assert stored.access_key == ACCOUNT["access_key"]
    sealed = await console.stored("secrets", "main")
    private = Secret(PRIVATE_KEY.encode(Base64Encoder).decode())
    assert unseal(private_key=private, sealed=sealed) == Secret("very-secret")
    for path in ("/api/accounts", "/api/accounts/main"):
        assert "very-secret" not in json.dumps(await console.call("GET", path))


async def test_a_second_account_of_an_id_does_not_replace_the_first_ones_key(console):
    await console.call("POST", "/api/accounts", ACCOUNT)
    before = await console.stored("secrets", "main")
    status, _ = await console.call("POST", "/api/accounts", {**ACCOUNT, "secret_key": "other"})
    assert status == 409
    assert await console.stored("secrets", "main") == before


async def test_an_account_is_changed_and_deleted_once_nobody_trades_it(console):
    await console.call("POST", "/api/accounts", ACCOUNT)
    await console.call("POST", "/api/routes", ROUTE)
    status, changed = await console.call(
        "PATCH", "/api/accounts/main", {"order_calls_per_2s": 8, "secret_key": "next"}
    )
    assert (status, changed["order_calls_per_2s"], changed["access_key"]) == (200, 8, "***1234")
    private = Secret(PRIVATE_KEY.encode(Base64Encoder).decode())
    sealed = await console.stored("secrets", "main")
    assert unseal(private_key=private, sealed=sealed) == Secret("next")
    status, problem = await console.call("DELETE", "/api/accounts/main")
    assert status == 409
    assert "btc" in problem["detail"]
    await console.call("DELETE", "/api/routes/btc")
    assert (await console.call("DELETE", "/api/accounts/main"))[0] == 204
    assert await console.call("GET", "/api/accounts") == (200, {"accounts": []})
    with pytest.raises(nats.js.errors.KeyNotFoundError):
        await console.stored("secrets", "main")


async def test_every_error_is_a_problem_document(console):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    cases = [("GET", "/nothing", 404), ("PUT", "/api/routes", 405), ("POST", "/api/routes", 415)]
    for method, path, expected in cases:
        async with console.http.request(
            method, console.url + path, data=b"[1]", headers=headers
        ) as answer:
            assert answer.status == expected
            assert answer.content_type == "application/problem+json"
            assert json.loads(await answer.text())["status"] == expected
    async with console.http.post(
        f"{console.url}/api/routes", data=b"x" * 300_000, headers=headers
    ) as answer:
        assert (answer.status, answer.content_type) == (413, "application/problem+json")


async def test_without_postgres_only_the_trail_is_missing(console_without_postgres):
    console = console_without_postgres
    for path in ("/api/alerts", f"/api/alerts/{ALERT_ID}"):
        status, problem = await console.call("GET", path)
        assert (status, problem["title"]) == (503, "Service Unavailable")
    assert (await console.call("POST", "/api/accounts", ACCOUNT))[0] == 201
    assert (await console.call("POST", "/api/routes", ROUTE))[0] == 201
    status, ready = await console.call("GET", "/health/ready")
    assert (status, list(ready["missing"])) == (503, ["trail"])
    assert (await console.call("GET", "/health/live"))[0] == 200


async def test_ready_once_the_trail_answers(console):
    async with asyncio.timeout(5):
        while (await console.call("GET", "/health/ready"))[0] != 200:
            await asyncio.sleep(0.05)


async def test_pages_ask_for_a_sign_in_and_let_nothing_foreign_run(console):
    async with console.http.get(console.url + "/", allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/sign-in"
    async with console.http.get(console.url + "/sign-in") as answer:
        assert answer.status == 200
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
