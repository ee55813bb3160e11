"""A run of the whole stack in which every secret is used, rightly and wrongly, and services fail;
what came of it is kept for whoever looks whether it tells a secret.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from tests.e2e.otlp_sink import OtlpSink
from tests.e2e.running_stack import GUIDE, RunningStack, Trader
from tests.e2e.wrong_starts import SENTINEL, said_of_all
from tests.leaks import files_below, kept_below

WRONG = {
    "wrong secret key": 'wr0ng-k3y/+"of<an>&exchange é',
    "body secret": 'b0dy/+"secret<of>&the route é',
    "wrong body secret": 'n0t/+"the<body>&secret at all é',
    "wrong password": 'n0t/+"the<password>&of anybody é',
    "wrong console token": "n0t-the-console-token-of-anybody",
    "unknown webhook token": "n0-webhook-of-anybody-0123456789",
}
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_PATIENCE_S = 20
_COMMANDS_AT_ONCE = 3


@dataclass(kw_only=True)
class Run:
    """What was used, and what came out."""

    stack: RunningStack
    sink: OtlpSink
    secrets: dict[str, str] = field(default_factory=dict)
    outputs: list[tuple[str, bytes | str]] = field(default_factory=list)

    async def use_everything(self) -> None:
        self.secrets |= WRONG | kept_below(self.stack.directory)
        trader = Trader(self.stack)
        try:
            await self._trade(trader)
            await self._enter_keys(trader)
            await self._sign_in()
            await self._publish(trader)
            await self._rotate(trader)
            await self._command()
            await self._disturb(trader)
            await self._look(trader)
        finally:
            await trader.close()
        await self._dump_tables()
        starts = self.stack.directory.parent / "wrong-starts"
        starts.mkdir()
        self.secrets["password of a wrong start"] = SENTINEL
        self.outputs += await said_of_all(self.stack, starts)
        self._look_at_processes()

    def outcome(self) -> Iterator[tuple[str, bytes | str]]:
        """Everything, once the stack was stopped."""
        yield from self.outputs
        yield from files_below(self.stack.directory, named="state")
        yield "up", self.stack.output.read_bytes()
        for number, body in enumerate(self.sink.bodies):
            yield f"otlp {number}", body

    async def _trade(self, trader: Trader) -> None:
        """Alerts that are carried out, and such that no one may send."""
        await trader.execute()
        ingest = self.stack.description["ingest"]
        unknown = f"{ingest}/hook/{WRONG['unknown webhook token']}"
        await self._answer(trader, "unknown token", GUIDE, webhook=unknown)
        await self._answer(trader, "no json", '{"secret": "' + WRONG["wrong body secret"][:7])
        made = await self._api(
            trader,
            "POST",
            "/api/routes",
            {
                "id": "guarded",
                "accounts": [{"account": "paper"}],
                "body_secret": WRONG["body secret"],
            },
        )
        self.secrets["guarded token"] = made["token"]
        guarded: str = made["webhook"]
        async with asyncio.timeout(_PATIENCE_S):
            while (await trader.post({"no": "ticker"}, webhook=guarded))[0] == 404:
                await asyncio.sleep(0.05)
        wrong = {**GUIDE, "secret": WRONG["wrong body secret"]}
        assert await self._answer(trader, "wrong secret", wrong, webhook=guarded) == 401
        right = {**GUIDE, "secret": WRONG["body secret"], "order_action": "flat"}
        assert await self._answer(trader, "right secret", right, webhook=guarded) == 200
        await self._answer(
            trader, "right secret, no order", {"secret": WRONG["body secret"]}, webhook=guarded
        )
        rotated = await self._api(trader, "POST", "/api/routes/guarded/rotate", {})
        self.secrets["rotated token"] = rotated["token"]

    async def _enter_keys(self, trader: Trader) -> None:
        """An account with a key that the exchange does not take, and one that is mistyped."""
        demo = self.stack.description["demo"]
        paper = self.stack.description["paper_exchange"]
        account = {
            "id": "wrong",
            "base_url": paper,
            "ws_url": paper.replace("http", "ws") + "/edge",
            "access_key": demo["access_key"],
            "secret_key": WRONG["wrong secret key"],
        }
        await self._kept(trader, "POST", "/api/accounts", account)
        await self._kept(trader, "POST", "/api/accounts", {**account, "id": "Not An Id"})
        await self._kept(
            trader, "POST", "/api/accounts", {**account, "secret_key": [WRONG["wrong secret key"]]}
        )
        await self._kept(
            trader, "POST", "/api/accounts", {**account, "extra": WRONG["wrong secret key"][:3]}
        )
        await self._kept(trader, "POST", "/api/accounts/wrong/check")
        await self._kept(trader, "GET", "/api/accounts/wrong")
        await self._kept(trader, "GET", "/api/sealing")

    async def _sign_in(self) -> None:
        """Rightly and wrongly, by form, by token, by a proxy's headers."""
        console = self.stack.description["console"]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            named = {"name": "operator", "next": "/routes"}
            for word, password in (
                ("wrong", WRONG["wrong password"]),
                ("right", self.secrets["operator_password"]),
            ):
                form = {**named, "password": password}
                async with session.post(
                    console + "/sign-in", data=form, allow_redirects=False
                ) as got:
                    self.outputs.append((f"page sign-in {word}", await got.text()))
            for cookie in session.cookie_jar:
                self.secrets["session cookie"] = cookie.value
            for path in (
                "/routes",
                "/accounts",
                "/accounts/paper",
                "/accounts/wrong",
                "/you",
                "/changes",
                "/health",
                "/accounts/new",
                "/accounts/wrong/edit",
                "/routes/guarded",
                "/halts",
            ):
                async with session.get(console + path) as got:
                    text = await got.text()
                    self.secrets["csrf"] = (
                        _CSRF.findall(text)[0]
                        if _CSRF.findall(text)
                        else self.secrets.get("csrf", "")
                    )
                    self.outputs.append((f"page {path}", _CSRF.sub("", text)))
            bad = {"csrf": "n0t-it", "secret_key": WRONG["wrong secret key"], "id": "Not An Id"}
            async with session.post(console + "/accounts", data=bad) as got:
                self.outputs.append(("page refused form", await got.text()))
        headers = {
            "Authorization": f"Bearer {WRONG['wrong console token']}",
            "X-Auth-Request-Email": WRONG["wrong password"].encode("ascii", "ignore").decode(),
        }
        async with aiohttp.ClientSession(headers=headers) as session:
            for path in ("/api/routes", "/routes"):
                async with session.get(console + path, allow_redirects=False) as got:
                    self.outputs.append((f"answer wrong token {path}", await got.text()))

    async def _rotate(self, trader: Trader) -> None:
        file = self.stack.directory / "sealing.key"
        await self._ran("ops", "sealing-key", "rotate", str(file))
        self.secrets |= kept_below(self.stack.directory)
        public = await asyncio.to_thread(self.stack.cli, "ops", "sealing-key", "public", str(file))
        (self.stack.directory / "sealing.pub").write_text(public.stdout)
        async with asyncio.timeout(_PATIENCE_S):
            while len((await trader.api("GET", "/api/sealing"))[1]["executors"][0]["keys"]) < 2:
                await asyncio.sleep(0.1)
        await self._ran("ops", "sealing-key", "reseal")

    async def _command(self) -> None:
        """What people type; what only looks, side by side."""
        export = self.stack.directory / "exported.jsonl"
        month = time.strftime("%Y-%m", time.gmtime())
        commands = (
            *("accounts list", "accounts show paper", "doctor wrong", "changes", "dead list"),
            *("health", "ops sealing-key status", "audit verify", "tail --since 10m --count 20"),
            f"audit export --month {month} -o {export}",
        )
        gate = asyncio.Semaphore(_COMMANDS_AT_ONCE)

        async def run(command: str) -> None:
            async with gate:
                await self._ran(*command.split())

        async with asyncio.TaskGroup() as group:
            for command in commands:
                group.create_task(run(command))
        key = WRONG["wrong secret key"] + "\n"
        await self._ran("accounts", "edit", "wrong", "--secret-key-file", "-", stdin=key)

    async def _disturb(self, trader: Trader) -> None:
        """Both servers are killed under the services."""
        for server in ("postgres", "nats"):
            before = self.stack.description["processes"][server]
            self.stack.kill(server)
            async with asyncio.timeout(_PATIENCE_S):
                while self.stack.description["processes"].get(server) in {before, None}:
                    await asyncio.sleep(0.1)
        status = 0
        async with asyncio.timeout(_PATIENCE_S):
            while status != 200:
                status, answer = await trader.post({**GUIDE, "alert_id": f"after{time.time_ns()}"})
                self.outputs.append(("answer while the log is away", json.dumps(answer)))
                await asyncio.sleep(0.1)
        await trader.ended(answer["alert_id"])

    async def _publish(self, trader: Trader) -> None:
        """Messages that nobody can read."""
        import nats

        client = await nats.connect(self.stack.description["nats"])
        log = client.jetstream()
        for subject in ("alert.received.demo", "intent.accepted.0.paper.BTC_USDT"):
            await log.publish(subject, b'{"type":"alert.received","no":"alert"}')
        await client.close()
        async with asyncio.timeout(_PATIENCE_S):
            while len((await trader.api("GET", "/api/dead"))[1]["dead"]) < 2:
                await asyncio.sleep(0.1)

    async def _look(self, trader: Trader) -> None:
        for url in self.stack.description["health"].values():
            for path in ("/metrics", "/health/ready"):
                async with trader.session.get(url + path) as got:
                    self.outputs.append((f"health {url}{path}", await got.read()))
        for path in ("alerts", "changes?limit=500", "dead", "routes", "accounts", "health", "halt"):
            await self._kept(trader, "GET", f"/api/{path}")

    async def _dump_tables(self) -> None:
        connection = await asyncpg.connect(self.stack.description["postgres"])
        try:
            tables = await connection.fetch(
                "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            assert tables
            for (name,) in tables:
                rows = await connection.fetch(f"SELECT t::text, to_json(t)::text FROM {name} t")
                text = "\n".join("\n".join(row) for row in rows)
                self.outputs.append((f"table {name}", text))
            activity = await connection.fetch("SELECT a::text FROM pg_stat_activity a")
            self.outputs.append(("table pg_stat_activity", "\n".join(row[0] for row in activity)))
        finally:
            await connection.close()

    def _look_at_processes(self) -> None:
        pids = self.stack.description["processes"]
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.outputs.append((f"arguments {path.parent.name}", path.read_bytes()))
            except OSError:
                continue
        for name, pid in pids.items():
            try:
                environ = Path(f"/proc/{pid}/environ").read_bytes()
            except PermissionError:
                # As whom the run is: then nobody but root sees it.
                continue
            self.outputs.append((f"environment of {name}", environ))

    async def _api(self, trader: Trader, method: str, path: str, body: Any) -> Any:
        """An answer that shows a token, once."""
        status, answer = await trader.api(method, path, body)
        assert status in {200, 201}, answer
        return answer

    async def _kept(self, trader: Trader, method: str, path: str, body: Any = None) -> None:
        status, answer = await trader.api(method, path, body)
        self.outputs.append((f"answer {method} {path} {status}", json.dumps(answer)))

    async def _answer(self, trader: Trader, name: str, body: Any, **more: Any) -> int:
        status, answer = await trader.post(body, **more)
        self.outputs.append((f"answer of ingest, {name}", json.dumps(answer)))
        return status

    async def _ran(self, *arguments: str, stdin: str | None = None) -> None:
        done = await asyncio.to_thread(self.stack.cli, *arguments, stdin=stdin)
        self.outputs.append((f"command {' '.join(arguments)}", done.stdout + done.stderr))
