"""What lies around the whole application, in the order that it has to."""

from litestar.types import ASGIApp

from services.console.web.access.cookies import BegunCookies
from services.console.web.access.ending import CHECKED_EVERY_S, EndOfSession
from services.console.web.access.guarding import Access
from services.console.web.access.proxies import Forwarded
from services.console.web.headers import Headers


def with_edges(
    site: ASGIApp, access: Access, *, checked_every_s: float = CHECKED_EVERY_S
) -> ASGIApp:
    """Where a request comes from is settled first; headers stand on all that is answered."""
    tied = EndOfSession(BegunCookies(site, access), access, checked_every_s=checked_every_s)
    return Headers(Forwarded(tied, access.proxies), is_secure=access.is_secure)
