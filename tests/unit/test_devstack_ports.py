import socket

import pytest

from tools.devstack.ports import HOST, SPAN, Ports, PortTakenError, free_port, require_free


def test_all_ports_lie_in_the_promised_range_and_are_distinct():
    ports = Ports(8400).by_name().values()
    assert len(set(ports)) == len(ports) == 10
    assert all(8400 <= port < 8400 + SPAN for port in ports)


def test_addresses_are_those_that_others_rely_on():
    ports = Ports(8400)
    assert ports.url("ingest") == "http://127.0.0.1:8400"
    assert ports.url("console") == "http://127.0.0.1:8401"
    assert ports.url("paper_exchange") == "http://127.0.0.1:8402"
    assert ports.health_url("executor") == "http://127.0.0.1:8412"


@pytest.mark.parametrize("base", [0, -1, 65_536 - SPAN + 1])
def test_a_base_that_leaves_no_room_is_refused(base):
    with pytest.raises(ValueError, match="port base"):
        Ports(base)


def test_a_taken_port_is_named_with_the_way_out():
    with socket.create_server((HOST, 0)) as taken:
        base = taken.getsockname()[1] - 2
        with pytest.raises(PortTakenError) as error:
            require_free(_Only(base))
    assert f"port {base + 2} (paper_exchange)" in str(error.value)
    assert "--port-base" in str(error.value)


def test_a_port_whose_last_connection_lingers_counts_as_free():
    """As it does right after a stop: the server closed first, so TIME_WAIT is on its side."""
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((HOST, port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            client.recv(1)
    require_free(_Only(port - 2))


def test_a_free_port_can_be_bound():
    with socket.create_server((HOST, free_port())):
        pass


class _Only(Ports):
    """One port of the ten, so that the test depends on no other port of this machine."""

    def by_name(self):
        return {"paper_exchange": self.of("paper_exchange")}
