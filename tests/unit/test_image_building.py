"""How images are asked for: the same of docker, podman and buildah."""

import dataclasses
import itertools

import pytest

from tools.images.building import Build, found_tool, main
from tools.images.wheels import command as wheels_command

BUILD = Build(
    tool="buildah",
    repository="registry.example.org/team/",
    version="0.1.0",
    revision="abc",
    source="https://example.org/alertwire",
    made_at_s=1_700_000_000,
    base=None,
    offline=False,
)


def told(command):
    """The build arguments."""
    pairs = itertools.pairwise(command)
    return dict(value.split("=", 1) for name, value in pairs if name == "--build-arg")


@pytest.mark.parametrize("tool", ["docker", "podman", "buildah"])
def test_each_tool_is_told_the_same(tool):
    command = dataclasses.replace(BUILD, tool=tool).command("ingest")
    assert command[0] == tool
    assert command[-5:] == [
        *("--tag", "registry.example.org/team/alertwire-ingest:0.1.0", "--file", "Dockerfile", ".")
    ]
    arguments = told(command)
    assert arguments["SERVICE"] == "ingest"
    assert (arguments["VERSION"], arguments["REVISION"]) == ("0.1.0", "abc")
    assert "BASE_IMAGE" not in arguments
    assert "WHEELS" not in arguments
    # Else a healthcheck is lost.
    assert ("--format=docker" in command) is (tool != "docker")


def test_offline_nothing_is_fetched():
    build = dataclasses.replace(BUILD, offline=True, base="localhost/debian-python:trixie")
    command = build.command("cli")
    assert "--pull-never" in command
    assert told(command)["WHEELS"] == "wheels"
    assert told(command)["BASE_IMAGE"] == "localhost/debian-python:trixie"


def test_a_client_without_its_daemon_is_passed_over():
    assert found_tool(lambda command: command[0] != "docker") == "podman"
    assert found_tool(lambda _: False) is None


def test_help_tells_what_can_be_built(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "paper-exchange" in capsys.readouterr().out


def test_wheels_come_by_hash_for_the_images_python():
    command = wheels_command("router", machine="aarch64")
    assert {"--require-hashes", "--no-deps", "cp313", "abi3", "manylinux_2_28_aarch64"} <= set(
        command
    )
