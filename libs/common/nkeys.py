"""NKeys: Ed25519 pairs in the spelling of NATS, by which a user proves who it is. The server knows
the public key alone, and what it asks for is signed with the seed, which never leaves the process.

A key is spelled as base32 of a prefix, the bytes and their CRC-16 (XMODEM), as nats-io/nkeys tells.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass, field

_SEED = 18 << 3
_USER = 20 << 3
_BYTES = 32
_CHECK_BYTES = 2


class NKeyError(ValueError):
    """What was given is no user's seed; the message does not repeat it."""


@dataclass(frozen=True, kw_only=True)
class NKey:
    """Of a user."""

    public: str
    seed: str = field(repr=False)

    def signature(self, nonce: str) -> bytes:
        """Of what the server wants signed, in base64."""
        # Imported here: whoever has no key needs none of it, and it takes a moment.
        from nacl.signing import SigningKey  # noqa: PLC0415

        return base64.b64encode(SigningKey(_opened(self.seed)).sign(nonce.encode()).signature)


def new_key() -> NKey:
    raw = secrets.token_bytes(_BYTES)
    # The seed's own prefix holds that of its kind, five bits of each in two bytes.
    return key_of(_spelled(bytes([_SEED | _USER >> 5, (_USER & 31) << 3]) + raw))


def key_of(seed: str) -> NKey:
    """Raises `NKeyError`."""
    from nacl.signing import SigningKey  # noqa: PLC0415

    seed = seed.strip()
    public = bytes(SigningKey(_opened(seed)).verify_key)
    return NKey(seed=seed, public=_spelled(bytes([_USER]) + public))


def is_public_user(text: str) -> bool:
    """Whether it is the public key of a user."""
    try:
        content = _content(text)
    except NKeyError:
        return False
    return len(content) == _BYTES + 1 and content[0] == _USER


def _opened(seed: str) -> bytes:
    content = _content(seed)
    prefix = content[0] & 0xF8, (content[0] & 7) << 5 | (content[1] & 0xF8) >> 3
    if prefix != (_SEED, _USER) or len(content) != _BYTES + 2:
        raise NKeyError("it is no seed of a user's NKey, which begins with SU")
    return content[2:]


def _content(text: str) -> bytes:
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise NKeyError("it is no NKey") from None
    content, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
    if len(content) < _BYTES or check != _check(content):
        raise NKeyError("it is no NKey, or one with a slip in it")
    return content


def _spelled(content: bytes) -> str:
    return base64.b32encode(content + _check(content)).decode().rstrip("=")


def _check(content: bytes) -> bytes:
    return binascii.crc_hqx(content, 0).to_bytes(_CHECK_BYTES, "little")
