"""Presence: what a process answers to the question who is there. No message of the log: it is told
when asked, and kept by nobody.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from libs.common.contracts.messages import Message


class Role(StrEnum):
    WORKS = "works"
    """It needs no lease: its replicas work side by side."""
    OWNER = "owner"
    STANDS_BY = "stands_by"
    WAITS = "waits"
    """Neither: it has just begun, must not be the owner, or sees no owner and has no lease yet."""


class Presence(Message, frozen=True, kw_only=True, tag="presence"):
    service: str
    instance: str
    """Host and process id."""
    version: str
    started_at: datetime
    ready: bool
    at: datetime
    missing: dict[str, str] = {}
    """By check, as `/health/ready` tells it."""
    role: Role = Role.WORKS
    work: str = ""
    """The lease's name, where there is one: of an executor its shard's."""


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Presence).decode
"""Raises `msgspec.MsgspecError` or `UnicodeDecodeError` for anything else."""
