"""Lists of networks, and what is counted as one sender. Whose word is believed is proven by
test_console_proxies.py and test_ingest_senders.py.
"""

from ipaddress import ip_network

import pytest

from libs.common.addresses import (
    TRADINGVIEW_ADDRESSES,
    read_address,
    read_networks,
    read_proxies,
    read_senders,
    site_of,
)


def test_a_list_of_networks():
    wanted = (ip_network("10.0.0.0/8"), ip_network("::1/128"), ip_network("192.0.2.7"))
    assert read_networks(" 10.0.0.0/8,::1/128 , 192.0.2.7,") == wanted
    assert read_networks("") == ()


def test_the_word_tradingview_stands_for_its_addresses():
    found = read_senders("tradingview, 10.0.0.0/8")
    assert found == (*map(ip_network, TRADINGVIEW_ADDRESSES), ip_network("10.0.0.0/8"))
    assert len(found) == 5


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_senders, "tradingviews"),
        (read_senders, "10.0.0.1/8"),
        (read_proxies, "tradingview"),
        (read_proxies, "0.0.0.0/0"),
        (read_proxies, "10.0.0.0/8,::/0"),
        (read_networks, "10.0.0.0/33"),
    ],
    ids=["misspelt", "host-bits", "no-proxy", "everybody", "everybody-6", "no-network"],
)
def test_a_list_that_cannot_be_meant(read, text):
    with pytest.raises(ValueError, match=r"."):
        read(text)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:80 ", "192.0.2.1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "None"),
        ("_hidden", "None"),
        ("192.0.2.1\n", "192.0.2.1"),
        ("192.0.2.01", "None"),
        ("", "None"),
    ],
)
def test_an_address_as_proxies_write_it(written, address):
    assert str(read_address(written)) == address


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("a:b", "a:b"),
    ],
)
def test_who_is_one_sender(address, site):
    assert site_of(address) == site
