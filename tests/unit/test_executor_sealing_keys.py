"""The file of sealing keys: several of them, followed while the executor runs, as an editor and as
Kubernetes change it.
"""

import base64
import os

import pytest
from nacl.public import PrivateKey

from libs.common.sealing import key_id, new_sealing_key, seal
from libs.common.secret import Secret, WipedError
from libs.common.settings import SettingsError
from services.executor.sealing_keys import SealingKeys

OLD, NEW, OTHER = PrivateKey.generate(), PrivateKey.generate(), PrivateKey.generate()


def private(key):
    return base64.b64encode(bytes(key)).decode()


def public(key):
    return base64.b64encode(bytes(key.public_key)).decode()


def named(key):
    return key_id(public(key))


def box(key, secret="s3cret"):
    return seal(public_key=public(key), secret=Secret(secret))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sealing.key"
    path.write_text(private(OLD))
    return path


def test_the_first_key_is_current_and_all_of_them_open(file):
    file.write_text(f"# since November\n{private(NEW)}\n\n# before\n{private(OLD)}\n")
    keys = SealingKeys.read(file)
    assert keys.ids == (named(NEW), named(OLD))
    assert (keys.current.id, keys.current.public) == (named(NEW), public(NEW))
    for key in (NEW, OLD):
        secret, opened_with = keys.open(box(key))
        assert (secret.reveal(), opened_with) == ("s3cret", named(key))
    assert keys.id_of(box(OTHER)) is None


def test_a_new_line_is_taken_over_while_it_runs(file):
    keys = SealingKeys.read(file)
    before = keys.current
    assert not keys.look()
    file.write_text(f"{private(NEW)}\n{private(OLD)}\n")
    assert keys.look()
    assert keys.ids == (named(NEW), named(OLD))
    assert before.private.is_wiped, "what was read before is overwritten"
    assert not keys.look()


def test_a_mounted_file_is_exchanged_by_its_link(tmp_path):
    """Kubernetes makes a new folder, then turns the link `..data` to it."""
    for number, key in ((1, OLD), (2, NEW)):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "sealing.key").write_text(private(key))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "sealing.key").symlink_to("..data/sealing.key")
    keys = SealingKeys.read(tmp_path / "sealing.key")
    (tmp_path / "..next").symlink_to("..2")
    (tmp_path / "..next").replace(tmp_path / "..data")
    assert keys.look()
    assert keys.ids == (named(NEW),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no sealing key"),
        ("# none\n", "no sealing key"),
        ("{key}\nno key\n", "line 2"),
        ("{key}\n{key}\n", "twice"),
        ("{key}x\n", "line 1"),
        ("{half}\n", "line 1"),
    ],
    ids=["empty", "comments", "other", "twice", "longer", "half"],
)
def test_a_file_that_is_wrong_changes_nothing_and_is_told_of_without_its_text(
    file, capfd, text, why
):
    keys = SealingKeys.read(file)
    file.write_text(text.format(key=private(NEW), half=private(NEW)[:20]))
    assert not keys.look()
    assert why in keys.problem
    assert keys.open(box(OLD))[0].reveal() == "s3cret"
    with pytest.raises(SettingsError) as refused:
        SealingKeys.read(file)
    told = str(refused.value) + keys.problem + "".join(capfd.readouterr())
    assert "ALERTWIRE_SEALING_KEY_FILE" in told
    assert private(NEW)[:20] not in told
    file.write_text(private(NEW))
    assert keys.look()
    assert keys.problem == ""


def test_a_file_that_is_gone_changes_nothing(file):
    keys = SealingKeys.read(file)
    file.unlink()
    assert not keys.look()
    assert "No such file" in keys.problem
    assert keys.ids == (named(OLD),)
    with pytest.raises(SettingsError, match="No such file"):
        SealingKeys.read(file)


def test_touching_the_file_changes_nothing(file):
    keys = SealingKeys.read(file)
    os.utime(file, ns=(1, 1))
    assert not keys.look()
    assert not keys.current.private.is_wiped


def test_wiped_keys_open_nothing(file):
    keys = SealingKeys.read(file)
    keys.wipe()
    with pytest.raises(WipedError):
        keys.open(box(OLD))


def test_a_new_key_is_a_key(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(new_sealing_key())
    keys = SealingKeys.read(path)
    sealed = seal(public_key=keys.current.public, secret=Secret("x"))
    assert keys.open(sealed)[0].reveal() == "x"
