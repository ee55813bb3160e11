"""Asks a process of the same machine whether it is alive: an image's healthcheck, where nobody else
asks. `python -m libs.common.probing` ends with 0 where `/health/live` answers 200, else with 1.
"""

import http.client
import os
import sys
from collections.abc import Mapping

DEADLINE_S = 3.0
# Who listens on every address is asked on loopback.
_reached_by = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def alive(port: int, *, host: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=DEADLINE_S)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Where its health pages are the process has from the same environment."""
    port, host = (environ.get(f"ALERTWIRE_HEALTH_{name}", "") for name in ("PORT", "HOST"))
    return 0 if port.isdecimal() and alive(int(port), host=_reached_by.get(host, host)) else 1


if __name__ == "__main__":
    sys.exit(main())
