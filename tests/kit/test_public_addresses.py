"""Only the public internet is called, however an address is spelled or wrapped."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.kit.public_addresses import FetchRefused, checked_url, is_public, literal_of

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "172.32.0.1", "2606:4700:4700::1111",
    "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:0101:0101::1", "2a00:1450:4001:81b::200e",
]
PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::1", "2002:0a00:0001::", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0",
    "2606:4700::1%eth0", "fec0::1", "ff02::1",
]
DISGUISED = [
    "2130706433", "0x7f000001", "017700000001", "127.1", "127.0.1", "0x7f.0.0.1", "0177.0.0.1",
    "127.0.0.0x1", "127.0.0.01", "127.0.0.1.", "0", "1.2.3.4.5", "example.123", "256.1.1.1", "0x",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_an_address_of_the_public_internet_is_called(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_an_address_of_anywhere_else_is_not_called(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_in_ipv6_does_not_change_the_answer(
    inner: ipaddress.IPv4Address,
) -> None:
    wrapped = [
        ipaddress.IPv6Address(f"::ffff:{inner}"),
        ipaddress.IPv6Address(f"64:ff9b::{inner}"),
        ipaddress.IPv6Address((0x2002 << 112) | int(inner) << 80),
    ]

    assert [is_public(one) for one in wrapped] == [is_public(inner)] * 3


@pytest.mark.parametrize("host", DISGUISED)
def test_a_number_that_resolvers_read_as_an_address_is_refused(host: str) -> None:
    with pytest.raises(FetchRefused) as refused:
        literal_of(host)

    assert refused.value.code == "address_refused"


@pytest.mark.parametrize(("host", "literal"), [
    ("example.org", None), ("7even.example", None), ("localhost", None), ("a.0x7g", None),
    ("127.0.0.1", ipaddress.ip_address("127.0.0.1")), ("[::1]", ipaddress.ip_address("::1")),
])
def test_a_host_is_a_name_or_one_plain_address(host: str, literal: object) -> None:
    assert literal_of(host) == literal


@pytest.mark.parametrize("url", [
    "ftp://a.example/", "file:///etc/passwd", "gopher://a.example", "javascript:alert(1)",
    "//a.example/", "a.example", "", "http://", "https:///path", "https://a.example:99999/",
    "https://a.example:x/", "https://user@a.example/", "https://u:p@a.example/",
    "https://a.example\\@b.example/", "https://a.exam ple/", "https://a.example/\r\nX: y",
    "https://[::1/", "https://a.example/" + "x" * 3_000, "data:text/html,x",
])
def test_an_address_that_is_no_plain_http_address_is_refused(url: str) -> None:
    with pytest.raises(FetchRefused):
        checked_url(url, plain_http=True)


def test_plain_http_is_only_fetched_where_it_is_allowed() -> None:
    assert checked_url("http://a.example/", plain_http=True).hostname == "a.example"
    assert checked_url("https://a.example/", plain_http=False).hostname == "a.example"
    with pytest.raises(FetchRefused, match="https"):
        checked_url("http://a.example/", plain_http=False)
