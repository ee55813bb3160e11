"""Under which address the exchange sees its callers: as an echo service tells it, and feigned, so
that linked addresses can be tried on one machine.
"""

import ipaddress
from collections.abc import Mapping

import msgspec

from tools.paper_exchange.control.replying import WrongBodyError, answer, decoded
from tools.paper_exchange.rest.replies import Answer
from tools.paper_exchange.venue import Venue

NAME = "address"
TELLING = ("GET", NAME)


class AddressBody(msgspec.Struct, forbid_unknown_fields=True):
    seen: str | None
    """`None`: callers are seen under their own addresses again."""

    def __post_init__(self) -> None:
        if self.seen is not None:
            ipaddress.ip_address(self.seen)


def told(peer: str, params: Mapping[str, str]) -> Answer:
    """The caller's address, as JSON or, with `format=text`, bare with the line's end."""
    match params.get("format", "json"):
        case "json":
            return answer(200, {"ip": peer})
        case "text":
            return Answer(0, f"{peer}\n".encode(), content_type="text/plain")
        case other:
            raise WrongBodyError(f"format is json or text, not {other!r}")


def feign(venue: Venue, _rest: str, body: bytes) -> Answer:
    """From here on every caller is seen under that address; sockets that are open stay as they
    were seen.
    """
    venue.seen_address = decoded(body, AddressBody).seen
    return answer(200, {"seen": venue.seen_address})
