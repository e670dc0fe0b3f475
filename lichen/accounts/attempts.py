"""Attempts to log in: how often somebody may be wrong, without locking anybody out.

A failed login is charged to its address and to the name that was tried, whether there is such an
account or not. When a name has been tried too often, whoever comes from an address where that
account is logged in already may go on: a stranger's tries do not keep a person from its account.
"""

from collections.abc import Awaitable, Callable

from lichen.kit import Clock, TooMany
from lichen.kit.config import Config
from lichen.web import Buckets, network_of


class Attempts:
    """Counts failed logins."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._is_on = config.limits.rates
        self._count, self._seconds = config.rates.login, config.rates.login_s
        self._buckets = Buckets(clock)

    async def begin(
        self, login: str, address: str | None, is_known: Callable[[], Awaitable[bool]]
    ) -> None:
        """Count an attempt as failed until `succeed` says otherwise, or refuse it."""
        if not self._is_on:
            return
        waits = {kind: self._wait_s(kind, key) for kind, key in self._keys(login, address)}
        if waits.get("address", 0) > 0:
            raise TooMany(retry_after_s=waits["address"])
        if waits["name"] > 0 and not await is_known():
            raise TooMany(retry_after_s=waits["name"])
        self._take(login, address, 1)

    def succeed(self, login: str, address: str | None) -> None:
        """Take back what `begin` counted."""
        if self._is_on:
            self._take(login, address, -1)

    def _keys(self, login: str, address: str | None) -> list[tuple[str, str]]:
        named = [("name", login)]
        return [*named, ("address", network_of(address))] if address else named

    def _wait_s(self, kind: str, key: str) -> float:
        return self._buckets.wait_s(kind, key, count=self._count, seconds=self._seconds)

    def _take(self, login: str, address: str | None, tokens: int) -> None:
        for kind, key in self._keys(login, address):
            self._buckets.take(
                kind, key, count=self._count, seconds=self._seconds, tokens=tokens
            )
