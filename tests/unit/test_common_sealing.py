"""Sealed boxes: open for the executor's key alone, and errors that hold no secret."""

import base64
import traceback

import pytest
from nacl.public import PrivateKey

from libs.common.sealing import SealError, seal, unseal
from libs.common.secret import Secret

SECRET = "exchange-secret-ü"


def b64(key):
    return base64.b64encode(bytes(key)).decode()


@pytest.fixture(scope="module")
def key():
    return PrivateKey.generate()


def sealed_for(key):
    return seal(public_key=b64(key.public_key), secret=Secret(SECRET))


def test_what_is_sealed_can_be_opened_with_the_private_key(key):
    box = sealed_for(key)
    assert SECRET.encode() not in box
    assert unseal(private_key=Secret(b64(key)), sealed=box) == Secret(SECRET)


def test_two_boxes_of_one_secret_differ(key):
    assert sealed_for(key) != sealed_for(key)


def fails(act, *hidden):
    """It is a `SealError`, and neither its text nor its stack shows anything hidden."""
    with pytest.raises(SealError) as caught:
        act()
    text = "".join(traceback.format_exception(caught.value))
    for word in hidden:
        assert word not in text
    return str(caught.value)


def test_another_key_does_not_open_it(key):
    other = PrivateKey.generate()
    box = sealed_for(other)
    message = fails(lambda: unseal(private_key=Secret(b64(key)), sealed=box), SECRET, b64(key))
    assert "another key" in message


def test_a_damaged_box_does_not_open(key):
    private_key = Secret(b64(key))
    box = sealed_for(key)
    flipped = box[:-1] + bytes([box[-1] ^ 1])
    for damaged in (flipped, box[:-1], box[:10], b""):
        fails(lambda damaged=damaged: unseal(private_key=private_key, sealed=damaged), SECRET)


def test_a_box_that_holds_no_text_is_damaged(key):
    from nacl.public import SealedBox

    box = bytes(SealedBox(key.public_key).encrypt(b"\xff\xfe"))
    fails(lambda: unseal(private_key=Secret(b64(key)), sealed=box))


@pytest.mark.parametrize("bad", ["", "no base64!", "schlüssel", b64(b"31 bytes" * 3), "QUJD\n"])
def test_a_bad_key_is_told_and_shown_nowhere(key, bad):
    message = fails(lambda: seal(public_key=bad, secret=Secret(SECRET)), SECRET)
    assert "32 bytes in base64" in message
    hidden = [bad] if bad else []
    fails(lambda: unseal(private_key=Secret(bad), sealed=sealed_for(key)), SECRET, *hidden)
