import json
import stat

import pytest

from libs.common.sealing import new_sealing_key, read_sealing_keys, seal, sealing_key
from libs.common.secret import Secret
from tools.devstack.credentials import load_credentials, load_sealing_key
from tools.devstack.private_files import read_json, write_json


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_passwords_are_made_once_and_differ(tmp_path):
    first = load_credentials(tmp_path)
    assert load_credentials(tmp_path) == first
    kept = json.loads((tmp_path / "credentials.json").read_text())
    assert len(set(kept.values())) == len(kept) == 8


def test_a_password_that_is_missing_is_added_and_the_others_kept(tmp_path):
    write_json(tmp_path / "credentials.json", {"console_token": "chosen"})
    assert load_credentials(tmp_path).console_token == "chosen"
    assert json.loads((tmp_path / "credentials.json").read_text())["console_token"] == "chosen"
    assert load_credentials(tmp_path).nats_password


def test_what_is_secret_is_for_its_owner_alone(tmp_path):
    load_credentials(tmp_path)
    load_sealing_key(tmp_path)
    assert _mode(tmp_path / "credentials.json") == 0o600
    assert _mode(tmp_path / "sealing.key") == 0o600


def test_credentials_cannot_be_rendered_by_accident(tmp_path):
    credentials = load_credentials(tmp_path)
    assert credentials.nats_password not in repr(credentials)


def test_what_the_public_key_seals_the_file_opens(tmp_path):
    key = load_sealing_key(tmp_path)
    assert load_sealing_key(tmp_path) == key
    (private,) = read_sealing_keys(bytearray(key.file.read_bytes()))
    public = key.public_file.read_text().strip()
    sealed = seal(public_key=public, secret=Secret("s3cret"))
    assert private.open(sealed) == Secret("s3cret")


def test_a_key_file_of_before_stays_and_gets_its_public_half(tmp_path):
    (tmp_path / "sealing.key").write_bytes(kept := new_sealing_key())
    key = load_sealing_key(tmp_path)
    assert key.file.read_bytes() == kept
    assert sealing_key(bytearray(kept)).public == key.public_file.read_text().strip()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "stack.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert read_json(path) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["stack.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_a_file_without_an_object_reads_as_none(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    assert read_json(tmp_path / "x.json") is None
