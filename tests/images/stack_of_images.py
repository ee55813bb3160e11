"""`alertwire up` with each of our own processes in a container of its image, on the host's network.

All else is the devstack as it is: the same environment, the same readiness, the same supervisor.
`python -m tests.images.stack_of_images up --dir D --port-base N`
"""

import dataclasses
import os
from pathlib import Path

from tests.images.containers import RESTRICTED, Images
from tools.cli.__main__ import main
from tools.devstack import starting
from tools.devstack.command import Command
from tools.devstack.processes import Processes

_UID = 10001
_SETTINGS = ("ALERTWIRE_", "OTEL_")
# Of the engine; none of it is passed into a container.
_OF_PODMAN = ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF")


class InImages(Processes):
    def command(self, name: str) -> Command:
        plain = super().command(name)
        settings = sorted(key for key in plain.env if key.startswith(_SETTINGS))
        # By name alone: what they hold is the client's environment, and in no argument.
        passed = [part for key in settings for part in ("--env", key)]
        image = name.replace("_", "-")
        return dataclasses.replace(
            plain,
            argv=(
                *("podman", "run", "--rm", "--replace", "--name", f"alertwire-{image}"),
                *("--network", "host", *RESTRICTED, *passed, *self._mounts(plain)),
                Images(os.environ).name(image),
            ),
            env={**plain.env, **{key: os.environ[key] for key in _OF_PODMAN}},
        )

    def _mounts(self, command: Command) -> list[str]:
        mounts = []
        for variable, path in command.env.items():
            if not variable.startswith("ALERTWIRE_") or not variable.endswith(("_FILE", "_DIR")):
                continue
            writable = variable.endswith("_DIR")
            if writable:
                Path(path).mkdir(exist_ok=True)
            os.chown(path, _UID, _UID)
            mounts += ["--volume", f"{path}:{path}{'' if writable else ':ro'}"]
        return mounts


if __name__ == "__main__":
    starting.Processes = InImages
    main(prog_name="alertwire")
