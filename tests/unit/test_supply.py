"""What `make audit` asks that needs no tool besides: locks, licences, files of others, workflows,
keys in the tree. Each question is asked of our own tree, and shown to find what is wrong.
"""

import json
import re

import msgspec
import pytest

from tools.images.contents import IMAGES, ROOT
from tools.supply import auditing
from tools.supply.bom import document, write
from tools.supply.licences import READ_BY_HAND, USABLE, is_allowed, licence_of, refused
from tools.supply.locks import LockError, asked_of, lock_of, read_lock, unmet
from tools.supply.secrecy import found_secrets, secrets_in
from tools.supply.vendored import vendored, wrong
from tools.supply.vulnerabilities import look_up, read_answer
from tools.supply.workflows import wrong as wrong_in_workflow
from tools.supply.workflows import wrong_workflows

HASH = "0" * 64
COMMIT = "1" * 40


@pytest.mark.parametrize(
    "question",
    [
        auditing.wrong_locks,
        auditing.shipped_licences,
        auditing.tool_licences,
        found_secrets,
        wrong_workflows,
        lambda: wrong(vendored()),
    ],
    ids=["locks", "shipped", "tools", "secrets", "workflows", "vendored"],
)
def test_nothing_is_wrong_with_our_own_tree(question):
    assert question() == []


@pytest.mark.parametrize(
    "line",
    [
        "certifi==2026.1",
        f"certifi>=2026.1 --hash=sha256:{HASH}",
        "certifi==2026.1 --hash=sha256:00",
        f"certifi @ https://example.org/c.whl --hash=sha256:{HASH}",
        "--index-url https://example.org/simple",
        "-e .",
    ],
)
def test_a_lock_takes_nothing_but_pins_with_hashes(line):
    with pytest.raises(LockError):
        read_lock(f"# a comment\n{line}\n")


def test_a_package_of_another_system_is_no_part_of_an_image():
    text = (
        f"tzdata==2026.6 ; sys_platform == 'win32' \\\n    --hash=sha256:{HASH}\n"
        f"uvloop==1.0 ; platform_python_implementation != 'PyPy' \\\n    --hash=sha256:{HASH}\n"
    )
    windows, linux = read_lock(text)
    assert (windows.name, windows.version, windows.hashes) == ("tzdata", "2026.6", (HASH,))
    assert (windows.applies, linux.applies) == (False, True)


def test_a_lock_that_lags_behind_is_found():
    locked = read_lock(f"msgspec==0.1 --hash=sha256:{HASH}")
    lacking = unmet(asked_of("router"), locked)
    assert {re.split(r"[<>=]", each)[0] for each in lacking} >= {"msgspec", "nats-py"}


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT OR GPL-3.0-only", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("MIT Apache-2.0", False),
        ("(MIT", False),
        ("Dual License", False),
        ("", False),
        (None, False),
    ],
    ids=str,
)
def test_what_may_be_shipped(expression, allowed):
    assert is_allowed(expression) is allowed
    assert bool(refused({"x": expression})) is not allowed


def test_what_builds_may_be_under_more():
    assert is_allowed("GPL-3.0-only", allowed=USABLE)
    assert not is_allowed("SSPL-1.0", allowed=USABLE)


@pytest.mark.parametrize(
    ("name", "licence"),
    [("aiohttp", "Apache-2.0 AND MIT"), ("litestar", "MIT"), ("aiosignal", "Apache-2.0")],
)
def test_a_licence_is_read_from_the_packages_own_words(name, licence):
    assert licence_of(name) == licence


def test_what_was_read_by_hand_is_of_packages_that_are_used():
    used = {each.name for name in ("dev", "audit") for each in lock_of(name)}
    assert set(READ_BY_HAND) <= used


def test_a_vendored_file_that_was_touched_is_found(tmp_path):
    files = vendored()
    for each in files:
        for name in (each.file, each.licence_file):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    assert wrong(files, root=tmp_path) == []
    (tmp_path / files[0].file).write_text("changed")
    (tmp_path / files[1].file).with_name("new.js").write_text("new")
    (tmp_path / files[2].licence_file).unlink()
    stranger = msgspec.structs.replace(files[3], licence="SSPL-1.0")
    found = wrong([*files[:3], stranger], root=tmp_path)
    assert [text.rpartition("/")[2].partition(" ")[0] for text in found] == [
        "htmx.min.js",
        "nacl-fast.min.js",
        "sealedbox.web.js:",
        "new.js",
    ]


@pytest.mark.parametrize("image", IMAGES)
def test_a_list_names_each_locked_package_with_its_hashes_and_licence(image):
    found = document(image, version="1.2.3")
    packages = {each["name"]: each for each in found["components"] if "pypi" in each["purl"]}
    locked = [each for each in lock_of(image) if each.applies]
    assert set(packages) == {each.name for each in locked}
    for each in locked:
        package = packages[each.name]
        assert package["version"] == each.version
        [reference] = package["externalReferences"]
        assert {one["content"] for one in reference["hashes"]} == set(each.hashes)
        assert package["licenses"], each.name
    scripts = {each["name"] for each in found["components"]} - set(packages)
    assert scripts == ({each.name for each in vendored()} if image == "console" else set())


def test_a_list_is_the_same_wherever_it_is_made(tmp_path):
    first, second = (write("router", tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second
    other = json.loads(write("auditor", tmp_path).read_bytes())
    assert other["serialNumber"] != json.loads(first)["serialNumber"]


def workflow(*, uses=f"actions/checkout@{COMMIT} # v6.0.2", head="permissions: {}", kept="false"):
    return (
        f"on:\n  push:\n{head}\njobs:\n  run:\n    steps:\n      - uses: {uses}\n"
        f"        with:\n          persist-credentials: {kept}\n"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (workflow(), None),
        (workflow(uses="./.github/actions/own"), None),
        (workflow(uses="actions/checkout@v6"), "not pinned"),
        (workflow(uses="actions/checkout@main # v6"), "not pinned"),
        (workflow(uses=f"actions/checkout@{COMMIT[:-1]} # v6"), "not pinned"),
        (workflow(uses=f"actions/checkout@{COMMIT}"), "does not tell its version"),
        (workflow(uses="docker://alpine:3"), "not pinned"),
        (workflow(head=""), "which rights"),
        (workflow(head="permissions: write-all"), "may write"),
        (workflow(head="permissions: {contents: write}"), "may write"),
        (workflow(kept="true"), "key on disk"),
        (workflow().replace("push", "pull_request_target"), "other people's changes"),
    ],
    ids=lambda value: "fine" if value is None else value.strip()[-30:],
)
def test_a_workflow_is_refused_for_what_it_should_not_say(text, told):
    found = wrong_in_workflow(text)
    assert found == [] if told is None else any(told in each for each in found), found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x\n-----BEGIN EC PRIVATE KEY-----\n" + "A" * 64, "a private key"),
        ("seed = SUA" + "B" * 55, "an NKey's seed"),
        ("AKIA" + "Q" * 16, "an access key of AWS"),
        ("ghp_" + "a" * 36, "a token of GitHub"),
        ("xoxb-" + "1" * 24, "a token of Slack"),
        ("mx0v" + "gl" + "a1B2c3D4e5F6g7H8", "an API key of MEXC"),
        ("pypi-" + "AgE" + "x" * 60, "a token of PyPI"),
    ],
    ids=lambda value: value.split()[-1][:12],
)
def test_a_key_is_known_by_its_shape(text, kind):
    assert [found for found, _ in secrets_in(text)] == [kind]
    assert secrets_in(text)[0][1] == (2 if "\n" in text else 1)


def test_what_is_no_key_is_left_alone():
    text = "-----BEGIN PRIVATE KEY----- … SUBSCRIBE mx0vg and AKIAlower and SUAB"
    assert secrets_in(text) == []


def test_an_answer_that_is_none_is_not_taken_for_a_good_one(tmp_path):
    looked = read_answer({"dependencies": [{"name": "odd", "skip_reason": "not found"}]})
    assert (looked.holes, looked.unknown) == ([], ["odd: not found"])
    hole = {"name": "bad", "version": "2", "vulns": [{"id": "X-1", "fix_versions": ["3"]}]}
    looked = read_answer({"dependencies": [hole]})
    assert looked.holes == ["bad 2: X-1, mended in 3"]

    silent = tmp_path / "pip-audit"
    assert look_up(silent, tmp_path / "dev.txt").unknown == ["dev.txt: FileNotFoundError"]
    silent.write_text("#!/bin/sh\necho no connection >&2\n")
    silent.chmod(0o755)
    assert look_up(silent, tmp_path / "dev.txt").unknown == ["dev.txt: no connection"]


def test_the_audit_ends_badly_where_a_question_could_not_be_asked(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(auditing, "questions", lambda _: [("all is well", list)])
    assert auditing.main(["--offline", "--tools", str(tmp_path)]) == 0
    assert "not looked up" in capsys.readouterr().out
    assert auditing.main(["--tools", str(tmp_path)]) == 1
    assert "dev.txt was not looked up" in capsys.readouterr().out
    monkeypatch.setattr(auditing, "questions", lambda _: [("all is well", lambda: ["it is not"])])
    assert auditing.main(["--offline"]) == 1
