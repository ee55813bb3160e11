"""As whom PostgreSQL runs: it refuses root, so root lends it the unprivileged user `nobody`."""

import dataclasses
import os
import pwd
import subprocess
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Identity:
    uid: int
    gid: int

    def spawn_options(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        return self.succeeds("/bin/sh", "-c", 'cd "$1"', "sh", str(folder))

    def succeeds(self, *argv: str) -> bool:
        """Whether a program run as this user ends well.

        Rights are asked by using them, since mode bits are not the whole truth.
        """
        done = subprocess.run(
            argv,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self.spawn_options(),
        )
        return done.returncode == 0


def unprivileged() -> Identity | None:
    """The user to become, or None where we are not root and stay who we are."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Identity(uid=entry.pw_uid, gid=entry.pw_gid)
