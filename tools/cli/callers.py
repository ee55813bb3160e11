"""Who gives the commands, as it stands in the trail beside what they change."""

import getpass
import os

_NAME = "ALERTWIRE_BY"


def own_name() -> str:
    """`ALERTWIRE_BY`, else the user of the operating system; empty where there is none."""
    chosen = os.environ.get(_NAME) or os.environ.get("USER")
    if chosen:
        return _printable(chosen)
    try:
        return _printable(getpass.getuser())
    except (KeyError, OSError, ImportError):
        # A container's user may have no name.
        return ""


# It travels in a header, which a line break would end.
def _printable(name: str) -> str:
    return "".join(char for char in name if char.isprintable()).strip()
