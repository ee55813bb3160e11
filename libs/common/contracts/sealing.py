"""What executors tell about the sealing keys that they have, and about the secret keys of their
accounts. Nothing here is a message of the log, and nothing tells a key: boxes can be opened by the
executor alone.
"""

from enum import StrEnum

from libs.common.contracts.messages import Part
from libs.common.contracts.words import AccountId


class SecretState(StrEnum):
    """Of an account's secret key, as one executor sees it."""

    SEALED = "sealed"
    """It can be opened."""
    MOUNTED = "mounted"
    """Its file is there."""
    UNUSABLE = "unusable"
    """It is missing, or cannot be opened."""


class SecretHeld(Part, frozen=True, kw_only=True):
    account: AccountId
    state: SecretState
    key: str = ""
    """The id of the sealing key that it was sealed for."""
    why: str = ""
    """Why it is unusable."""


class SealingTold(Part, frozen=True, kw_only=True):
    """The answer of one executor to `ask.sealing`; one that stands by answers as well, since it may
    take over, and must be able to open what is sealed.
    """

    instance: str
    shard: int
    shards: int
    keys: tuple[str, ...]
    """By their ids; the current one first."""
    secrets: tuple[SecretHeld, ...] = ()
    """Of the accounts of its shard."""
    problem: str = ""
    """Why it has not taken the key file as it is now."""


class ResealAnswered(Part, frozen=True, kw_only=True):
    """The answer to `ask.reseal.<account>`: its secret key, sealed for the current sealing key of
    the executor that answers, and for no key that whoever asks might name.
    """

    key: str = ""
    box: bytes = b""
    revision: int = 0
    """Of the box that it was made of: it may take the place of that one alone."""
    problem: str = ""
