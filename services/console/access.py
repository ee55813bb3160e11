"""Who may use the API: whoever brings the console's token."""

import hmac

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from libs.common.secret import Secret
from services.console.problems import Problem


def bearer_guard(token: Secret) -> Guard:
    expected = f"Bearer {token.reveal()}".encode()

    def guard(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
        given = connection.headers.get("authorization", "").encode("utf-8", "surrogateescape")
        # Hashing is not needed: compare_digest leaks the length alone, which is no secret.
        if not hmac.compare_digest(given, expected):
            raise Problem(401, "This API asks for the header `Authorization: Bearer <token>`.")

    return guard
