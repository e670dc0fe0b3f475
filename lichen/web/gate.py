"""The gate: whether a request comes too often, by its address and by its account.

Each request is charged to its address and, where somebody is logged in, to the account as well;
`lichen.kit.callers` holds the buckets, and says which address asks.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from lichen.kit import Clock, TooMany
from lichen.kit.callers import Buckets, Proxies, network_of
from lichen.kit.config import Config

Rate = Literal["message", "post", "comment", "register", "image", "search", "settings", "login"]


class Gate:
    """Knows from where a request comes, and refuses those that come too often."""

    def __init__(
        self, config: Config, *, clock: Clock, rate: Callable[[Rate], tuple[int, float]]
    ) -> None:
        self.buckets = Buckets(clock)
        self.rate = rate  # how many of a kind fit into how many seconds
        self._is_on = config.limits.rates
        self._proxies = Proxies(config.limits.trusted_proxies)

    def address(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the address of whoever asks: the peer's, or what a proxy of ours says."""
        return self._proxies.caller(peer, headers.get("x-forwarded-for", ""))

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
