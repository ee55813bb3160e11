"""Documents that cannot rot: generated ones are in step, links lead somewhere. The alerts that they
show are run by test_docs_alerts.py.
"""

import re
from pathlib import Path

import pytest

from libs.common.contracts.reasons import EXPLANATIONS, Reason
from tools.documenting import documents

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


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
