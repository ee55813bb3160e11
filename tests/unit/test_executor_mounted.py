"""Secret keys that come as files: read again when they change, by name alone, and never shown."""

import os

import pytest

from libs.common.settings import SettingsError
from services.executor.mounted import MountedSecrets


def held(mounted, *names):
    return {name: secret.reveal() for name in names if (secret := mounted.get(name)) is not None}


def test_each_file_is_the_key_of_the_account_of_its_name(tmp_path):
    (tmp_path / "main").write_text("first-key\n")
    (tmp_path / "second").write_text("  second-key \r\n")
    (tmp_path / ".swap").write_text("no account")
    mounted = MountedSecrets(tmp_path)
    expected = {"main": "first-key", "second": "second-key"}
    assert held(mounted, "main", "second", ".swap") == expected


def test_a_file_that_changes_comes_and_goes_is_followed(tmp_path):
    mounted = MountedSecrets(tmp_path)
    assert not mounted.look()
    path = tmp_path / "main"
    path.write_text("first-key")
    assert mounted.look()
    before = mounted.get("main")
    os.utime(path, ns=(1, 1))
    assert not mounted.look()
    assert mounted.get("main") is before
    path.write_text("other-key")
    assert mounted.look()
    assert mounted.get("main").reveal() == "other-key"
    assert before.is_wiped
    path.unlink()
    assert mounted.look()
    assert mounted.get("main") is None
    assert "no file main" in mounted.why_not("main")


def test_kubernetes_exchanges_all_of_them_by_one_link(tmp_path):
    for number in (1, 2):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "main").write_text(f"key-{number}")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "main").symlink_to("..data/main")
    mounted = MountedSecrets(tmp_path)
    assert held(mounted, "main", "..1", "..data") == {"main": "key-1"}
    (tmp_path / "..next").symlink_to("..2")
    (tmp_path / "..next").replace(tmp_path / "..data")
    assert mounted.look()
    assert held(mounted, "main") == {"main": "key-2"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"one two", "more than one word"),
        (b"x" * 1025, "larger than 1024"),
    ],
    ids=["empty", "space", "words", "large"],
)
def test_a_file_that_cannot_be_a_key_leaves_the_one_before(tmp_path, capfd, content, why):
    (tmp_path / "main").write_text("first-key")
    mounted = MountedSecrets(tmp_path)
    (tmp_path / "main").write_bytes(content)
    (tmp_path / "new").write_bytes(content)
    assert not mounted.look()
    assert held(mounted, "main", "new") == {"main": "first-key"}
    assert why in mounted.why_not("new")
    told = capfd.readouterr()
    assert "one two" not in told.out + told.err


def test_a_folder_where_a_key_should_be_is_told_of(tmp_path):
    (tmp_path / "main").mkdir()
    mounted = MountedSecrets(tmp_path)
    assert "directory" in mounted.why_not("main")


def test_a_folder_that_cannot_be_read_changes_nothing(tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "main").write_text("first-key")
    mounted = MountedSecrets(folder)
    folder.rename(tmp_path / "elsewhere")
    assert not mounted.look()
    assert held(mounted, "main") == {"main": "first-key"}


def test_a_folder_that_is_not_there_at_the_start_is_a_wrong_setting(tmp_path):
    with pytest.raises(SettingsError, match="ALERTWIRE_SECRETS_DIR"):
        MountedSecrets(tmp_path / "none")


def test_without_a_folder_there_is_none():
    mounted = MountedSecrets(None)
    assert mounted.get("main") is None
    assert "names no folder" in mounted.why_not("main")
