"""`/api/changes`: what was changed by hand, by whom, and from what to what. Read from the trail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from libs.common.contracts import subjects
from services.console.differences import ChangeKind, difference, how
from services.console.documents import Document
from services.console.problems import Problem
from services.console.trail import ChangeRow, Place, Trail

_PAGE_MAX = 500
_POSITION = re.compile(r"(?P<us>[0-9]{1,18})-(?P<stream>\w{1,64})-(?P<seq>[0-9]{1,18})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class _Named:
    """What was changed. A halt has the scope that it stands for, and no id where that is all."""

    id: str | None
    scope: str | None = None


@get("/")
async def list_changes(  # noqa: PLR0913 - one argument per parameter
    *,
    trail: NamedDependency[Trail],
    kind: FromQuery[ChangeKind | None] = None,
    id: FromQuery[str | None] = None,  # noqa: A002 - the parameter's name
    route: FromQuery[str | None] = None,
    account: FromQuery[str | None] = None,
    by: FromQuery[str | None] = None,
    before: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_MAX)] = 50,
) -> Document:
    """Newest first; `next` is the `before` of the next page, null at the end. `route` and `account`
    find all that is about one of them: its secret and its halts, too. `by` is a part of who
    made it.
    """
    return await page_of_changes(
        trail,
        kinds=[kind] if kind is not None else list(ChangeKind),
        name=id,
        route=route,
        account=account,
        made_by=by,
        before=before,
        limit=limit,
    )


async def page_of_changes(  # noqa: PLR0913 - filters, each by name
    trail: Trail,
    *,
    kinds: Sequence[ChangeKind] = tuple(ChangeKind),
    name: str | None = None,
    route: str | None = None,
    account: str | None = None,
    made_by: str | None = None,
    before: str | None,
    limit: int,
) -> Document:
    """A page of changes, and where the next one begins."""
    found = await trail.changes(
        kinds=kinds,
        name=name,
        route=route,
        account=account,
        made_by=made_by,
        before=None if before is None else place_of_change(before),
        # One more than asked, to know whether there is a next page.
        limit=limit + 1,
    )
    page = found[:limit]
    return {
        "changes": [change_document(row) for row in page],
        "next": position_of_change(page[-1].place) if len(found) > limit else None,
    }


def change_document(row: ChangeRow) -> Document:
    """As the API tells it."""
    kind = ChangeKind(row.stage.partition(".")[0])
    named = _named(kind, row.subject)
    return {
        "at": row.place.stored_at.isoformat().replace("+00:00", "Z"),
        "made_by": row.made_by,
        "kind": kind.value,
        "scope": named.scope,
        "id": named.id,
        "how": how(row.now, row.before).value,
        "fields": difference(kind, row.now, row.before),
        "revision": row.place.seq,
    }


def _named(kind: ChangeKind, subject: str) -> _Named:
    _, key = subjects.parse_bucket_subject(subject)
    if kind is not ChangeKind.CONTROL:
        return _Named(id=key)
    scope, name = subjects.parse_control_key(key)
    return _Named(id=name, scope=scope)


def position_of_change(place: Place) -> str:
    microseconds = (place.stored_at - _EPOCH) // timedelta(microseconds=1)
    return f"{microseconds}-{place.stream}-{place.seq}"


def place_of_change(position: str) -> Place:
    found = _POSITION.fullmatch(position)
    if found is None:
        raise Problem(
            422, "`before` is the `next` of a page before.", field="before", value=position
        )
    try:
        stored_at = _EPOCH + timedelta(microseconds=int(found["us"]))
    except OverflowError:
        stored_at = datetime.max.replace(tzinfo=UTC)
    return Place(stored_at=stored_at, stream=found["stream"], seq=int(found["seq"]))


change_router = Router("/changes", route_handlers=[list_changes])
