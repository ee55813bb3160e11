"""Our own address: read from what echo services answer, and judged by what is expected."""

from ipaddress import IPv4Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor.addresses import (
    EgressState,
    checked_networks,
    judge_egress,
    read_echo,
    unexpected,
)

OURS, OTHER, STANDBY = "198.51.100.7", "203.0.113.9", "198.51.100.8"


@pytest.mark.parametrize(
    ("body", "address"),
    [
        (b"198.51.100.7", OURS),
        (b" 198.51.100.7\r\n", OURS),
        (b'{"ip":"198.51.100.7"}', OURS),
        (b'{\n  "ip" : " 198.51.100.7 ", "country": "X"\n}\n', OURS),
        (b'"198.51.100.7"', OURS),
        (b"2001:DB8::1", "2001:db8::1"),
        (b"::ffff:198.51.100.7", OURS),
        (b"", None),
        (b"198.51.100", None),
        (b"198.51.100.7 203.0.113.9", None),
        (b"198.51.100.7/32", None),
        (b"3325256711", None),
        (b'{"ip":3325256711}', None),
        (b'{"address":"198.51.100.7"}', None),
        (b"[" * 5_000, None),
        (b"<html>198.51.100.7</html>", None),
        (b"\xff\xfe", None),
    ],
)
def test_what_an_echo_service_may_answer(body, address):
    assert read_echo(body) == address


@pytest.mark.parametrize(
    ("seen", "expected", "waited_s", "state", "words"),
    [
        ([], [], 0, EgressState.UNCHECKED, None),
        ([OTHER], [], 0, EgressState.UNCHECKED, None),
        ([OURS], [OURS], 0, EgressState.EXPECTED, None),
        ([OURS], [STANDBY, OURS], 0, EgressState.EXPECTED, None),
        ([OURS, STANDBY], ["198.51.100.0/24"], 0, EgressState.EXPECTED, None),
        ([OURS], ["198.51.100.99/24"], 0, EgressState.EXPECTED, None),
        (["::ffff:198.51.100.7"], [OURS], 0, EgressState.EXPECTED, None),
        ([OTHER], [OURS], 0, EgressState.UNEXPECTED, [OTHER, OURS]),
        ([OURS, OTHER], [OURS], 0, EgressState.UNEXPECTED, [OTHER]),
        (["2001:db8::1"], [OURS, "0.0.0.0/0"], 0, EgressState.UNEXPECTED, ["2001:db8::1"]),
        ([OTHER], [OURS], 9_999, EgressState.UNEXPECTED, [OTHER]),
        (["nonsense"], ["0.0.0.0/0", "::/0"], 0, EgressState.UNEXPECTED, ["nonsense"]),
        ([OURS], ["nonsense"], 0, EgressState.UNEXPECTED, [OURS]),
        ([], [OURS], 29.9, EgressState.AWAITED, [OURS]),
        ([], [OURS], 30, EgressState.UNVERIFIED, None),
    ],
)
def test_the_table(seen, expected, waited_s, state, words):
    judged = judge_egress(seen, expected, waited_s=waited_s, hold_s=30)
    assert judged.state is state
    if words is None:
        assert judged.problem is None
    else:
        assert all(word in judged.problem for word in words)


ADDRESSES = st.ip_addresses(v=4).map(str)
NETWORKS = st.builds(
    lambda address, bits: str(IPv4Network((int(ip_address(address)), bits), strict=False)),
    ADDRESSES,
    st.integers(0, 32),
)


@given(seen=st.lists(ADDRESSES, min_size=1, max_size=4), expected=st.lists(NETWORKS, max_size=4))
def test_any_addresses_against_any_networks(seen, expected):
    """By bits, and not by the library's own membership."""

    def holds(network, address):
        whole = ip_network(network)
        shift = 32 - whole.prefixlen
        return int(ip_address(address)) >> shift == int(whole.network_address) >> shift

    wrong = [one for one in seen if not any(holds(network, one) for network in expected)]
    assert list(unexpected(seen, expected)) == wrong
    judged = judge_egress(seen, expected, waited_s=0, hold_s=30)
    assert (judged.problem is not None) == bool(expected and wrong)


@given(seen=st.lists(ADDRESSES, min_size=1, max_size=4), more=st.lists(NETWORKS, max_size=3))
def test_more_that_is_expected_never_makes_it_worse(seen, more):
    before = judge_egress(seen, [OURS], waited_s=0, hold_s=30)
    after = judge_egress(seen, [OURS, *more], waited_s=0, hold_s=30)
    assert before.problem is not None or after.problem is None


def test_what_is_expected_is_listed_with_commas():
    assert checked_networks(" 198.51.100.7, 203.0.113.0/24 ,") == (OURS, "203.0.113.0/24")
    assert checked_networks("") == ()
    for wrong in ("here", "198.51.100.7/33", "1.2.3"):
        with pytest.raises(ValueError, match=wrong):
            checked_networks(f"{OURS},{wrong}")
