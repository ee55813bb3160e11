"""The wire does not change behind our backs: every message and each of its fields is in a golden
file, and what stands in those files stays readable.
"""

import json
import types
import typing
from collections import defaultdict
from typing import Any

import msgspec
import pytest

from libs.common.contracts import codec
from libs.common.contracts.messages import Message
from tests.golden import CONTROL, MESSAGES, golden, golden_control, golden_names

CLASSES: tuple[type[Message], ...] = typing.get_args(codec.AnyMessage)


def tag_of(kind: type[Message]) -> Any:
    return kind.__struct_config__.tag


def grown(kind: type[Message]) -> type[Message]:
    """The same message as a later version may have it: with one more field, which has a default."""
    return msgspec.defstruct(
        kind.__name__,
        [("added_later", int, 0)],
        bases=(kind,),
        tag=tag_of(kind),
        frozen=True,
        kw_only=True,
    )


def test_every_message_has_a_golden_file():
    assert {type(message) for message in MESSAGES.values()} == set(CLASSES)
    assert sorted(MESSAGES) == golden_names()
    for name, message in MESSAGES.items():
        tag = str(tag_of(type(message)))
        assert name == tag or name.startswith(f"{tag}."), name


def test_tags_are_unique():
    tags = [tag_of(kind) for kind in CLASSES]
    assert len(set(tags)) == len(tags) == 13


@pytest.mark.parametrize("kind", CLASSES, ids=tag_of)
def test_messages_are_frozen_and_named(kind):
    config = kind.__struct_config__
    assert config.frozen
    assert config.tag_field == "type"
    assert config.omit_defaults
    with pytest.raises(TypeError, match="positional"):
        kind("anything")


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_golden_file_is_the_message(name):
    assert codec.encode(MESSAGES[name]) == golden(name)
    decoded = codec.decode(golden(name))
    assert decoded == MESSAGES[name]
    assert type(decoded) is type(MESSAGES[name])


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_later_version_with_one_more_field_reads_it(name):
    message = MESSAGES[name]
    later = msgspec.json.decode(golden(name), type=grown(type(message)))
    assert later.added_later == 0
    assert later.alert_id == message.alert_id


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_this_version_reads_what_a_later_one_writes(name):
    """A service that is updated last meets fields that it does not know."""
    later = {**json.loads(golden(name)), "added_later": {"anything": [1]}}
    assert codec.decode(msgspec.json.encode(later)) == MESSAGES[name]


def written(value: Any, found: dict[type, set[str]]) -> None:
    """Collect which fields of which struct are written where `value` is encoded."""
    if isinstance(value, msgspec.Struct):
        shown = json.loads(codec.encode(value))
        found[type(value)] |= {name for name in value.__struct_fields__ if name in shown}
        for name in value.__struct_fields__:
            written(getattr(value, name), found)
    elif isinstance(value, tuple):
        for part in value:
            written(part, found)


def structs_in(annotation: Any) -> set[type]:
    """The struct types that an annotation names, and those inside them."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        inside = (structs_in(field.type) for field in msgspec.structs.fields(annotation))
        return {annotation}.union(*inside)
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation):
        return set().union(*(structs_in(arm) for arm in typing.get_args(annotation)))
    return set()


def test_every_field_is_in_a_golden_file():
    """One that is only ever left out as a default could be renamed unseen."""
    found: dict[type, set[str]] = defaultdict(set)
    for message in MESSAGES.values():
        written(message, found)
    kinds = structs_in(codec.AnyMessage)
    assert len(kinds) >= 14
    for kind in kinds:
        assert found[kind] == set(kind.__struct_fields__), kind.__name__


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"type":"alert.unheard"}',
        b'{"type":"dead"}',
        b'{"type":"dead","service":"\xff"}',
        b'{"type":"dead","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(10),
)
def test_what_is_no_message_is_undecodable_and_nothing_worse(data):
    with pytest.raises(codec.UndecodableError):
        codec.decode(data)


def test_a_halt_in_its_bucket_is_what_it_was():
    """It may stand for weeks, while services are updated."""
    assert codec.encode(CONTROL) == golden_control()
    kind = type(CONTROL)
    assert msgspec.json.decode(golden_control(), type=kind) == CONTROL
    later = {**json.loads(golden_control()), "added_later": 1}
    assert msgspec.json.decode(msgspec.json.encode(later), type=kind) == CONTROL
    assert set(json.loads(golden_control())) == set(kind.__struct_fields__)
