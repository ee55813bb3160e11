"""A secret is shown by `reveal()` and by nothing else."""

import copy
import json
import logging
import pickle
import traceback

import msgspec
import pytest

from libs.common.secret import Secret, WipedError

VALUE = "k3y-that-nobody-sees"


def test_only_reveal_gives_it_back():
    assert Secret(VALUE).reveal() == VALUE


@pytest.mark.parametrize(
    "render",
    [
        repr,
        str,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r:>40}",
        lambda secret: f"{secret!s:.3}",
        "{}".format,
        "{0!r}".format,
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - the old way too
        lambda secret: str([secret, {"key": secret}]),
        lambda secret: json.dumps({"key": secret}, default=repr),
        lambda secret: msgspec.json.encode({"key": secret}, enc_hook=repr).decode(),
        lambda secret: logging.makeLogRecord({"msg": "key %s", "args": (secret,)}).getMessage(),
        lambda secret: "".join(traceback.format_exception(ValueError("bad", secret))),
    ],
)
def test_nothing_else_shows_it(render):
    text = render(Secret(VALUE))
    assert "***" in text
    assert VALUE not in text


@pytest.mark.parametrize("act", [msgspec.json.encode, json.dumps, lambda secret: f"{secret:>40}"])
def test_what_cannot_render_it_fails_without_showing_it(act):
    with pytest.raises(TypeError) as caught:
        act(Secret(VALUE))
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_it_has_no_attributes_to_dump():
    with pytest.raises(TypeError):
        vars(Secret(VALUE))


def test_equal_by_value():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), copy.copy(Secret("a"))}) == 1


def test_an_empty_secret_is_false():
    assert not Secret("")
    assert Secret("x")


def test_wiping_overwrites_its_memory_and_whoever_asks_learns_of_it():
    secret = Secret(VALUE)
    memory = secret.buffer()
    secret.wipe()
    assert bytes(memory) == bytes(len(VALUE))
    assert secret.is_wiped
    assert not secret
    for ask in (secret.reveal, secret.buffer):
        with pytest.raises(WipedError):
            ask()
    secret.wipe()
    assert repr(secret) == "Secret(***)"
    assert secret != Secret(VALUE)


def test_what_nobody_holds_any_more_is_overwritten():
    secret = Secret(VALUE)
    same = copy.deepcopy(secret)
    memory = secret.buffer()
    del secret
    assert memory == VALUE.encode(), "somebody holds it"
    del same
    assert bytes(memory) == bytes(len(VALUE))


def test_a_bytearray_is_taken_over_and_not_copied():
    memory = bytearray(VALUE.encode())
    secret = Secret(memory)
    assert secret.buffer() is memory
    assert secret == Secret(VALUE.encode())


def test_bytes_of_the_environment_that_are_no_text_come_back_as_they_were():
    told = b"caf\xe9".decode(errors="surrogateescape")
    assert Secret(told).reveal() == told
    assert Secret(told).buffer() == b"caf\xe9"


def test_it_is_not_pickled():
    with pytest.raises(TypeError):
        pickle.dumps(Secret(VALUE))
