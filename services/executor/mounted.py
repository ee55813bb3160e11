"""Secret keys that come as mounted files instead of sealed boxes: the file's name is the account's
id, what it holds is the secret key. They are read again whenever they were changed.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from libs.common.sealing import SealError
from libs.common.secret import Secret, overwrite
from libs.common.settings import SettingsError
from services.executor.sealing_keys import read_into_memory, stamp_of

LOOK_S = 1.0
_SECRET_BYTES_MAX = 1024
_SPACE = b" \t\r\n"

_log = structlog.get_logger()


class MountedSecrets:
    """Of one folder; None: there is none."""

    def __init__(self, folder: Path | None) -> None:
        """Raises `SettingsError` where the folder is not there."""
        self._folder = folder
        self._secrets: dict[str, Secret] = {}
        self._stamps: dict[str, object] = {}
        self._unread: dict[str, str] = {}
        if folder is not None and not folder.is_dir():
            raise SettingsError(f"ALERTWIRE_SECRETS_DIR: {folder} is no folder")
        self.look()

    def get(self, account: str) -> Secret | None:
        """Another object once the file holds another key."""
        return self._secrets.get(account)

    def why_not(self, account: str) -> str:
        """Why there is none."""
        if self._folder is None:
            return "it should be mounted, and ALERTWIRE_SECRETS_DIR names no folder"
        problem = self._unread.get(account)
        if problem is not None:
            return f"its mounted file cannot be used ({problem})"
        return f"it should be mounted, and there is no file {account} in ALERTWIRE_SECRETS_DIR"

    async def follow(self, on_change: Callable[[], None]) -> None:
        """Until cancelled."""
        while self._folder is not None:
            await asyncio.sleep(LOOK_S)
            if self.look():
                on_change()

    def look(self) -> bool:
        """Whether something has changed. A folder that cannot be read changes nothing."""
        if self._folder is None:
            return False
        try:
            # Kubernetes keeps what the links lead to in folders whose names begin with dots.
            names = {path.name for path in self._folder.iterdir() if not path.name.startswith(".")}
        except OSError as error:
            self._tell("", error.strerror or "")
            return False
        changed = self._drop(self._secrets.keys() - names)
        for gone in (self._stamps.keys() | self._unread.keys()) - names:
            self._stamps.pop(gone, None)
            self._unread.pop(gone, None)
        for name in sorted(names):
            changed |= self._look_at(self._folder / name)
        return changed

    def wipe(self) -> None:
        self._drop(set(self._secrets))

    def _look_at(self, path: Path) -> bool:
        name = path.name
        try:
            stamp = stamp_of(path)
            if stamp == self._stamps.get(name):
                return False
            secret = _read(path)
        except (OSError, SealError) as error:
            # The key of before counts on: a file that is just being written is empty at first.
            self._tell(name, (error.strerror or "") if isinstance(error, OSError) else str(error))
            return False
        self._stamps[name] = stamp
        self._unread.pop(name, None)
        before = self._secrets.get(name)
        if before == secret:
            return False
        self._secrets[name] = secret
        if before is not None:
            before.wipe()
        _log.info("secret.mounted", account=name)
        return True

    def _drop(self, names: set[str]) -> bool:
        for name in names:
            self._secrets.pop(name).wipe()
            _log.warning("secret.unmounted", account=name)
        return bool(names)

    def _tell(self, name: str, why: str) -> None:
        if self._unread.get(name) != why:
            self._unread[name] = why
            _log.error("secret.unread", account=name, reason=why)


def _read(path: Path) -> Secret:
    memory = read_into_memory(path, bytes_max=_SECRET_BYTES_MAX)
    # Editors and `kubectl create secret` leave a line's end behind.
    while memory and memory[-1] in _SPACE:
        memory.pop()
    while memory and memory[0] in _SPACE:
        del memory[0]
    if not memory:
        raise SealError("it is empty")
    if any(byte in _SPACE for byte in memory):
        overwrite(memory)
        raise SealError("there is more than one word in it")
    return Secret(memory)
