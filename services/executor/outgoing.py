"""How every connection to the outside is made, so that an echo service sees the address that the
exchange sees: always IPv4, by no proxy, whatever the environment says.
"""

import socket
from typing import Any

import aiohttp


def connector(**options: Any) -> aiohttp.TCPConnector:
    """Make it inside the event loop."""
    return aiohttp.TCPConnector(
        # Addresses that are linked to a key are IPv4; by IPv6 we would come from another.
        family=socket.AF_INET,
        resolver=aiohttp.ThreadedResolver(),
        **options,
    )
