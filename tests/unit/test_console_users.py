"""The file of those who sign in by password."""

import asyncio

import msgspec
import pytest

from services.console.problems import Problem
from services.console.web.access.user_file import UsersFile, decode_users, hash_password, is_right
from services.console.web.access.users import Users
from services.console.web.access.viewers import Role
from tests.console_people import write_users


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "users.json"
    write_users(found)
    return found


async def test_a_password_opens_its_own_name_only(path):
    users = Users(path)
    assert (await users.verify("viewer", "viewer-word")).role is Role.VIEWER
    assert await users.verify("viewer", "operator-word") is None
    assert await users.verify("nobody", "") is None
    assert await users.verify("viewer", "viewer-word" + "x" * 1_000) is None
    assert await users.verify("viewer", "\ud800") is None
    assert await Users(None).verify("viewer", "viewer-word") is None


def test_changes_of_the_file_apply_at_once(path):
    users = Users(path)
    before = users.find("operator").mark
    write_users(path, operator="another-word")
    assert users.find("operator").mark != before
    write_users(path, roles=(Role.VIEWER,))
    assert users.find("operator") is None
    path.unlink()
    assert not users.exist


def test_half_a_file_locks_nobody_out_and_is_told_once(path, capsys):
    users = Users(path)
    assert users.exist
    path.write_bytes(b'{"users":[{"name":"ev')
    assert users.find("operator") is not None
    assert users.find("operator") is not None
    told = capsys.readouterr()
    assert (told.out + told.err).count("users.unread") == 1


def test_two_of_one_name_are_no_file(path):
    document = msgspec.json.decode(path.read_bytes())
    document["users"].append(document["users"][0])
    with pytest.raises(msgspec.ValidationError, match="stands in it twice"):
        decode_users(msgspec.json.encode(document))
    assert decode_users(b"{}") == UsersFile()


@pytest.mark.parametrize("name", ["", "-a", "a b", "a\n", "é", "a" * 65, "<a>"])
def test_a_name_is_plain(name):
    document = {"users": [{"name": name, "role": "viewer", "password_hash": "x"}]}
    with pytest.raises(msgspec.ValidationError):
        decode_users(msgspec.json.encode(document))


def test_a_letter_is_itself_however_a_keyboard_writes_it():
    assert is_right(hash_password("caf\u00e9-caf\u00e9"), "cafe\u0301-cafe\u0301")
    assert not is_right("no hash at all", "x")


async def test_only_so_many_wait_for_their_turn(path):
    users = Users(path)
    tries = [asyncio.ensure_future(users.verify("operator", "guess")) for _ in range(30)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    refused = [each for each in done if isinstance(each, Problem)]
    assert len(refused) == 10
    assert {each.status for each in refused} == {503}
    assert (await users.verify("operator", "operator-word")) is not None
