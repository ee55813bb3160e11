"""How Postgres goes about the console's questions: the plans, and whether one of them reads a big
partition from end to end.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

BIG_ROWS = 10_000
_MONTH = re.compile(r"_\d{4}_\d{2}")
_PLAN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "


@dataclass(frozen=True, kw_only=True)
class Explained:
    question: str
    took_ms: float
    steps: list[str]
    end_to_end: list[str]
    """Big partitions that are read whole."""


async def explain(
    connection: "asyncpg.Connection[asyncpg.Record]",
    *,
    question: str,
    query: str,
    values: tuple[Any, ...],
    sizes: dict[str, float],
) -> Explained:
    """`sizes`: rows by table."""
    text = await connection.fetchval(_PLAN + query, *values)
    [document] = msgspec.json.decode(text)
    nodes = list(_walk(document["Plan"]))
    return Explained(
        question=question,
        took_ms=document["Execution Time"] + document["Planning Time"],
        steps=_shown(nodes),
        end_to_end=sorted(
            {
                node["Relation Name"]
                for node in nodes
                if node["Node Type"] in {"Seq Scan", "Parallel Seq Scan"}
                and sizes.get(node["Relation Name"], 0) > BIG_ROWS
                and node["Actual Loops"] > 0
            }
        ),
    )


async def table_sizes(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, float]:
    rows = await connection.fetch("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'")
    return {row["relname"]: row["reltuples"] for row in rows}


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


def _shown(nodes: Sequence[dict[str, Any]]) -> list[str]:
    """Each kind of step once, with its rows and how often it was done: partitions are many."""
    rows: dict[str, float] = {}
    times: dict[str, float] = {}
    for node in nodes:
        where = node.get("Index Name") or node.get("Relation Name") or ""
        if not node["Actual Loops"] or not where:
            continue
        name = f"{node['Node Type']} {_MONTH.sub('', where)}"
        rows[name] = rows.get(name, 0.0) + node["Actual Rows"] * node["Actual Loops"]
        times[name] = times.get(name, 0.0) + node["Actual Loops"]
    return [f"{name}: {rows[name]:,.0f} rows, {times[name]:,.0f} times" for name in rows]
