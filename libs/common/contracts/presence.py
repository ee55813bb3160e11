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
    """The names of the leases that it has in this role, where there are any: of an executor its
    shard's."""
    leases: dict[str, Role] = {}
    """What it is to each. An older release does not tell."""

    def owns(self, lease: str) -> bool:
        """Whether it has that lease."""
        if not self.leases:
            return self.role is Role.OWNER and self.work == lease
        return self.leases.get(lease) is Role.OWNER


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Presence).decode
"""Raises `msgspec.MsgspecError` or `UnicodeDecodeError` for anything else."""
