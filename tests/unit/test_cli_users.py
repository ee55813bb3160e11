"""`alertwire users`: the file of those who sign in by password."""

import json
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.console.web.access.user_file import decode_users, is_right
from tests.secrecy import assert_no_secrets
from tools.cli.__main__ import main

WORD, OTHER = "correct horse battery", "staple of another kind"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "users.json"


def run(path, *arguments, word=None):
    options = [] if word is None else ["--password-stdin"]
    return CliRunner().invoke(
        main, ["users", *arguments, "--file", str(path), *options], input=f"{word}\n"
    )


def kept(path):
    return {user.name: user for user in decode_users(path.read_bytes()).users}


def test_somebody_is_added_listed_changed_and_removed(path):
    added = run(path, "add", "anna", "--role", "operator", word=WORD)
    assert added.exit_code == 0, added.output
    assert run(path, "add", "ben", word=OTHER).exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert is_right(kept(path)["anna"].password_hash, WORD)
    assert_no_secrets(path.read_text(), WORD, OTHER, hashes_too=False)
    listed = json.loads(run(path, "list", "--json").output)
    assert listed == {
        "users": [{"name": "anna", "role": "operator"}, {"name": "ben", "role": "viewer"}]
    }
    assert run(path, "role", "ben", "operator").output == "ben is operator\n"
    before = kept(path)["ben"].mark
    assert run(path, "passwd", "ben", word=WORD).exit_code == 0
    assert kept(path)["ben"].mark != before
    assert kept(path)["ben"].role.value == "operator"
    assert run(path, "remove", "anna").exit_code == 0
    assert list(kept(path)) == ["ben"]
    assert "ben" in run(path, "list").output


def test_neither_passwords_nor_hashes_are_printed(path):
    outputs = [
        run(path, "add", "anna", word=WORD).output,
        run(path, "passwd", "anna", "--json", word=OTHER).output,
        run(path, "list", "--json").output,
        run(path, "list").output,
        run(path, "role", "anna", "operator", "--json").output,
        run(path, "remove", "anna", "--json").output,
        run(path, "add", "ben", word="short-word").output,
    ]
    assert_no_secrets("\n".join(outputs), WORD, OTHER, "short-word")


@pytest.mark.parametrize(
    ("arguments", "word", "status", "words"),
    [
        (["add", "anna"], WORD, 1, "already"),
        (["add", "a b"], WORD, 2, "a name has"),
        (["add", "ben"], "elevenchars", 1, "12 to 1000"),
        (["add", "ben"], "x" * 1_001, 1, "12 to 1000"),
        (["add", "ben", "--role", "boss"], WORD, 2, "boss"),
        (["add", "ben"], None, 2, "--password-stdin"),
        (["passwd", "ben"], WORD, 1, "known: anna"),
        (["remove", "ben"], None, 1, "known: anna"),
        (["role", "ben", "viewer"], None, 1, "known: anna"),
        (["role", "anna", "boss"], None, 2, "boss"),
    ],
    ids=[
        *("twice", "name", "short", "long", "role", "no-terminal", "passwd-unknown"),
        *("remove-unknown", "role-unknown", "unknown-role"),
    ],
)
def test_what_cannot_be_done_changes_nothing(path, arguments, word, status, words):
    run(path, "add", "anna", word=WORD)
    before = path.read_bytes()
    failed = run(path, *arguments, word=word)
    assert failed.exit_code == status
    assert words in failed.output
    assert path.read_bytes() == before


def test_a_terminal_is_asked_twice(path, monkeypatch):
    asked = {}

    def prompt(_text, **options):
        asked.update(options)
        return WORD

    monkeypatch.setattr("tools.cli.users.click.prompt", prompt)
    monkeypatch.setattr("tools.cli.users._is_terminal", lambda: True)
    assert run(path, "add", "anna").exit_code == 0
    assert asked["hide_input"]
    assert asked["confirmation_prompt"]


def test_a_file_that_is_none_is_left_alone(path):
    path.write_text("{")
    failed = run(path, "add", "anna", word=WORD)
    assert (failed.exit_code, path.read_text()) == (1, "{")
    assert "cannot be read" in failed.output
    assert run(path.parent / "none" / "users.json", "add", "anna", word=WORD).exit_code == 1


def test_what_the_document_shows_does_as_it_says(path):
    text = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
    shown = [line.split() for line in re.findall(r"^alertwire (users .+)$", text, re.MULTILINE)]
    assert len(shown) == 6
    for words in shown:
        arguments = words[1 : words.index("<")] if "<" in words else words[1:]
        asks = arguments[0] in {"add", "passwd"} and "--password-stdin" not in arguments
        done = run(path, *arguments, word=WORD) if asks else run_typed(path, arguments)
        assert done.exit_code == 0, done.output
    assert list(kept(path)) == ["anna"]


def run_typed(path, arguments):
    return CliRunner().invoke(main, ["users", *arguments, "--file", str(path)], input=f"{WORD}\n")


def test_the_stacks_file_is_the_default(tmp_path, monkeypatch):
    monkeypatch.delenv("ALERTWIRE_USERS_FILE", raising=False)
    arguments = ["users", "add", "anna", "--dir", str(tmp_path), "--password-stdin"]
    assert CliRunner().invoke(main, arguments, input=WORD).exit_code == 0
    assert list(kept(tmp_path / "console-users.json")) == ["anna"]
