"""The contracts that are traded, from the data file beside this module: rows as MEXC shows them,
what the engine needs of each, and the prices that a fresh exchange starts with.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.state import Price
from tools.paper_exchange.numbers import number


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    contracts: dict[str, Contract]
    rows: dict[str, msgspec.Raw]
    starting_prices: dict[str, Price]
    funding_rates: dict[str, Decimal]


def load_catalogue() -> Catalogue:
    text = Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8")
    data = json.loads(text, parse_float=Decimal)
    rows = {row["symbol"]: row for row in data["contracts"]}
    return Catalogue(
        contracts={symbol: msgspec.convert(row, Contract) for symbol, row in rows.items()},
        rows={
            symbol: msgspec.Raw(msgspec.json.encode(_with_plain_numbers(row)))
            for symbol, row in rows.items()
        },
        starting_prices={
            symbol: Price(**{name: Decimal(row[name]) for name in ("last", "fair", "index")})
            for symbol, row in data["prices"].items()
        },
        funding_rates={
            symbol: Decimal(row["fundingRate"]) for symbol, row in data["prices"].items()
        },
    )


def with_changes(row: msgspec.Raw, changes: Mapping[str, Any]) -> msgspec.Raw:
    """A row that shows some fields differently."""
    if not changes:
        return row
    shown = json.loads(bytes(row), parse_float=Decimal) | changes
    return msgspec.Raw(msgspec.json.encode(_with_plain_numbers(shown)))


def _with_plain_numbers(value: Any) -> Any:
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, dict):
        return {name: _with_plain_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_plain_numbers(inner) for inner in value]
    return value
