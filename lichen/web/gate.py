"""The gate: where a request comes from, and whether it comes too often.

    token bucket: holds `count`, fills by `count / seconds`; a request takes one, or is told when

Each request is charged to its address and, where somebody is logged in, to the account as well;
an IPv6 address counts by its /64, which is what one customer gets. Buckets that are full again say
nothing, so that the least used are forgotten first when memory is.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

from lichen.kit import Clock, Refused, TooMany
from lichen.kit.config import Config

BUCKETS_MAX = 50_000  # at about 200 bytes each
FORWARDED_LENGTH_MAX = 1_000  # characters of a proxy's header; twenty hops
IPV6_PREFIX = 64  # bits; RFC 6177 gives a site no less

Rate = Literal["message", "post", "comment", "register", "image", "search", "settings", "login"]


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


class Gate:
    """Knows from where a request comes, and refuses those that come too often."""

    def __init__(
        self, config: Config, *, clock: Clock, rate: Callable[[Rate], tuple[int, float]]
    ) -> None:
        self.buckets = Buckets(clock)
        self.rate = rate  # how many of a kind fit into how many seconds
        self._is_on = config.limits.rates
        self._trusted = _networks(config.limits.trusted_proxies)

    def address(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the address of whoever asks: the peer's, or what a proxy of ours says."""
        said = headers.get("x-forwarded-for", "")[-FORWARDED_LENGTH_MAX:]
        # The rightmost was written by our own proxy; each to its left only if the next is ours too.
        found = peer
        for hop in reversed([part.strip() for part in said.split(",") if part.strip()]):
            if not self._is_trusted(found):
                break
            if not _is_address(hop):
                break
            found = hop
        return found

    def check(self, kind: Rate, address: str, account_id: int | None = None) -> None:
        """Count a request, or refuse it by `rate_limit_error` with the time to come back."""
        if not self._is_on:
            return
        count, seconds = self.rate(kind)
        keys = [network_of(address)]
        if account_id is not None:
            keys.append(f"account {account_id}")
        wait_s = max(
            self.buckets.wait_s(kind, key, count=count, seconds=seconds) for key in keys
        )
        if wait_s > 0:
            raise TooMany(retry_after_s=wait_s)
        for key in keys:
            self.buckets.take(kind, key, count=count, seconds=seconds)

    def _is_trusted(self, address: str) -> bool:
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


def _networks(text: str) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise Refused(
            "config_refused", f"limits.trusted_proxies holds addresses and networks; {error}."
        ) from None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
