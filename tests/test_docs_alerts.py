"""Alerts in documents: each is parsed, and what the document says becomes of it is what becomes."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from libs.common.contracts.alert import Order
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, SizingMode
from services.ingest import vocabulary
from services.ingest.fields import Words
from services.ingest.parsing import Parsed, Unparsed
from tests.documented_alerts import Shown, filled, parsed, shown_alerts

ROOT = Path(__file__).parent.parent
FORMAT = ROOT / "docs" / "alert-format.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SHOWN = [
    pytest.param(shown, id=f"{page.name}-{number}")
    for page in PAGES
    for number, shown in enumerate(shown_alerts(page))
]
FLIP = {
    "{{ticker}}": "BTCUSDT.P",
    "{{strategy.order.action}}": "sell",
    "{{strategy.order.contracts}}": "0.002",
    "{{strategy.market_position}}": "short",
    "{{strategy.market_position_size}}": "0.001",
    "{{strategy.prev_market_position}}": "long",
    "{{strategy.prev_market_position_size}}": "0.001",
    "{{strategy.position_size}}": "-0.001",
    "{{close}}": "50000.5",
}
TEXT = FORMAT.read_text()
TEMPLATES = {
    "target template": "A strategy: the target template",
    "net template": "A strategy: the net template",
    "the trap": "The trap: partial exits and flips",
}


@pytest.mark.parametrize("shown", SHOWN)
def test_a_shown_alert_becomes_what_is_said_of_it(shown: Shown) -> None:
    body = filled(shown.body, values=FLIP)
    json.loads(body)
    found = parsed(body, route=shown.route)
    if shown.refused is None:
        assert isinstance(found, Parsed), found
        order = msgspec.json.decode(msgspec.json.encode(found.order))
        assert (shown.order or {}).items() <= order.items()
    else:
        assert isinstance(found, Unparsed), found
        refusal = found.refusal
        assert (str(refusal.status), refusal.reason, refusal.field) == shown.refused


def test_enough_is_shown_and_told() -> None:
    shown = shown_alerts(FORMAT)
    assert len(shown) > 20
    assert sum(one.refused is not None for one in shown) >= 8
    assert sum(one.order is not None for one in shown) >= 8
    assert sum(bool(one.route) for one in shown) >= 4
    # Nothing is said of an alert that the pattern would not see.
    assert TEXT.count("Refused: ") == sum(one.refused is not None for one in shown)
    assert TEXT.count("Understood as ") == sum(one.order is not None for one in shown)
    assert TEXT.count("\nRoute: ") == sum(bool(one.route) for one in shown)
    assert len(shown_alerts(ROOT / "README.md")) >= 1


def test_the_templates_do_what_their_table_says() -> None:
    """The numbers of the one table, put into the templates, give the words of the other."""
    placed, made = (table(first) for first in ("flat to long 1 | buy", "flat to long 1 | move"))
    assert [row["what happens"] for row in placed] == [row["what happens"] for row in made]
    assert len(placed) == 4
    for values, row in zip(placed, made, strict=True):
        for name, heading in TEMPLATES.items():
            shown = next(one for one in shown_alerts(FORMAT) if one.heading == heading)
            body = filled(shown.body, values={**FLIP, **values})
            found = parsed(body, route={})
            assert isinstance(found, Parsed), found
            assert told(found.order) == row[name], (name, row["what happens"])


def test_the_same_position_may_be_told_with_a_sign() -> None:
    for values in table("flat to long 1 | buy"):
        body = filled(
            '{"ticker": "T", "position_size": "{{strategy.position_size}}"}', values=values
        )
        found = parsed(body, route={})
        assert isinstance(found, Parsed)
        side, size = values["{{strategy.market_position}}"], "{{strategy.market_position_size}}"
        assert found.order.wanted == side
        assert str(found.order.quantity) == values[size]


@pytest.mark.parametrize(
    "names",
    [value for name, value in vars(vocabulary).items() if name.isupper() and type(value) is tuple],
)
def test_every_name_of_a_field_is_in_the_table(names: tuple[str, ...]) -> None:
    for name in names:
        assert f"`{name}`" in TEXT


@pytest.mark.parametrize(
    "words",
    [value for value in vars(vocabulary).values() if isinstance(value, Words)],
    ids=str,
)
def test_every_word_of_a_field_is_in_the_document(words: Words[object]) -> None:
    for word in words.meanings:
        assert f"`{word}`" in TEXT, word


@pytest.mark.parametrize("mode", list(SizingMode))
def test_every_sizing_mode_has_its_formula(mode: SizingMode) -> None:
    assert re.search(rf"^\| `{mode}` \| .*number.*\|", TEXT, re.MULTILINE)


def test_the_refusals_that_are_listed_exist() -> None:
    listed = re.findall(r"^\| (4\d\d|503) \| (?:`(\w+)`)? ?\|", TEXT, re.MULTILINE)
    assert {reason for _, reason in listed if reason} <= {reason.value for reason in Reason}
    assert {"401", "403", "404", "413", "415", "422", "429", "503"} <= {row[0] for row in listed}


def told(order: Order) -> str:
    if order.action is Action.TARGET:
        assert order.wanted is not None
        return f"move to {order.wanted}{f' {order.quantity}' if order.quantity else ''}"
    if order.action is Action.FLAT:
        return "flat"
    return f"{order.action} {order.quantity}"


def table(first: str) -> list[dict[str, str]]:
    """The document's table whose first row begins like that; its cells without back-ticks."""
    lines = TEXT.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first}"))
    heads = cells(lines[start - 2])
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(heads, cells(line), strict=True)))
    return rows


def cells(line: str) -> list[str]:
    return [cell.strip().strip("`") for cell in line.strip("|").split("|")]
