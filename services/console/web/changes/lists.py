"""`/changes`: what was changed by hand, by whom, and from what to what."""

from urllib.parse import urlencode

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from services.console.changes import page_of_changes
from services.console.differences import ChangeKind
from services.console.problems import Problem
from services.console.trail import Trail
from services.console.web.changes.telling import change_line
from services.console.web.rendering import Pages
from services.console.web.shell import Shell

_LINES = 50


@get("/")
async def show_changes(  # noqa: PLR0913, PLR0917 - one per filter
    trail: NamedDependency[Trail],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    kind: FromQuery[str] = "",
    id: FromQuery[str] = "",  # noqa: A002 - the parameter's name
    by: FromQuery[str] = "",
    before: FromQuery[str] = "",
) -> Response[str]:
    chosen = {"kind": kind.strip(), "id": id.strip(), "by": by.strip()}
    found = await page_of_changes(
        trail,
        kinds=_kinds(chosen["kind"]),
        name=chosen["id"] or None,
        made_by=chosen["by"] or None,
        before=before or None,
        limit=_LINES,
    )
    older = {**chosen, "before": found["next"]}
    return pages.page(
        "changes/page.html",
        shell=shell,
        changes=[change_line(each) for each in found["changes"]],
        kinds=[each.value for each in ChangeKind],
        chosen=chosen,
        is_filtered=any(chosen.values()),
        is_later_page=bool(before),
        older=_query(older) if found["next"] else None,
    )


# A form sends all its fields, the empty ones too.
def _kinds(text: str) -> list[ChangeKind]:
    try:
        return [ChangeKind(text)] if text else list(ChangeKind)
    except ValueError:
        raise Problem(422, "There is no such kind of change.", field="kind") from None


def _query(chosen: dict[str, str]) -> str:
    return urlencode({name: value for name, value in chosen.items() if value})


change_pages = Router("/changes", route_handlers=[show_changes])
