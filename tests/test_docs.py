"""Documents that cannot rot: generated ones are in step, examples are run, links lead somewhere."""

import json
import re
from pathlib import Path

import pytest

from libs.common.contracts.alert import Order
from libs.common.contracts.reasons import EXPLANATIONS, Reason
from libs.common.contracts.words import Action
from services.ingest.parsing import parse_order
from tools.documenting import documents

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PLACEHOLDERS = {
    "{{ticker}}": "BTCUSDT.P",
    "{{strategy.order.action}}": "sell",
    "{{strategy.order.contracts}}": "0.002",
    "{{close}}": "50000.5",
}


@pytest.mark.parametrize("path", list(documents()), ids=lambda path: path.name)
def test_generated_documents_are_in_step(path):
    """`python -m tools.documenting` mends it."""
    assert path.read_text() == documents()[path]


def test_every_reason_is_explained():
    assert set(EXPLANATIONS) == set(Reason)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def bodies():
    for page in PAGES:
        for block in re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL):
            if "ticker" in block:
                yield pytest.param(block, id=page.name)


@pytest.mark.parametrize("block", list(bodies()))
def test_examples_of_alerts_are_understood(block):
    """As TradingView would send them, placeholders replaced."""
    for placeholder, value in PLACEHOLDERS.items():
        block = block.replace(placeholder, value)
    json.loads(block)
    order = parse_order(block.encode(), sized_by_route=False)
    assert isinstance(order, Order), order
    assert order.action in Action


def test_there_are_examples():
    assert len(list(bodies())) >= 2
