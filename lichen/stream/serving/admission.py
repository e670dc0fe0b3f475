"""Who may subscribe, how often, and how many at once: by address, or by a key.

A key comes as `Authorization: Bearer KEY`, or as `?key=KEY` from browsers, which cannot send
headers with a WebSocket. Whoever has one is counted by it, wherever they come from.
"""

import hashlib
from collections import Counter
from typing import Final, NamedTuple

from lichen.kit import Clock, Refused, TooMany
from lichen.kit.callers import Buckets, Proxies, network_of
from lichen.stream.serving.http import Request
from lichen.stream.serving.settings import ServerSettings

CONNECT: Final = "connect"
MINUTE_S: Final = 60.0
FULL_RETRY_S: Final = 30.0  # until one of the caller's own subscribers may have gone


class Pass(NamedTuple):
    """What an admitted subscriber is counted by."""

    who: str


class Admission:
    """Counts subscribers and connects; refuses what is too much with 429."""

    def __init__(self, settings: ServerSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._buckets = Buckets(clock)
        self._proxies = Proxies(settings.trusted_proxies, option="stream.trusted_proxies")
        self._keys = {_digest(key) for key in settings.keys}
        self._subscribed: Counter[str] = Counter()

    def caller_of(self, request: Request) -> str:
        """Return the address of whoever asks."""
        return self._proxies.caller(request.peer, request.header("x-forwarded-for"))

    def is_proxy(self, peer: str) -> bool:
        """Say whether a peer is a proxy of ours, and so stands for many."""
        return self._proxies.trusts(peer)

    def admit(self, request: Request) -> Pass:
        """Count a subscriber in; raises TooMany, or Refused where the key is unknown."""
        settings = self._settings
        key = _key_of(request)
        if key and _digest(key) not in self._keys:
            raise Refused("AuthenticationRequired", "This key is unknown here; ask the operator, "
                          "or come without one.", status=401)
        who = f"key {_digest(key)}" if key else network_of(request.caller)
        per_minute = settings.connects_per_key_minute_max if key else \
            settings.connects_per_minute_max
        wait_s = self._buckets.wait_s(CONNECT, who, count=per_minute, seconds=MINUTE_S)
        if wait_s > 0:
            raise TooMany(text=f"At most {per_minute} connects a minute; try again in "
                          f"{wait_s:.1f} s.", retry_after_s=wait_s)
        self._buckets.take(CONNECT, who, count=per_minute, seconds=MINUTE_S)
        at_once = settings.subscribers_per_key_max if key else settings.subscribers_per_address_max
        if self._subscribed[who] >= at_once:
            raise TooMany(text=f"At most {at_once} subscribers at once; close one first.",
                          retry_after_s=FULL_RETRY_S)
        self._subscribed[who] += 1
        return Pass(who)

    def release(self, admitted: Pass) -> None:
        """Count a subscriber out."""
        self._subscribed[admitted.who] -= 1
        assert self._subscribed[admitted.who] >= 0
        if not self._subscribed[admitted.who]:
            del self._subscribed[admitted.who]


def _key_of(request: Request) -> str:
    scheme, _, key = request.header("authorization").partition(" ")
    # RFC 6750 §2.1: the scheme is compared without its case.
    return key.strip() if scheme.lower() == "bearer" else request.first_of("key")


def _digest(key: str) -> str:
    """Return what a key is compared by, so that comparing tells nothing of it."""
    return hashlib.sha256(key.encode()).hexdigest()
