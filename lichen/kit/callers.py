"""Callers: from which address a request comes, and how often that address may come.

    token bucket: holds `count`, fills by `count / seconds`; a request takes one, or is told when

An IPv6 address counts by its /64, which is what one customer gets. Buckets that are full again say
nothing, so that the least used are forgotten first when memory is.
"""

from collections import OrderedDict
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from lichen.kit.clock import Clock
from lichen.kit.errors import Refused

BUCKETS_MAX = 50_000  # at about 200 bytes each
FORWARDED_LENGTH_MAX = 1_000  # characters of a proxy's header; twenty hops
IPV6_PREFIX = 64  # bits; RFC 6177 gives a site no less


class Buckets:
    """Token buckets by key, in memory; the least recently used are forgotten."""

    def __init__(self, clock: Clock, *, count_max: int = BUCKETS_MAX) -> None:
        self._clock = clock
        self._count_max = count_max
        self._kept: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def wait_s(self, kind: str, key: str, *, count: int, seconds: float) -> float:
        """Return how long it takes until one more fits, 0 for now."""
        tokens = self._tokens(kind, key, count=count, seconds=seconds)
        return 0.0 if tokens >= 1 else (1 - tokens) * seconds / count

    def take(self, kind: str, key: str, *, count: int, seconds: float, tokens: float = 1) -> None:
        """Take tokens out of a bucket, or with a negative number give some back."""
        left = self._tokens(kind, key, count=count, seconds=seconds) - tokens
        self._kept[(kind, key)] = (min(left, float(count)), self._clock())
        self._kept.move_to_end((kind, key))
        if len(self._kept) > self._count_max:
            self._kept.popitem(last=False)

    def _tokens(self, kind: str, key: str, *, count: int, seconds: float) -> float:
        tokens, at_us = self._kept.get((kind, key), (float(count), 0))
        filled = (self._clock() - at_us) / 1e6 * count / seconds
        return min(float(count), tokens + max(0.0, filled))


class Proxies:
    """Our own proxies: the only ones whose word on who called is believed."""

    def __init__(self, text: str, *, option: str = "limits.trusted_proxies") -> None:
        self._trusted = _networks(text, option)

    def caller(self, peer: str, said: str) -> str:
        """Return the address of whoever asks: the peer's, or what X-Forwarded-For says of it."""
        # The rightmost was written by our own proxy; each to its left only if the next is ours too.
        hops = said[-FORWARDED_LENGTH_MAX:].split(",")
        found = peer
        for hop in reversed([part.strip() for part in hops if part.strip()]):
            if not self.trusts(found):
                break
            if not _is_address(hop):
                break
            found = hop
        return found

    def trusts(self, address: str) -> bool:
        """Say whether an address is a proxy of ours."""
        if not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self._trusted)


def network_of(address: str) -> str:
    """Return what an address is counted by: itself, or its /64."""
    if not _is_address(address):
        return address
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:  # RFC 4291 §2.5.5.2
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), IPV6_PREFIX), strict=False))
    return address


def _networks(text: str, option: str) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise Refused(
            "config_refused", f"{option} holds addresses and networks; {error}."
        ) from None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
