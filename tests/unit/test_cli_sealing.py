"""`alertwire ops sealing-key`: on the file, and against a scripted console."""

import json
import re
import shlex
import stat
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from libs.common.sealing import read_sealing_keys
from tests.unit.cli_stand import run
from tools.cli.__main__ import main

PAGE = Path(__file__).parents[2] / "docs" / "credentials.md"
OLD, NEW = "28542723", "77641aba"


def keys(path):
    return read_sealing_keys(bytearray(path.read_bytes()))


def told(**changes):
    """What `GET /api/sealing` answers in the middle of a rotation."""
    return {
        "console_key": NEW,
        "executors": [
            {"instance": "vm:7", "shard": 0, "shards": 1, "keys": [NEW, OLD], "problem": ""}
        ],
        "accounts": [{"account": "paper", "state": "sealed", "key": OLD, "why": ""}],
        "unheard_shards": [],
        **changes,
    }


def answers(server, document, request="GET /api/sealing"):
    server.answers[request] = [(200, document)]


def sealing(stack, *arguments):
    if arguments[0] in {"new", "public", "rotate"}:
        # They work on the file alone.
        return CliRunner().invoke(main, ["ops", "sealing-key", *arguments])
    return run("ops", "sealing-key", *arguments, stack=stack)


def on_file(stack, command, path):
    done = sealing(stack, command, str(path))
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_a_file_from_its_first_key_to_a_rotation(stack, tmp_path):
    path = tmp_path / "sealing.key"
    first = on_file(stack, "new", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert on_file(stack, "public", path) == first == keys(path)[0].public
    second = on_file(stack, "rotate", path)
    assert [key.public for key in keys(path)] == [second, first]
    assert on_file(stack, "public", path) == second
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_that_is_printed_tells_a_private_key(stack, tmp_path):
    path = tmp_path / "sealing.key"
    shown = [on_file(stack, "new", path), on_file(stack, "rotate", path)]
    done = sealing(stack, "retire", str(path), "--unasked")
    private = path.read_text().split()
    assert [line for line in private if line in "".join(shown) + done.output] == []


def test_what_is_there_is_never_overwritten_and_what_is_no_key_never_rotated(stack, tmp_path):
    path = tmp_path / "sealing.key"
    path.write_text("no key at all")
    assert sealing(stack, "new", str(path)).exit_code == 1
    for command in ("rotate", "public"):
        done = sealing(stack, command, str(path))
        assert done.exit_code == 1
        assert "line" in done.output
        assert "no key at all" not in done.output
    assert path.read_text() == "no key at all"
    assert "No such file" in sealing(stack, "rotate", str(tmp_path / "none")).output


def test_comments_stay_where_a_key_is_added(stack, tmp_path):
    path = tmp_path / "sealing.key"
    on_file(stack, "new", path)
    path.write_text(f"# since the beginning\n{path.read_text()}")
    on_file(stack, "rotate", path)
    assert "# since the beginning" in path.read_text()
    assert len(keys(path)) == 2


def test_status_names_what_an_old_key_is_needed_for(stack, server):
    answers(server, told())
    done = sealing(stack, "status")
    assert done.exit_code == 0, done.output
    assert f"the console seals for {NEW}" in done.output
    assert f"{NEW}, {OLD}" in done.output
    assert f"{OLD} is still needed" in done.output
    answers(server, told(accounts=[{"account": "paper", "state": "sealed", "key": NEW, "why": ""}]))
    assert f"{OLD} opens nothing" in sealing(stack, "status").output
    assert json.loads(sealing(stack, "status", "--json").output)["console_key"] == NEW


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"console_key": "00000000"}, "vm:7 does not have 00000000"),
        ({"unheard_shards": [1]}, "no executor of shard 1 has answered"),
        (
            {"accounts": [{"account": "main", "state": "unusable", "key": "", "why": "no file"}]},
            "main: no file",
        ),
    ],
    ids=["console", "silent", "unusable"],
)
def test_status_fails_where_something_cannot_be_used(stack, server, changes, words):
    answers(server, told(**changes))
    done = sealing(stack, "status")
    assert done.exit_code == 1
    assert words in " ".join(done.output.split())


def test_reseal_tells_what_was_done_and_fails_where_something_was_left(stack, server):
    request = "POST /api/sealing/reseal"
    left = {"account": "main", "why": "it was entered anew"}
    answers(server, {"console_key": NEW, "resealed": ["paper"], "left": [left]}, request)
    done = sealing(stack, "reseal")
    assert done.exit_code == 1
    assert f"paper: sealed for {NEW}" in done.output
    assert "main: left as it is: it was entered anew" in done.output
    answers(server, {"console_key": NEW, "resealed": [], "left": []}, request)
    assert sealing(stack, "reseal").exit_code == 0


def test_an_old_key_goes_only_once_nothing_needs_it(stack, server, tmp_path):
    path = tmp_path / "sealing.key"
    on_file(stack, "new", path)
    on_file(stack, "rotate", path)
    current, old = keys(path)

    def accounts(key):
        return [{"account": "paper", "state": "sealed", "key": key, "why": ""}]

    for document, why in (
        (told(console_key=current.id, accounts=accounts(old.id)), f"is sealed for {old.id}"),
        (told(console_key=old.id, accounts=accounts(current.id)), f"still seals for {old.id}"),
        (
            told(console_key=current.id, accounts=accounts(current.id), unheard_shards=[0]),
            "no executor of shard 0",
        ),
    ):
        answers(server, document)
        done = sealing(stack, "retire", str(path))
        assert done.exit_code == 1
        assert why in done.output
        assert len(keys(path)) == 2
    answers(server, told(console_key=current.id, accounts=accounts(current.id)))
    assert sealing(stack, "retire", str(path)).exit_code == 0
    assert [key.id for key in keys(path)] == [current.id]


def commands_of(page):
    """Every command that stands there, in a block or in a sentence."""
    text = re.sub(r"\n(?=--)", " ", page.read_text())
    found = re.findall(r"(?:^|`|\| )(alertwire (?:[a-z-]+ )[^`\n]*)", text, re.MULTILINE)
    return sorted({command.partition(" > ")[0] for command in found})


COMMANDS = commands_of(PAGE)


def test_there_are_commands_to_try():
    assert len(COMMANDS) >= 14


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_page_is_one(command, tmp_path, monkeypatch):
    """Down to its options and arguments; nothing is carried out."""
    monkeypatch.chdir(tmp_path)
    group, words = main, shlex.split(command)[1:]
    context = click.Context(main)
    while isinstance(group, click.Group):
        name = words.pop(0)
        group = group.get_command(context, name)
        assert group is not None, name
    if words:
        group.make_context(group.name, words)
