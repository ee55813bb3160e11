"""axe finds what it should, and the page's content security policy holds before and after it."""

import pytest

from tests.browser.accessibility import assert_accessible, violations
from tests.browser.serving import document, serving

GOOD = document("<main><h1>Alerts</h1><label>Name <input name='name'></label></main>")
BAD = document("<main><h1>Alerts</h1><input name='name'><img src='data:,'></main>")
FAINT = document("<main><h1>Alerts</h1></main>", head='<link rel="stylesheet" href="/faint.css">')
CSS = """
h1 { color: #eee; background: #fff; }
@media (prefers-color-scheme: dark) { h1 { color: #111; } }
"""


async def test_a_good_page_passes_and_its_policy_holds(page, faults):
    async with serving({"/": GOOD}) as url:
        await page.goto(url)
        await assert_accessible(page)
        assert faults.complaints() == []
        # A page that the policy no longer protects would run this.
        faults.allow("csp", "script-src-elem forbids inline")
        faults.allow("console", "Executing inline script violates")
        await page.evaluate(
            "() => document.body.append(Object.assign(document.createElement('script'),"
            " {textContent: 'document.title = 1'}))"
        )
        assert await page.title() == "A page"


async def test_a_violation_is_told_with_its_place_and_mend(page):
    async with serving({"/": BAD}) as url:
        await page.goto(url)
        with pytest.raises(AssertionError) as failed:
            await assert_accessible(page)
    text = str(failed.value)
    assert "label (critical) at input" in text
    assert "image-alt (critical) at img" in text
    assert "Form elements must have labels" in text


async def test_colours_are_looked_at_as_they_are_shown(visits):
    async with serving({"/": FAINT, "/faint.css": CSS}) as url:
        for scheme, found in (("light", 1), ("dark", 0)):
            page = await visits.page(url, scheme=scheme)
            await page.goto("/")
            assert len(await violations(page)) == found
