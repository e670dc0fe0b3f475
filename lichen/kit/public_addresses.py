"""Which addresses on the network the house may call on behalf of strangers.

A stranger who may choose an address that the house fetches reaches whatever the house reaches:
the database on loopback, the router, the cloud's metadata service (server-side request forgery).
So only addresses of the public internet are called. The ways around that are closed here: IPv4
hidden in IPv6, numbers that resolvers read as IPv4. Names that answer differently when asked
twice are the matter of `outbound_session.py`.

Pure: no names are resolved here.
"""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from lichen.kit.errors import Refused

URL_LENGTH_MAX = 2_048  # characters; browsers and peers cut longer ones

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1: IPv4 in the last 32 bits
_6TO4 = ipaddress.IPv6Network("2002::/16")  # RFC 3056 §2: IPv4 in bits 16 to 47
_REFUSED_V6 = (
    ipaddress.IPv6Network("::/96"),  # RFC 4291 §2.5.5.1: IPv4-compatible, deprecated
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # RFC 8215: NAT64 for local use
    ipaddress.IPv6Network("2001::/23"),  # IETF protocol assignments, Teredo (RFC 4380) among them
    ipaddress.IPv6Network("fec0::/10"),  # RFC 3879: site-local, deprecated
)
_REFUSED_V4 = (
    ipaddress.IPv4Network("192.88.99.0/24"),  # RFC 7526: 6to4 relays, deprecated
)

# WHATWG URL, "ends in a number": such a host is read as IPv4, whatever its form (0x7f.1, 0177.1).
_NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")


class FetchRefused(Refused):
    """An outside address that is not fetched, or an answer that is not taken."""


def is_public(address: Address) -> bool:
    """Say whether an address belongs to the public internet, whatever it is wrapped in."""
    if isinstance(address, ipaddress.IPv6Address):
        return _is_public_v6(address)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _REFUSED_V4)
    )


def _is_public_v6(address: ipaddress.IPv6Address) -> bool:
    if address.scope_id is not None:
        return False  # RFC 4007 §6: a zone is of this machine alone.
    inner = address.ipv4_mapped
    if address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    elif address in _6TO4:
        inner = address.sixtofour
    if inner is not None:
        return is_public(inner)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _REFUSED_V6)
    )


def literal_of(host: str) -> Address | None:
    """Return the address that a URL's host spells, None for a name; refuse odd spellings."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    if _NUMERIC_END.search(host):
        raise FetchRefused(
            "address_refused", f"{host[:100]!r} is a number in disguise; write it as a.b.c.d.")
    return None


def checked_url(url: str, *, plain_http: bool) -> SplitResult:
    """Return the parts of a URL that may be fetched, or refuse it; its host is not judged yet."""
    if len(url) > URL_LENGTH_MAX:
        raise FetchRefused("url_refused", f"An address has at most {URL_LENGTH_MAX} characters.")
    if any(character <= " " or character == "\x7f" or character == "\\" for character in url):
        raise FetchRefused("url_refused", "An address has no spaces, backslashes or control marks.")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where the port is no number up to 65535
    except ValueError:
        raise FetchRefused("url_refused", "This is not an address.") from None
    schemes = ("https", "http") if plain_http else ("https",)
    if parts.scheme not in schemes:
        raise FetchRefused("url_refused", f"Expected an address with {' or '.join(schemes)}.")
    if not parts.hostname:
        raise FetchRefused("url_refused", "This address names no host.")
    # RFC 3986 §3.2.1: passwords in addresses are deprecated; they also hide the true host.
    if "@" in parts.netloc:
        raise FetchRefused("url_refused", "An address must not carry a user or a password.")
    return parts
