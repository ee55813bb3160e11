"""What stands around every page: who looks, what is halted, where they are."""

from dataclasses import dataclass

from litestar.di import NamedDependency

from libs.common.contracts.control import Control
from services.console.callers import Caller
from services.console.problems import AnyRequest, Problem
from services.console.registry import Registry
from services.console.web.access.guarding import viewer_of
from services.console.web.access.viewers import Viewer


@dataclass(frozen=True, kw_only=True)
class Shell:
    viewer: Viewer
    path: str
    halts: list[Control] | None
    """None: the log does not answer, so nobody knows."""
    is_fragment: bool
    """Asked for by a script that puts it into a page which stands already."""


async def shell_of(
    request: AnyRequest, viewer: NamedDependency[Viewer], registry: NamedDependency[Registry]
) -> Shell:
    is_fragment = bool(request.headers.get("hx-request"))
    halts: list[Control] | None = None
    if not is_fragment:
        try:
            halts = await registry.controls.list()
        except Problem:
            halts = None
    return Shell(viewer=viewer, path=request.url.path, halts=halts, is_fragment=is_fragment)


def caller_of_page(request: AnyRequest) -> Caller:
    """As their changes stand in the trail."""
    viewer = viewer_of(request)
    return Caller(name=viewer.name, address=viewer.address)
