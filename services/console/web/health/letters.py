"""`/health/dead`: what a service gave up on, one letter whole, and putting its message into the log
again.
"""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from services.console.dead_letters import line_of, outlook, replay_letter, whole
from services.console.documents import Document
from services.console.letters import DeadLetters, Letter
from services.console.problems import Problem
from services.console.web.rendering import Pages
from services.console.web.shell import Shell

_LINES = 20
_SEE_OTHER = 303
_SEQ_MAX = 2**63 - 1


@get("/dead")
async def list_letters(
    dead_letters: NamedDependency[DeadLetters],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    before: Annotated[int | None, QueryParameter(ge=1, le=_SEQ_MAX)] = None,
) -> Response[str]:
    template = "health/dead.html" if shell.is_fragment else "health/dead-page.html"
    told: dict[str, Any] = {"shell": shell, "before": before}
    try:
        letters, following = await dead_letters.page(before=before, limit=_LINES)
    except Problem as problem:
        return pages.page(template, **told, letters=[], following=None, problem=problem.detail)
    lines = [_line(each) for each in letters]
    return pages.page(template, **told, letters=lines, following=following, problem=None)


@get("/dead/{seq:int}")
async def show_letter(
    dead_letters: NamedDependency[DeadLetters],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    seq: FromPath[int],
) -> Response[str]:
    letter = whole(await dead_letters.find(seq))
    return pages.page("health/letter.html", shell=shell, letter=letter)


@post("/dead/{seq:int}/replay", status_code=200)
async def replay(
    dead_letters: NamedDependency[DeadLetters],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    seq: FromPath[int],
) -> Response[str]:
    found, is_new = await replay_letter(dead_letters, seq)
    if not shell.is_fragment:
        return Response("", status_code=_SEE_OTHER, headers={"Location": f"/health/dead/{seq}"})
    return pages.page("health/replayed.html", shell=shell, letter=_line(found), is_new=is_new)


def _line(found: Letter) -> Document:
    return {**line_of(found), "outlook": outlook(found)}


letter_pages = (list_letters, show_letter, replay)
