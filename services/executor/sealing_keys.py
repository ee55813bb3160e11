"""The private sealing keys of this executor: the current one, which secrets are sealed for, and
older ones, which still open what was sealed for them. Their file is read again whenever it was
changed, so that a rotation needs no restart (docs/decisions/0034).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from libs.common.sealing import SealError, SealingKey, read_sealing_keys, sealing_key
from libs.common.secret import Secret, overwrite
from libs.common.settings import SettingsError

LOOK_S = 1.0
_FILE_BYTES_MAX = 64 * 1024

_log = structlog.get_logger()


class SealingKeys:
    def __init__(
        self, keys: tuple[SealingKey, ...], *, path: Path | None = None, stamp: object = None
    ) -> None:
        self._keys = keys
        self._path = path
        self._stamp = stamp
        self.problem = ""
        """Why the file as it is now was not taken; what it held before counts on."""

    @classmethod
    def of(cls, private_key: Secret) -> "SealingKeys":
        """One key (base64) that never changes."""
        return cls((sealing_key(private_key.buffer()),))

    @classmethod
    def read(cls, path: Path) -> "SealingKeys":
        """Raises `SettingsError`."""
        try:
            stamp = stamp_of(path)
            found = cls(_read(path), path=path, stamp=stamp)
        except OSError as error:
            raise SettingsError(f"ALERTWIRE_SEALING_KEY_FILE: {path}: {error.strerror}") from None
        except SealError as error:
            raise SettingsError(f"ALERTWIRE_SEALING_KEY_FILE: {path}: {error}") from None
        _log.info("sealing_keys.read", current=found.ids[0], older=list(found.ids[1:]))
        return found

    @property
    def current(self) -> SealingKey:
        return self._keys[0]

    @property
    def ids(self) -> tuple[str, ...]:
        """The current one first."""
        return tuple(key.id for key in self._keys)

    def open(self, box: bytes) -> tuple[Secret, str]:
        """What is in it, and the id of the key that has opened it. Raises `SealError`."""
        for key in self._keys[:-1]:
            try:
                return key.open(box), key.id
            except SealError:
                continue
        return self._keys[-1].open(box), self._keys[-1].id

    def id_of(self, box: bytes) -> str | None:
        """Of the key that it was sealed for; None where we do not have it."""
        try:
            secret, key_id = self.open(box)
        except SealError:
            return None
        secret.wipe()
        return key_id

    async def follow(self, on_change: Callable[[], None]) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self.look():
                on_change()

    def look(self) -> bool:
        """Whether other keys stand in the file by now. One that cannot be read, or holds something
        else, changes nothing: half a file must not stop the trading.
        """
        if self._path is None:
            return False
        try:
            stamp = stamp_of(self._path)
            if stamp == self._stamp:
                return False
            keys = _read(self._path)
        except (OSError, SealError) as error:
            why = (error.strerror or "") if isinstance(error, OSError) else str(error)
            if why != self.problem:
                self.problem = why
                _log.error("sealing_keys.unread", path=str(self._path), reason=why)
            return False
        self._stamp, self.problem = stamp, ""
        before = self._keys
        if [key.id for key in keys] == [key.id for key in before]:
            _wipe(keys)
            return False
        self._keys = keys
        _wipe(before)
        _log.info("sealing_keys.changed", current=keys[0].id, older=[key.id for key in keys[1:]])
        return True

    def wipe(self) -> None:
        """Nothing can be opened any more."""
        _wipe(self._keys)


def stamp_of(path: Path) -> object:
    """Another one for a file that was changed or, as mounted ones are, exchanged by a link."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def read_into_memory(path: Path, *, bytes_max: int) -> bytearray:
    """The file's bytes, without a copy that could not be overwritten."""
    memory = bytearray(bytes_max + 1)
    with path.open("rb", buffering=0) as file:
        filled = 0
        while count := file.readinto(memoryview(memory)[filled:]):
            filled += count
    if filled > bytes_max:
        overwrite(memory)
        raise SealError(f"it is larger than {bytes_max} bytes")
    # Shortened in place, so that no other copy comes about.
    del memory[filled:]
    return memory


def _read(path: Path) -> tuple[SealingKey, ...]:
    text = read_into_memory(path, bytes_max=_FILE_BYTES_MAX)
    try:
        return read_sealing_keys(text)
    finally:
        overwrite(text)


def _wipe(keys: tuple[SealingKey, ...]) -> None:
    for key in keys:
        key.private.wipe()
