"""By which family of addresses a server listens: its host says it. Some clusters have no IPv4."""

import socket


def family_of(host: str) -> socket.AddressFamily:
    """`::` takes connections by IPv4, too, where the system says so, as it usually does."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
