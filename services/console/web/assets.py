"""Scripts, styles and pictures, read once at the start: vendored or ours, never from elsewhere.

Each is named by what it holds, so a browser keeps it for good and a new release has new names. The
files of `static/styles/` are one stylesheet, in the order of their names.
"""

import gzip
import mimetypes
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from services.console.problems import AnyRequest, Problem

STYLESHEET = "console.css"
_FOLDER = Path(__file__).parent.parent / "static"
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
_SERVED = {".js", ".css", ".svg", ".png", ".ico"}
_HASH_CHARS = 12


@dataclass(frozen=True, kw_only=True)
class Asset:
    body: bytes
    zipped: bytes
    media_type: str
    digest: str


class Assets:
    """What `static/` holds; `address` of one that is not there is an error at the start."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        styles = sorted((folder / "styles").glob("*.css"))
        files = {
            path.name: path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in _SERVED and path not in styles
        }
        files[STYLESHEET] = b"\n".join(path.read_bytes() for path in styles)
        self._assets = {name: _asset(name, body) for name, body in files.items()}

    def address(self, name: str) -> str:
        """Of one asset, by the name of its file. Raises `KeyError`."""
        return f"/static/{self._assets[name].digest}/{name}"

    def find(self, name: str, *, digest: str) -> Asset | None:
        """None where it is another release's."""
        found = self._assets.get(name)
        return found if found is not None and found.digest == digest else None


def _asset(name: str, body: bytes) -> Asset:
    return Asset(
        body=body,
        zipped=gzip.compress(body, mtime=0),
        media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        digest=sha256(body).hexdigest()[:_HASH_CHARS],
    )


@get("/{digest:str}/{name:str}", sync_to_thread=False)
def show_asset(
    request: AnyRequest,
    assets: NamedDependency[Assets],
    digest: FromPath[str],
    name: FromPath[str],
) -> Response[bytes]:
    found = assets.find(name, digest=digest)
    if found is None:
        raise Problem(404, "This release has no such file.")
    # Pages themselves are never compressed: what a stranger puts into them would let the length of
    # an answer tell of the secrets beside it (BREACH). These hold no secrets.
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers = {**_KEPT, "Content-Encoding": "gzip"}
        return Response(found.zipped, media_type=found.media_type, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=_KEPT)


asset_router = Router("/static", route_handlers=[show_asset])
