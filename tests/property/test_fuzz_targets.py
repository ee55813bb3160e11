"""What `make fuzz` looks for, without a fuzzer: all that was ever found stays mended, and sound
input broken at random keeps every promise.
"""

import random

import pytest

from fuzz.seeds import FOUND, seeds
from fuzz.targets import SECRET, TARGETS
from services.ingest.parsing import Parsed, parse_alert
from tests.factories import make_route

BROKEN = 1_000
SEED = 9
LONG = 8_192
"""Longer seeds are taken as they are: breaking them shows little, and takes long."""
NOISE = (b"\xff" * 9, b"\x00", b"\\ud800", b"[" * 3_000, b'"', b"}", b"1e999999", b",", b"\\", b"=")


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_sound_or_was_found_keeps_the_promises(name):
    found = list(seeds(name))
    assert len(found) >= 2
    for data in found:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_broken_at_random_keeps_the_promises(name):
    chance = random.Random(SEED)
    sound = [data for data in seeds(name) if len(data) <= LONG]
    for _ in range(BROKEN):
        TARGETS[name](broken(chance.choice(sound), chance))


def broken(data, chance):
    for _ in range(chance.randrange(1, 5)):
        at, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        match chance.randrange(4):
            case 0:
                data = data[:at] + data[end:]
            case 1:
                data = data[:at] + chance.choice(NOISE) + data[at:]
            case 2:
                data = data[:at] + chance.randbytes(1) + data[at + 1 :]
            case _:
                data = data[:end] + data[at:]
    return data


def test_a_broken_promise_is_seen(monkeypatch):
    """The targets can fail: here by a body that is kept with its secret."""
    from fuzz import targets

    body = b'{"ticker":"T","order_action":"flat","secret":"' + SECRET + b'"}'
    kept = Parsed(
        order=parse_alert(body, route=make_route()).order, explicit_id=None, body=body.decode()
    )
    monkeypatch.setattr(targets, "parse_alert", lambda *_, **__: kept)
    with pytest.raises(AssertionError, match="sesame"):
        targets.alert(body)


def test_everything_found_belongs_to_a_target():
    assert {folder.name for folder in FOUND.iterdir() if folder.is_dir()} <= set(TARGETS)
