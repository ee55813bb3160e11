"""Configuration from the environment: typed, complete, without misspellings, printed redacted."""

import dataclasses
from pathlib import Path

import pytest

from libs.common.secret import Secret
from libs.common.settings import (
    ServiceSettings,
    SettingsError,
    from_env,
    redacted,
    setting,
    variable_name,
)

TOKEN = "s3cr3t-token"
REQUIRED = {"ALERTWIRE_TOKEN": TOKEN, "ALERTWIRE_COUNT": "7", "ALERTWIRE_KEY_FILE": "/keys/one"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    token: Secret = setting("A token")
    count: int = setting("How many")
    key_file: Path = setting("Where the key is")
    ratio: float = setting("How much", default=0.5)
    fast: bool = setting("Whether it hurries", default=False)
    name: str = setting("What it is called", default="none")
    other: Secret | None = setting("Another token", default=None)
    limit: int | None = setting("How many at most", default=None)


def read(**changes):
    return from_env(Example, {**REQUIRED, **changes})


def test_values_get_their_types():
    assert read(
        ALERTWIRE_RATIO="0.25",
        ALERTWIRE_FAST="True",
        ALERTWIRE_NAME="x",
        ALERTWIRE_OTHER="o",
        ALERTWIRE_LIMIT="3",
    ) == Example(
        token=Secret(TOKEN),
        count=7,
        key_file=Path("/keys/one"),
        ratio=0.25,
        fast=True,
        name="x",
        other=Secret("o"),
        limit=3,
    )


def test_what_is_absent_or_empty_has_its_default():
    expected = Example(token=Secret(TOKEN), count=7, key_file=Path("/keys/one"))
    assert read() == expected
    assert read(ALERTWIRE_RATIO="", ALERTWIRE_FAST="", ALERTWIRE_OTHER="") == expected


def test_the_word_false_is_false():
    assert read(ALERTWIRE_FAST="false").fast is False


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_variable_is_named_with_its_meaning(name):
    field = next(f for f in dataclasses.fields(Example) if variable_name(f.name) == name)
    for environ in ({**REQUIRED, name: ""}, {k: v for k, v in REQUIRED.items() if k != name}):
        with pytest.raises(
            SettingsError, match=f"{name}( or {name}_FILE)? is missing: {field.metadata['doc']}"
        ):
            from_env(Example, environ)


def test_an_unknown_variable_is_refused_by_name_but_not_by_value():
    with pytest.raises(SettingsError, match="ALERTWIRE_TOKN") as caught:
        read(ALERTWIRE_TOKN="another-secret")
    assert "ALERTWIRE_TOKEN" in str(caught.value), "it tells what there is"
    assert "another-secret" not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_variables_of_others_are_left_alone():
    assert read(PATH="/bin", ALERTWIREX="1", TOKEN="x").count == 7


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("ALERTWIRE_COUNT", "seven", "a number"),
        ("ALERTWIRE_COUNT", "1.5", "a number"),
        ("ALERTWIRE_RATIO", "half", "a number"),
        ("ALERTWIRE_LIMIT", "none", "a number"),
        ("ALERTWIRE_FAST", "yes", "true or false"),
        ("ALERTWIRE_FAST", "1", "true or false"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(name, value, wanted):
    with pytest.raises(SettingsError, match=f"{name} must be {wanted}, not '{value}'"):
        read(**{name: value})


@pytest.mark.parametrize("port", ["-1", "65536", "99999"])
def test_a_port_that_does_not_exist_is_refused(port):
    """uvloop would listen on another one."""
    with pytest.raises(SettingsError, match=f"ALERTWIRE_HEALTH_PORT .* not {port}"):
        from_env(
            ServiceSettings,
            {"ALERTWIRE_NATS_URL": "nats://a", "ALERTWIRE_HEALTH_PORT": port},
        )


def test_no_secret_is_shown():
    settings = read(ALERTWIRE_OTHER="other-secret")
    shown = redacted(settings)
    assert shown["token"] == "***"
    assert shown["other"] == "***"
    assert shown["key_file"] == "/keys/one"
    assert shown["count"] == 7
    assert set(shown) == {field.name for field in dataclasses.fields(Example)}
    for text in (repr(settings), repr(shown), str(settings)):
        assert TOKEN not in text
        assert "other-secret" not in text


def test_a_services_settings_hide_the_password_of_nats():
    settings = from_env(
        ServiceSettings,
        {"ALERTWIRE_NATS_URL": f"nats://user:{TOKEN}@host:1", "ALERTWIRE_HEALTH_PORT": "8410"},
    )
    assert settings.health_port == 8410
    assert settings.nats_url.reveal() == f"nats://user:{TOKEN}@host:1"
    assert TOKEN not in repr(settings) + repr(redacted(settings))


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().count = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class MayBeEmpty:
    asked: str = setting("Who is asked", default="somebody", may_be_empty=True)


@pytest.mark.parametrize(
    ("environ", "asked"),
    [({}, "somebody"), ({"ALERTWIRE_ASKED": ""}, ""), ({"ALERTWIRE_ASKED": "x"}, "x")],
)
def test_empty_may_be_another_value_than_the_default(environ, asked):
    assert from_env(MayBeEmpty, environ).asked == asked


def test_a_secret_may_come_in_a_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    kept = {key: value for key, value in REQUIRED.items() if key != "ALERTWIRE_TOKEN"}
    assert from_env(Example, {**kept, "ALERTWIRE_TOKEN_FILE": str(file)}).token == Secret(TOKEN)
    assert read(ALERTWIRE_OTHER_FILE=str(file)).other == Secret(TOKEN)


def test_only_a_secret_comes_in_a_file():
    with pytest.raises(SettingsError, match="unknown variable ALERTWIRE_COUNT_FILE"):
        read(ALERTWIRE_COUNT_FILE="/keys/one")


def test_a_secret_comes_from_one_place():
    with pytest.raises(SettingsError, match="ALERTWIRE_TOKEN and ALERTWIRE_TOKEN_FILE") as caught:
        read(ALERTWIRE_TOKEN_FILE="/keys/one")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "wrong"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff", "is no text")]
)
def test_a_secret_file_that_does_not_do_is_named(tmp_path, content, wrong):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    kept = {key: value for key, value in REQUIRED.items() if key != "ALERTWIRE_TOKEN"}
    with pytest.raises(SettingsError, match=f"ALERTWIRE_TOKEN_FILE: .*{wrong}"):
        from_env(Example, {**kept, "ALERTWIRE_TOKEN_FILE": str(file)})
