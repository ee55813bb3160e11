"""What needs tools runs in `make chart`, whose environment has them; the rest in `make test`."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("kubernetes_validate") else ["proofs"]
if not find_spec("nats"):
    collect_ignore.append("test_commands.py")  # The command line's own packages are not there.
