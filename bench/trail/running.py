"""One whole measurement: a trail that grows, and the same questions at each of its sizes."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import asyncpg

from bench.stack import running_stack
from bench.trail.asking import Console, Question, Timed
from bench.trail.events import RARE_SYMBOL, STREAM, SYMBOLS, Shape, events
from bench.trail.filling import Filler, Sample
from bench.trail.options import Options
from bench.trail.plans import Explained, explain, table_sizes
from libs.common.queries import named_queries
from libs.common.secret import Secret
from services.auditor.store import Store, make_pool
from services.console.statistics import first_id
from tools.devstack.processes import REPOSITORY

Tell = Callable[[str], None]
_EVENTS_PER_ALERT = 5.84
"""On average, of those that are made up."""
_FAR = 1_000_000
"""Behind what the stack itself has put into its log."""
_MONTH = timedelta(days=30)
_WAL = "8GB"
_PAGE = "50"


@dataclass(frozen=True, kw_only=True)
class Turn:
    rows: int
    stored_rate: float
    """Rows a second, as the auditor stores them."""
    timed: list[Timed]


@dataclass(kw_only=True)
class Outcome:
    turns: list[Turn] = field(default_factory=list)
    explained: list[Explained] = field(default_factory=list)
    database_gib: float = 0.0


@dataclass(kw_only=True)
class Measurement:
    options: Options
    folder: Path
    tell: Tell
    outcome: Outcome = field(default_factory=Outcome)

    async def whole(self) -> Outcome:
        """From an empty folder to the figures; nothing runs any more when it returns."""
        self.tell("starting the stack")
        directory = self.folder / "stack"
        async with (
            running_stack(directory, port_base=self.options.port_base) as described,
            aiohttp.ClientSession() as web,
            _connected(described["postgres"]) as connection,
            make_pool(Secret(described["postgres"])) as pool,
        ):
            console = Console(
                session=web, url=described["console"], token=described["console_token"]
            )
            filler = await self._filler(connection, Store(pool))
            for turn in range(1, self.options.turns + 1):
                await self._turn(turn, filler, console)
            await self._explain(connection, filler)
            size = await connection.fetchval("SELECT pg_database_size(current_database())")
            self.outcome.database_gib = size / 2**30
            self.tell("stopping the stack")
        return self.outcome

    async def _filler(
        self, connection: "asyncpg.Connection[asyncpg.Record]", store: Store
    ) -> Filler:
        await connection.execute(f"ALTER SYSTEM SET max_wal_size = '{_WAL}'")
        await connection.execute("SELECT pg_reload_conf()")
        until = datetime.now(UTC)
        since = until - self.options.months * _MONTH
        await connection.execute(
            "SELECT audit_ensure_partitions($1::date, $2::date)", since.date(), until.date()
        )
        head = await connection.fetchrow("SELECT seq, hash FROM audit_head($1)", STREAM)
        assert head is not None
        alerts = self.options.events / _EVENTS_PER_ALERT
        return Filler(
            connection=connection,
            store=store,
            events=events(Shape(since=since, alert_every=(until - since) / alerts)),
            sample=Sample(random=Random(1)),
            first_seq=head["seq"] + _FAR,
            head=head["hash"],
        )

    async def _turn(self, turn: int, filler: Filler, console: Console) -> None:
        wanted = self.options.events * turn // self.options.turns
        await filler.copy(wanted - filler.made - self.options.stored)
        # Where rows come one by one, the server does this by itself.
        await filler.connection.execute("VACUUM (ANALYZE) audit_event")
        rate = await filler.store_timed(self.options.stored)
        timed = [await console.time(question) for question in self._questions(filler)]
        self.outcome.turns.append(Turn(rows=filler.made, stored_rate=rate, timed=timed))
        self.tell(f"{filler.made:,} rows: {rate:,.0f} rows/s stored; {_short(timed)}")

    def _questions(self, filler: Filler) -> list[Question]:
        asked = self.options.asked
        random = Random(filler.made)
        alerts = random.choices(filler.sample.alerts, k=asked)
        places = [filler.first_seq + random.randrange(1, filler.made) for _ in range(asked)]

        def pages(*queries: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
            wanted = [queries[number % len(queries)] for number in range(asked)]
            return [("/alerts", {"limit": _PAGE, **query}) for query in wanted]

        routes = [{"route": f"route-{number:02}"} for number in range(40)]
        accounts = [{"account": f"account-{number:02}"} for number in range(40)]
        return [
            Question(name="journey", many=[(f"/alerts/{alert}", {}) for alert in alerts]),
            Question(name="newest page", many=pages({})),
            Question(name="older page", many=pages(*({"before": str(at)} for at in places))),
            Question(name="page of a route", many=pages(*routes)),
            Question(name="page of an account", many=pages(*accounts)),
            Question(name="page of a symbol", many=pages(*({"symbol": each} for each in SYMBOLS))),
            Question(name="page of a rare symbol", many=pages({"symbol": RARE_SYMBOL})),
            Question(name="page of a status", many=pages({"status": "denied"})),
            Question(name="a day's statistics", many=_days(max(1, asked // 10))),
        ]

    async def _explain(
        self, connection: "asyncpg.Connection[asyncpg.Record]", filler: Filler
    ) -> None:
        queries = named_queries(REPOSITORY / "services/console/queries.sql")
        sizes = await table_sizes(connection)
        for question, name, values in _explained(filler):
            self.outcome.explained.append(
                await explain(
                    connection,
                    question=question,
                    query=queries[name],
                    values=values,
                    sizes=sizes,
                )
            )


def _explained(filler: Filler) -> list[tuple[str, str, tuple[Any, ...]]]:
    far = filler.first_seq + filler.made // 3
    return [
        ("journey", "events", ([filler.sample.alerts[0]],)),
        ("newest page", "alerts", (None, None, 51)),
        ("older page", "alerts", (far, None, 51)),
        ("page of a route", "alerts", (None, "route-03", 51)),
        ("page of an account", "alerts_of_account", (None, None, 51, "account-03")),
        ("older page of an account", "alerts_of_account", (far, None, 51, "account-03")),
        ("page of a symbol", "alerts_of_symbol", (None, None, 51, SYMBOLS[0])),
        ("older page of a symbol", "alerts_of_symbol", (far, None, 51, SYMBOLS[0])),
        ("page of a rare symbol", "alerts_of_symbol", (None, None, 51, RARE_SYMBOL)),
        ("page of a status", "alerts_of_end", (None, None, 51, ["intent.denied"], True)),
        ("where the trail ends", "newest", ()),
        *_explained_day(),
    ]


def _explained_day() -> list[tuple[str, str, tuple[Any, ...]]]:
    until = datetime.now(UTC)
    day = (until - timedelta(days=1), until)
    stages = ["alert.received", "alert.duplicate", "alert.refused"]
    ids = [first_id(at) for at in day]
    return [
        ("a day's arrivals", "arrivals", (stages, *day, None)),
        ("a day's fates", "fates", (*day, None, timedelta(minutes=15), 105)),
        ("a day's fates of a route", "fates", (*day, "route-03", timedelta(minutes=15), 105)),
        ("a day's reasons", "reasons", (*day, None, 10_000, *ids)),
    ]


def _days(count: int) -> list[tuple[str, dict[str, str]]]:
    """Each another one: the console keeps an answer for a moment."""
    ends = (datetime.now(UTC) - timedelta(minutes=number) for number in range(count))
    return [("/statistics", {"until": at.isoformat()}) for at in ends]


def _short(timed: list[Timed]) -> str:
    return ", ".join(f"{each.name} {each.took_ms.p99:.0f} ms" for each in timed if each.took_ms)


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        yield connection
    finally:
        await connection.close()
