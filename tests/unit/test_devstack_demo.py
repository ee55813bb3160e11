"""The demo against a console and a paper exchange that remember what they were asked to make."""

import dataclasses
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tools.devstack.calling import NoAnswerError, call
from tools.devstack.demo import DemoSetup
from tools.devstack.errors import DevstackError
from tools.devstack.ports import free_port

TOKEN = "console-token"


@dataclasses.dataclass
class FakeSide:
    """Both servers in one, with the same answers as the real ones."""

    url: str = ""
    made: list[str] = dataclasses.field(default_factory=list)
    accounts: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    routes: set[str] = dataclasses.field(default_factory=set)
    tokens: int = 0

    def app(self):
        app = web.Application()
        app.router.add_post("/_paper/accounts", self.open_account)
        app.router.add_post("/api/accounts", self.post_account)
        app.router.add_patch("/api/accounts/{id}", self.patch_account)
        app.router.add_get("/api/{kind}/{id}", self.get)
        app.router.add_post("/api/routes", self.post_route)
        app.router.add_post("/api/routes/{id}/rotate", self.rotate)
        return app

    async def open_account(self, request):
        self.made.append("paper account")
        asked = await request.json()
        assert (asked["balance"], asked["position_mode"]) == ("10000", 1)
        assert not [name for name in asked["permissions"] if "WITHDRAW" in name]
        return web.json_response({"access_key": f"mx{len(self.made)}", "secret_key": "s3cret"})

    async def post_account(self, request):
        self._check(request)
        body = await request.json()
        if body["id"] in self.accounts:
            return web.json_response({"title": "exists"}, status=409)
        self.made.append("account")
        self.accounts[body["id"]] = body
        return web.json_response(body, status=201)

    async def patch_account(self, request):
        self._check(request)
        self.made.append("account changed")
        self.accounts[request.match_info["id"]] |= await request.json()
        return web.json_response({})

    async def get(self, request):
        self._check(request)
        kept = {"accounts": self.accounts, "routes": self.routes}[request.match_info["kind"]]
        return web.json_response({}, status=200 if request.match_info["id"] in kept else 404)

    async def post_route(self, request):
        self._check(request)
        body = await request.json()
        assert body == {"id": "demo", "accounts": [{"account": "paper", "multiplier": "1"}]}
        if body["id"] in self.routes:
            return web.json_response({"title": "exists"}, status=409)
        self.made.append("route")
        self.routes.add(body["id"])
        return self._shown_once(201)

    async def rotate(self, request):
        self._check(request)
        self.made.append("token")
        return self._shown_once(200)

    def _shown_once(self, status):
        self.tokens += 1
        answer = {"route": {}, "token": f"token{self.tokens}", "webhook": "…"}
        return web.json_response(answer, status=status)

    def _check(self, request):
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPUnauthorized
        assert request.headers["Alertwire-By"] == "devstack"


@pytest.fixture
async def side() -> AsyncIterator[FakeSide]:
    fake = FakeSide()
    runner = web.AppRunner(fake.app())
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    fake.url = f"http://127.0.0.1:{port}"
    yield fake
    await runner.cleanup()


@pytest.fixture
def setup(side, tmp_path, monkeypatch):
    monkeypatch.setattr("tools.devstack.demo._WATCHERS_LEARN_S", 0)
    return DemoSetup(
        directory=tmp_path,
        paper_exchange=side.url,
        paper_exchange_ws="ws://127.0.0.1:1/edge",
        console=side.url,
        console_token=TOKEN,
    )


async def test_the_first_start_makes_account_and_route(setup, side):
    demo = await setup.ensure()
    assert side.made == ["paper account", "account", "route"]
    assert (demo.access_key, demo.secret_key, demo.token) == ("mx1", "s3cret", "token1")
    account = side.accounts["paper"]
    assert account["position_mode"] == "hedge"
    assert account["base_url"] == side.url
    assert account["ws_url"] == "ws://127.0.0.1:1/edge"
    assert account["access_key"] == "mx1"


async def test_a_second_start_makes_nothing(setup, side):
    first = await setup.ensure()
    side.made.clear()
    assert await setup.ensure() == first
    assert side.made == []


async def test_what_a_killed_start_could_not_remember_is_taken_over(setup, side):
    await setup.ensure()
    (setup.directory / "demo.json").unlink()
    side.made.clear()
    demo = await setup.ensure()
    assert side.made == ["paper account", "account changed", "token"]
    assert side.accounts["paper"]["access_key"] == demo.access_key
    assert demo.token == "token2"


async def test_after_a_change_of_ports_the_account_points_to_the_new_ones(setup, side):
    before = await setup.ensure()
    side.made.clear()
    moved = dataclasses.replace(setup, paper_exchange="http://127.0.0.1:1")
    assert await moved.ensure() == before
    assert side.made == ["account changed"]
    assert side.accounts["paper"]["base_url"] == "http://127.0.0.1:1"


async def test_a_log_that_was_emptied_gets_account_and_route_again(setup, side):
    await setup.ensure()
    side.accounts.clear()
    side.routes.clear()
    side.made.clear()
    assert (await setup.ensure()).token == "token2"
    assert side.made == ["account", "route"]


async def test_a_refusal_is_told_in_the_consoles_words(setup):
    stranger = dataclasses.replace(setup, console_token="wrong")
    with pytest.raises(DevstackError, match="status 401"):
        await stranger.ensure()


async def test_nobody_listening_is_an_answer_of_its_own():
    with pytest.raises(NoAnswerError, match="GET http://127"):
        await call("GET", f"http://127.0.0.1:{free_port()}/")
