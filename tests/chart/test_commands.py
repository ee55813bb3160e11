"""What the Jobs say to the command line is a command, with options that it has."""

from pathlib import Path

import click
import pytest
import yaml

from tools.charting.places import BASE, BASE_DEV, shown
from tools.cli.__main__ import main

JOBS = [folder / f"{name}.yaml" for folder in (BASE, BASE_DEV) for name in ("setup", "migrate")]


def job_arguments(path: Path) -> list[str]:
    (job,) = (each for each in yaml.safe_load_all(path.read_text()) if each["kind"] == "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return container["args"]


@pytest.mark.parametrize("path", JOBS, ids=shown)
def test_a_job_says_what_the_command_line_knows(path):
    command: click.Command = main
    arguments = job_arguments(path)
    context = click.Context(main)
    while isinstance(command, click.Group):
        name = arguments.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name}"
        command = found
    known = {option for parameter in command.params for option in parameter.opts}
    asked = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
    assert asked <= known
