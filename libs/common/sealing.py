"""Sealed boxes (X25519, libsodium): who holds the public key can only close, the executor can
only open. Used by console and executor.
"""

import base64

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from libs.common.secret import Secret


class SealError(Exception):
    """The key or the box is not what it should be; the text never holds either."""


def seal(*, public_key: str, secret: Secret) -> bytes:
    """Close `secret` so that only the holder of the private key can read it (key in base64)."""
    try:
        box = SealedBox(PublicKey(base64.b64decode(public_key, validate=True)))
    except (ValueError, CryptoError, TypeError):
        raise SealError("the sealing key is not 32 bytes in base64") from None
    return bytes(box.encrypt(secret.reveal().encode()))


def unseal(*, private_key: Secret, sealed: bytes) -> Secret:
    """Open what `seal` closed; raises `SealError` when it was closed for another key."""
    try:
        box = SealedBox(PrivateKey(base64.b64decode(private_key.reveal(), validate=True)))
        return Secret(box.decrypt(sealed).decode())
    except (ValueError, CryptoError, TypeError):
        raise SealError("the secret was sealed for another key, or is damaged") from None
