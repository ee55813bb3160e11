"""The secret that a route may ask for inside the body: compared by its hash, and never stored."""

import hmac
import re
from hashlib import sha256

import msgspec

from libs.common.contracts.reasons import Reason
from services.ingest.objects import Body
from services.ingest.refusals import Refusal

FIELD = "secret"
STARS = "***"

_STARS_LITERAL = msgspec.json.encode(STARS)
_MENTION = re.compile(r'"secret"', re.IGNORECASE)
# The field in text that is no JSON: its value in quotes, ended or not, or bare up to a delimiter.
_LOOSE = re.compile(r"""(["']?secret["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|[^,}\s]+)""", re.IGNORECASE)


def is_wrong(body: Body, *, expected_sha256: str | None) -> Refusal | None:
    """A refusal where the route asks for a secret and the body does not hold it."""
    if expected_sha256 is None:
        return None
    given = secret_of(body)
    actual = sha256((given or "").encode()).hexdigest()
    right = hmac.compare_digest(actual, expected_sha256)
    if right and given is not None and FIELD not in body.ambiguous:
        return None
    return Refusal(
        status=401,
        reason=Reason.BODY_SECRET_WRONG,
        message=f'This route asks for its body secret in the field "{FIELD}".',
        field=FIELD,
    )


def secret_of(body: Body) -> str | None:
    field = body.fields.get(FIELD)
    if field is None:
        return None
    if field.literal.startswith(b'"'):
        return str(msgspec.json.decode(field.literal))
    return field.literal.decode()


def redacted(body: Body) -> str:
    """The body's text with stars for the secret's value; the rest as it came where possible."""
    if FIELD not in body.fields:
        return body.text
    literal = body.fields[FIELD].literal.decode()
    if body.text.count(literal) == 1 and len(_MENTION.findall(body.text)) == 1:
        return body.text.replace(literal, _STARS_LITERAL.decode())
    # Names that are repeated or escaped: written anew, where each name occurs once.
    stars = msgspec.Raw(_STARS_LITERAL)
    anew = {name: stars if name.lower() == FIELD else raw for name, raw in body.members.items()}
    return msgspec.json.encode(anew).decode()


def redacted_text(text: str, *, secret_expected: bool) -> str:
    """The same for text that is no JSON object; empty where a secret could not be found in it."""
    safe, replaced = _LOOSE.subn(lambda found: f'{found[1]}"{STARS}"', text)
    if secret_expected and replaced < text.lower().count(FIELD):
        return ""
    return safe
