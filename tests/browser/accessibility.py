"""Whether everybody can use a page, as far as axe-core can tell.

The script is handed in through the debugger, which no content security policy of the page concerns:
the policy stays as strict as it is served, and what breaks it is still seen.
"""

import asyncio
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
TIMEOUT_S = 20

_RUN = """(options) => window.axe.run(document, options).then((found) => found.violations)"""


async def violations(page: Page) -> list[str]:
    """Each as text: rule, impact, where, and what would mend it. Needs a page with JavaScript."""
    options = {"runOnly": {"type": "tag", "values": list(TAGS)}, "resultTypes": ["violations"]}
    async with asyncio.timeout(TIMEOUT_S):
        if not await page.evaluate("() => 'axe' in window"):
            await page.evaluate(AXE_SCRIPT)
        found: list[dict[str, Any]] = await page.evaluate(_RUN, options)
    return [_described(violation, node) for violation in found for node in violation["nodes"]]


async def assert_accessible(page: Page) -> None:
    found = await violations(page)
    assert not found, f"{page.url} breaks {len(found)} rules of axe:\n" + "\n".join(found)


def _described(violation: dict[str, Any], node: dict[str, Any]) -> str:
    where = " ".join(str(target) for target in node["target"])
    told = node["failureSummary"].replace("\n", "\n    ")
    return (
        f"{violation['id']} ({violation['impact']}) at {where}: {violation['help']}\n"
        f"    {node['html']}\n    {told}\n    {violation['helpUrl']}"
    )
