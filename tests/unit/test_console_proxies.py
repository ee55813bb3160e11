"""What a proxy before the console is believed, and who is no such proxy."""

import pytest

from services.console.web.access.proxies import Forwarded, Proxied, proxied, read_proxies
from services.console.web.access.viewers import Role


def proxies(**settings):
    chosen = {
        "networks": "10.0.0.0/24, ::1/128",
        "user_header": "X-Auth-Request-Email",
        "groups_header": "X-Auth-Request-Groups",
        "operators": "ann@example.org, group:traders",
        "viewers": "group:staff",
        "sign_out_url": "",
    }
    return read_proxies(**{**chosen, **settings})


async def seen(peer, *headers, **settings):
    """The client's address and whom a proxy named, as the application is told."""
    found = {}

    async def app(scope, _receive, _send):
        found.update(address=scope["client"][0], who=proxied(scope))

    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "client": (peer, 1), "headers": raw}
    await Forwarded(app, proxies(**settings))(scope, None, None)
    return found["address"], found["who"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.7", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["1.2.3.4, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["192.0.2.1, 10.0.0.8"], "192.0.2.1"),
        ("10.0.0.7", ["6.6.6.6", "192.0.2.1, 10.0.0.8"], "192.0.2.1"),
        ("10.0.0.7", ["10.0.0.9"], "10.0.0.9"),
        ("10.0.0.7", [], "10.0.0.7"),
        ("10.0.0.7", ["192.0.2.1, <script>"], "10.0.0.7"),
        ("10.0.0.7", ["192.0.2.1:4711"], "192.0.2.1"),
        ("::1", ["[2001:db8::5]:80"], "2001:db8::5"),
        ("::ffff:10.0.0.7", ["192.0.2.1"], "192.0.2.1"),
        ("192.0.2.9", ["1.2.3.4"], "192.0.2.9"),
        ("10.0.1.7", ["1.2.3.4"], "10.0.1.7"),
    ],
    ids=[
        *("one-hop", "forged-left", "two-proxies", "two-lines", "only-proxies", "none"),
        *("garbage", "port", "ipv6", "mapped", "stranger", "other-network"),
    ],
)
async def test_the_address_is_the_rightmost_that_is_no_proxy_of_ours(peer, forwarded, address):
    lines = [("X-Forwarded-For", line) for line in forwarded]
    assert (await seen(peer, *lines))[0] == address


async def test_whom_a_trusted_proxy_names_is_known_and_by_anybody_else_nobody():
    headers = [("X-Auth-Request-Email", "ann@example.org"), ("X-Auth-Request-Groups", "a, b")]
    who = Proxied(name="ann@example.org", groups=frozenset({"a", "b"}))
    assert (await seen("10.0.0.7", *headers))[1] == who
    assert (await seen("192.0.2.9", *headers))[1] is None
    assert (await seen("10.0.0.7", ("X-Auth-Request-Groups", "traders")))[1] is None
    unset = {"user_header": "", "groups_header": ""}
    assert (await seen("10.0.0.7", *headers, **unset))[1] is None


@pytest.mark.parametrize(
    "names",
    [["ann@example.org", "bob"], [""], ["x" * 101], ["a\x1b[31m"], ["\u202eann"]],
    ids=["twice", "empty", "long", "control", "direction"],
)
async def test_a_name_that_is_no_name_is_nobody(names):
    headers = [("X-Auth-Request-Email", name) for name in names]
    _, who = await seen("10.0.0.7", *headers)
    assert who.name == ""


def test_roles_come_from_names_and_groups_and_the_higher_one_counts():
    chosen = proxies()
    assert chosen.role_of(Proxied(name="ann@example.org")) is Role.OPERATOR
    assert chosen.role_of(Proxied(name="bob", groups=frozenset({"staff"}))) is Role.VIEWER
    both = Proxied(name="bob", groups=frozenset({"staff", "traders"}))
    assert chosen.role_of(both) is Role.OPERATOR
    assert chosen.role_of(Proxied(name="eve", groups=frozenset({"group:traders"}))) is None
    # A name that looks like a group is none.
    assert chosen.role_of(Proxied(name="group:traders")) is None
    everybody = proxies(viewers="*")
    assert everybody.role_of(Proxied(name="eve")) is Role.VIEWER
    assert everybody.role_of(Proxied(name="ann@example.org")) is Role.OPERATOR


@pytest.mark.parametrize(
    "settings",
    [
        {"networks": ""},
        {"networks": "0.0.0.0/0"},
        {"networks": "10.0.0.1/24"},
        {"operators": "", "viewers": ""},
        {"operators": "*"},
        {"user_header": "X User"},
        {"sign_out_url": "//evil.example"},
        {"sign_out_url": "https://evil.example"},
    ],
    ids=[
        "nobody-trusted",
        "all",
        "host-bits",
        "no-roles",
        "any-operator",
        "header",
        "slashes",
        "url",
    ],
)
def test_settings_that_would_let_anybody_in_are_refused(settings):
    with pytest.raises(ValueError, match=r".+"):
        proxies(**settings)
