"""Looks for secrets in whatever a run of the system has put out: files, answers, pages, spans and
rows. A part of a secret is found too, and each in the spellings that outputs have.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

SHORTEST = 12
_PART = 0.6
"""So much of a secret from either end is as bad as the whole."""
_NKEY_SEED = re.compile(rb"\bS[ACNOUX][A-Z2-7]{56}\b")
_PIECE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Finding:
    place: str
    secret: str
    """Its name, never itself."""
    around: str

    def __str__(self) -> str:
        return f"{self.secret} in {self.place}: …{self.around}…"


@dataclass(kw_only=True)
class Leaks:
    """Knows the secrets by name; `known` are places that may hold one, by their beginning."""

    secrets: Mapping[str, str]
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Names of secrets by the beginning of a place; `*` is all of them."""

    def __post_init__(self) -> None:
        for name, secret in self.secrets.items():
            assert len(secret) >= SHORTEST, f"{name} is too short to be told from other text"
        self._spellings = [
            (name, spelling)
            for name, secret in self.secrets.items()
            for spelling in sorted(spellings(secret))
        ]

    def within(self, place: str, content: bytes | str) -> list[Finding]:
        raw = content.encode(errors="surrogateescape") if isinstance(content, str) else content
        found: dict[str, Finding] = {}
        for name, spelling in self._spellings:
            if name in found or self._is_known(place, name):
                continue
            at = raw.find(spelling)
            if at >= 0:
                around = raw[max(0, at - 60) : at] + b"***" + raw[at + len(spelling) :][:40]
                shown = around.decode(errors="replace")
                found[name] = Finding(place=place, secret=name, around=shown)
        if not self._is_known(place, "nkey seed") and _NKEY_SEED.search(raw):
            found["nkey seed"] = Finding(place=place, secret="nkey seed", around="")
        return list(found.values())

    def among(self, outputs: Iterable[tuple[str, bytes | str]]) -> list[Finding]:
        return [found for place, content in outputs for found in self.within(place, content)]

    def _is_known(self, place: str, name: str) -> bool:
        return any(
            place.startswith(begin) and not names.isdisjoint({name, "*"})
            for begin, names in self.known.items()
        )


def spellings(secret: str) -> set[bytes]:
    """Of the secret's beginning and end, each long enough to give it away."""
    length = max(SHORTEST, int(len(secret) * _PART))
    found: set[bytes] = set()
    for part in {secret[:length], secret[-length:]}:
        raw = part.encode()
        found |= {
            *(raw, raw.hex().encode(), raw.hex().upper().encode(), part[::-1].encode()),
            *(quote(part).encode(), quote(part, safe="").encode(), quote_plus(part).encode()),
            *(html.escape(part).encode(), html.escape(part, quote=False).encode()),
            *(json.dumps(part)[1:-1].encode(), repr(part)[1:-1].encode()),
            *(json.dumps(part, ensure_ascii=False)[1:-1].encode(), part.encode("utf-16-le")),
            # A JSON text inside another, as a body within a message.
            json.dumps(json.dumps(part)[1:-1])[1:-1].encode(),
            *_in_base64(raw),
        }
    return found


def kept_below(directory: Path) -> dict[str, str]:
    """What the stack in that folder keeps for its owner, by name."""
    kept = json.loads((directory / "credentials.json").read_text())
    found = {name: value for name, value in kept.items() if name != "nats_user"}
    demo = json.loads((directory / "demo.json").read_text())
    found |= {"secret key": demo["secret_key"], "webhook token": demo["token"]}
    for number, key in enumerate((directory / "sealing.key").read_text().split(), start=1):
        found[f"sealing key {number}"] = key
    return found


def files_below(folder: Path, *, named: str) -> Iterator[tuple[str, bytes]]:
    """Every file, in pieces that overlap; those that go meanwhile are left out."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        place = f"{named}/{path.relative_to(folder)}"
        try:
            with path.open("rb") as file:
                tail = b""
                while piece := file.read(_PIECE_BYTES):
                    yield place, tail + piece
                    tail = piece[-1024:]
        except FileNotFoundError:
            continue


# Three bytes are four characters: where in other text it begins decides how it is spelt, and its
# edges depend on what stands beside it.
def _in_base64(raw: bytes) -> Iterator[bytes]:
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).rstrip(b"=")
        begin = (0, 2, 3)[before]
        end = len(encoded) - (0 if (before + len(raw)) % 3 == 0 else 1)
        yield encoded[begin:end]
        yield encoded[begin:end].translate(bytes.maketrans(b"+/", b"-_"))
