"""What stands around every page: who looks, what is halted, where they are."""

from dataclasses import dataclass
from hashlib import sha256

from litestar.di import NamedDependency

from libs.common.contracts.control import Control
from services.console.callers import Caller
from services.console.problems import AnyRequest
from services.console.standing import Standing
from services.console.web.access.guarding import viewer_of
from services.console.web.access.viewers import Viewer

_KEY_CHARS = 16


@dataclass(frozen=True, kw_only=True)
class Shell:
    viewer: Viewer
    path: str
    halts: list[Control] | None
    """None: the log does not answer, so nobody knows."""
    is_fragment: bool
    """Asked for by a script that puts it into a page which stands already."""

    @property
    def halts_key(self) -> str:
        """Changes with what the banner shows: a page that has this one needs no other."""
        known = "unknown" if self.halts is None else [each.halt_id for each in self.halts]
        told = f"{known} {self.viewer.role.value}"
        return sha256(told.encode()).hexdigest()[:_KEY_CHARS]


async def shell_of(
    request: AnyRequest, viewer: NamedDependency[Viewer], standing: NamedDependency[Standing]
) -> Shell:
    return Shell(
        viewer=viewer,
        path=request.url.path,
        halts=standing.now(),
        is_fragment=bool(request.headers.get("hx-request")),
    )


def caller_of_page(request: AnyRequest) -> Caller:
    """As their changes stand in the trail."""
    viewer = viewer_of(request)
    return Caller(name=viewer.name, address=viewer.address)
