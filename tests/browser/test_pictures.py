"""Pictures: three of a page, alike when taken again, and those that the documents show."""

import struct

import pytest

from tests.browser.pictures import DOCUMENT, FOLDER, out_of_step
from tests.browser.serving import document, serving

SIZES = {"light": (1280, 800), "dark": (1280, 800), "phone": (390, 844)}
PAGE = document(
    "<h1>Alerts</h1><input autofocus>", head='<link rel="stylesheet" href="/moving.css">'
)
MOVING = """
@media (prefers-color-scheme: dark) { body { background: #000; color: #fff; } }
@keyframes along { to { transform: translateX(200px); } }
h1 { animation: along 1s infinite; }
"""


def size_of(path):
    return struct.unpack(">II", path.read_bytes()[16:24])


async def test_three_are_taken_and_come_out_alike_again(page, pictures):
    async with serving({"/": PAGE, "/moving.css": MOVING}) as url:
        await page.goto(url)
        taken = await pictures.take(page, "alerts")
        assert {path.stem.partition("-")[2]: size_of(path) for path in taken} == SIZES
        first = [path.read_bytes() for path in taken]
        assert len(set(first)) == 3
        assert [path.read_bytes() for path in await pictures.take(page, "alerts")] == first
        seen = await page.evaluate(
            "() => [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"
        )
        assert seen == [1280, False]


def test_the_document_shows_the_pictures_that_there_are():
    """`make pictures` takes them."""
    text = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    assert out_of_step(text, (path.name for path in FOLDER.glob("*"))) == []


@pytest.mark.parametrize(
    ("text", "files", "found"),
    [
        ("![Live](pictures/console/live-dark.png)", ["live-dark.png"], []),
        ('<img src="pictures/console/a.png">', [], ["not there: a.png"]),
        ("", ["a.png"], ["not shown: a.png"]),
    ],
    ids=["in-step", "not-there", "not-shown"],
)
def test_what_is_out_of_step_is_told(text, files, found):
    assert out_of_step(text, files) == found
