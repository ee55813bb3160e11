"""A value that cannot be rendered by accident: logs, tracebacks and `repr` show stars. It lies in
memory of its own, which is overwritten once nobody needs it; copies that other code has made of it
are out of reach (docs/credentials.md).
"""

import hmac
from typing import NoReturn


class WipedError(RuntimeError):
    """Somebody still asks for a secret that was overwritten: nothing may be signed with that."""


class Secret:
    """Holds a key, token or password; only `reveal()` and `buffer()` give it back. It is
    overwritten by `wipe()`, or when its last reference goes.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | bytes | bytearray) -> None:
        """A bytearray is taken over, not copied."""
        if isinstance(value, str):
            # What the environment holds need not be text.
            value = value.encode(errors="surrogateescape")
        self._value: bytearray | None = value if isinstance(value, bytearray) else bytearray(value)

    def reveal(self) -> str:
        """A text, which nobody can overwrite any more: where bytes will do, see `buffer`."""
        return self.buffer().decode(errors="surrogateescape")

    def buffer(self) -> bytearray:
        """The very memory that is overwritten: to be used at once, and neither kept nor changed."""
        if self._value is None:
            raise WipedError("a secret was asked for after it was wiped")
        return self._value

    def wipe(self) -> None:
        """Overwrite it; whoever asks for it from now on gets a `WipedError`."""
        if self._value is not None:
            overwrite(self._value)
            self._value = None

    @property
    def is_wiped(self) -> bool:
        return self._value is None

    def __del__(self) -> None:
        # Where it could not be made there is nothing to overwrite.
        if getattr(self, "_value", None) is not None:
            self.wipe()

    def __copy__(self) -> "Secret":
        # A second one on the same memory would overwrite it for both.
        return self

    def __deepcopy__(self, _memo: dict[int, object]) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret) or self._value is None or other._value is None:
            return self is other
        return hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(bytes(self.buffer()))


def overwrite(memory: bytearray) -> None:
    memory[:] = bytes(len(memory))
