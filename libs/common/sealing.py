"""Sealed boxes (X25519, libsodium): who holds the public key can only close, the executor can
only open. Used by console and executor.

Private keys and what they open stay in memory that can be overwritten, from the file's bytes to
the account's secret: the library's own classes would leave copies behind that cannot.
"""

import base64
from dataclasses import dataclass
from hashlib import sha256

from nacl._sodium import ffi, lib  # type: ignore[import-not-found] # compiled
from nacl.bindings import randombytes

from libs.common.secret import Secret, overwrite

KEY_BYTES = 32
BOX_OVERHEAD = 48
"""What a box adds to what it holds: a public key and a tag."""
_ID_CHARS = 8
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
_ENCODED_CHARS = 44
"""Of 32 bytes in base64, of which the last is `=`."""
_IN_NO_TEXT = frozenset({0xC0, 0xC1, *range(0xF5, 0x100)})
"""Bytes that UTF-8 never has."""
_NO_KEY = "the sealing key is not 32 bytes in base64"
_NOT_OURS = "the secret was sealed for another key, or is damaged"


class SealError(Exception):
    """The key or the box is not what it should be; the text never holds either."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SealingKey:
    """A private key with its public half."""

    id: str
    """By which people and messages name it; see `key_id`."""
    public: str
    """In base64."""
    private: Secret
    """The 32 bytes."""

    def open(self, box: bytes) -> Secret:
        """Raises `SealError` where it was closed for another key."""
        return Secret(_opened(box, private=self.private.buffer()))


def seal(*, public_key: str, secret: Secret) -> bytes:
    """Close `secret` so that only the holder of the private key can read it (key in base64)."""
    public = _public(public_key)
    plain = secret.buffer()
    box = bytearray(len(plain) + BOX_OVERHEAD)
    # It fails for no text, and for no key but one of low order, with which anybody could open it.
    if lib.crypto_box_seal(ffi.from_buffer(box), ffi.from_buffer(plain), len(plain), public):
        raise SealError(_NO_KEY)
    return bytes(box)


def unseal(*, private_key: Secret, sealed: bytes) -> Secret:
    """Open what `seal` closed (key in base64); raises `SealError` when it was closed for another
    key.
    """
    return sealing_key(private_key.buffer()).open(sealed)


def sealing_key(encoded: bytearray) -> SealingKey:
    """The key whose private half this is, in base64; or a `SealError`."""
    private = Secret(_decoded(encoded))
    public = bytearray(KEY_BYTES)
    lib.crypto_scalarmult_base(ffi.from_buffer(public), ffi.from_buffer(private.buffer()))
    shown = base64.b64encode(public).decode()
    return SealingKey(id=key_id(shown), public=shown, private=private)


def new_sealing_key() -> bytes:
    """A new private key in base64, as the key file holds it."""
    return base64.b64encode(randombytes(KEY_BYTES))


def read_sealing_keys(text: bytearray) -> tuple[SealingKey, ...]:
    """The keys of a file: one a line, the current one first; lines with `#` at their beginning and
    empty ones are comments. Raises `SealError` with the number of the line that is no key.
    """
    keys = []
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.strip()
        try:
            if word and not word.startswith(b"#"):
                keys.append(sealing_key(word))
        except SealError:
            raise SealError(f"line {number}: {_NO_KEY}") from None
        finally:
            overwrite(line)
            overwrite(word)
    if not keys:
        raise SealError("there is no sealing key in it")
    if len({key.id for key in keys}) < len(keys):
        raise SealError("the same sealing key stands in it twice")
    return tuple(keys)


def key_id(public_key: str) -> str:
    """How a key is called: the first 8 hex digits of the SHA-256 of its public half, which stands
    in logs and answers without telling anything of the private one.
    """
    return sha256(_public(public_key)).hexdigest()[:_ID_CHARS]


def _public(encoded: str) -> bytes:
    try:
        public = base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError):
        raise SealError(_NO_KEY) from None
    if len(public) != KEY_BYTES:
        raise SealError(_NO_KEY)
    return public


def _opened(box: bytes, *, private: bytearray) -> bytearray:
    if len(box) < BOX_OVERHEAD:
        raise SealError(_NOT_OURS)
    public, opened = bytearray(KEY_BYTES), bytearray(len(box) - BOX_OVERHEAD)
    key = ffi.from_buffer(private)
    lib.crypto_scalarmult_base(ffi.from_buffer(public), key)
    failed = lib.crypto_box_seal_open(
        ffi.from_buffer(opened), box, len(box), ffi.from_buffer(public), key
    )
    # A key is text; looking at it as one would leave a copy.
    if failed or not _IN_NO_TEXT.isdisjoint(opened):
        overwrite(opened)
        raise SealError(_NOT_OURS)
    return opened


# The standard library's decoder returns bytes, which cannot be overwritten.
def _decoded(encoded: bytearray) -> bytearray:
    if len(encoded) != _ENCODED_CHARS or not encoded.endswith(b"="):
        raise SealError(_NO_KEY)
    decoded, bits, count = bytearray(), 0, 0
    for char in encoded[:-1]:
        value = _VALUES.get(char)
        if value is None:
            overwrite(decoded)
            raise SealError(_NO_KEY)
        bits, count = (bits << 6 | value) & 0xFFFF, count + 6
        if count >= 8:
            count -= 8
            decoded.append(bits >> count & 0xFF)
    return decoded
