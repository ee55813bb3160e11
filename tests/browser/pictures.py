"""Pictures of the console for docs/console.md, taken by the tests that look at its pages.

Each run takes them, so that taking them is tested; only TEST_PICTURES=docs (`make pictures`) keeps
them in the documents, since another font or another Chromium draws other bytes.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from playwright.async_api import Page

from tests.browser.looks import DESKTOP, PHONE

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "console.md"
FOLDER = ROOT / "docs" / "pictures" / "console"
VARIANTS = {"light": ("light", DESKTOP), "dark": ("dark", DESKTOP), "phone": ("light", PHONE)}

_SHOWN = re.compile(r"pictures/console/([\w.-]+\.png)")


class Pictures:
    def __init__(self, *, otherwise: Path) -> None:
        self.folder = FOLDER if os.environ.get("TEST_PICTURES") == "docs" else otherwise

    async def take(
        self,
        page: Page,
        name: str,
        *,
        variants: Iterable[str] = tuple(VARIANTS),
        full: bool = False,
    ) -> list[Path]:
        """`name`-light, -dark and -phone of what the page shows now; the page stays as it was."""
        self.folder.mkdir(parents=True, exist_ok=True)
        before = page.viewport_size or DESKTOP
        dark = await page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
        taken = []
        for variant in variants:
            scheme, size = VARIANTS[variant]
            await page.emulate_media(color_scheme=scheme)
            await page.set_viewport_size(size)
            path = self.folder / f"{name}-{variant}.png"
            # The same page gives the same bytes: nothing moves or blinks, a pixel is a pixel.
            await page.screenshot(
                path=path, full_page=full, animations="disabled", caret="hide", scale="css"
            )
            taken.append(path)
        await page.emulate_media(color_scheme="dark" if dark else "light")
        await page.set_viewport_size(before)
        return taken


def out_of_step(text: str, files: Iterable[str]) -> list[str]:
    """What the document shows and is not there, and what is there and not shown."""
    shown, there = set(_SHOWN.findall(text)), set(files)
    return [f"not there: {name}" for name in sorted(shown - there)] + [
        f"not shown: {name}" for name in sorted(there - shown)
    ]
