"""Who asks for a change, as it stands in the trail: what they call themselves, and from where. The
token is what lets them in; the name is theirs to choose.
"""

from dataclasses import dataclass

from services.console.problems import AnyRequest

HEADER = "Alertwire-By"
NAME_CHARS_MAX = 100
_NOBODY_SAID = "console"


@dataclass(frozen=True, kw_only=True)
class Caller:
    name: str
    """Empty where they did not say."""
    address: str

    @property
    def made_by(self) -> str:
        """For the trail."""
        return f"{self.name or _NOBODY_SAID} from {self.address}"


def caller_of(request: AnyRequest) -> Caller:
    """Never refuses anybody: a name that is no name is cut and cleaned."""
    # HTTP headers are bytes; what is no ASCII comes as UTF-8 from those who send it at all.
    raw = request.headers.get(HEADER, "").encode("latin-1", errors="replace")
    name = raw.decode(errors="replace").strip()[:NAME_CHARS_MAX]
    address = request.client.host if request.client is not None else "nowhere"
    return Caller(
        name="".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name),
        address=address,
    )
