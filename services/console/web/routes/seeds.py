"""A test is sent once, however often its button is pressed or its form is sent again: pure.

Each opened form has a seed, and what it sends has an id, a function of the seed and the message. So
a changed field is another test, the same fields are the same one, and "send another" is a new seed.
Ingest knows the id again, whichever console has sent the first; one that ingest may have forgotten
is not sent any more (`check_age` of services/console/messages.py).
"""

import re
from hashlib import sha256

from services.console.messages import new_id
from services.console.problems import Problem

_SEED = re.compile(r"(?P<ms>[0-9]{13})-[0-9a-f]{16}")


def new_seed(*, unix_ms: int, random_bits: int) -> str:
    return f"{unix_ms:013d}-{random_bits:016x}"


def id_of(seed: str, message: str) -> str:
    """Raises a 409 `Problem` for what is no seed of ours."""
    found = _SEED.fullmatch(seed)
    if found is None:
        raise Problem(409, "This form cannot be sent any more: open it again.")
    digest = sha256(f"{seed}\0{message}".encode()).digest()
    return new_id(unix_ms=int(found["ms"]), random_bits=int.from_bytes(digest[:4]))
