"""`lichen doctor federation HOST`: walks the way to a peer, and says which step fails.

    name ─► TCP ─► TLS ─► WebFinger ─► NodeInfo ─► site actor ─► signed GET ─► clock ─► inbox
    then ours: the lists, our own WebFinger from outside, and how far behind each is

Each step is one line with its time. Where the way itself fails (name, TCP, TLS) what lies behind it
is not asked. The peer is asked through the guarded client, as the house asks it.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from lichen.doctor.asking import Asking
from lichen.doctor.findings import Finding, Health
from lichen.doctor.house_rows import Lists, PeerStanding
from lichen.doctor.standing import told_standing
from lichen.doctor.stopwatch import now_s
from lichen.doctor.tls import CONNECT_S_MAX, examine_tls
from lichen.federation import SigningKey
from lichen.kit import Clock
from lichen.kit.config import Config
from lichen.kit.ground import Ground
from lichen.kit.outbound_session import system_lookup
from lichen.kit.public_addresses import is_public
from lichen.web import Addresses

PORTS = {"https": 443, "http": 80}  # RFC 9110 §4.2
ADDRESSES_MAX = 8  # of one name that are tried


class Ours:
    """What our own rows say, should there be any; see house_rows.py."""

    def __init__(self, *, lists: Lists | None = None, key: SigningKey | None = None,
                 standing: PeerStanding | None = None) -> None:
        self.lists, self.key, self.standing = lists, key, standing


async def walk(
    ground: Ground, authority: str, ours: Ours
) -> AsyncIterator[Finding]:
    """Yield a finding for each step of the way to a peer, in order."""
    config = ground.config
    scheme = scheme_of(config)
    host, port = _parted(authority, scheme)
    way = _Way(config, host, port, clock=ground.clock, is_secure=scheme == "https")
    async for finding in way.walk():
        yield finding
    if way.is_open:
        asking = Asking(ground, scheme, authority, key=ours.key)
        async for finding in asking.walk():
            yield finding
    if ours.lists is not None:
        refusal = ours.lists.refusal_of(authority)
        yield Finding("our lists", Health.ILL if refusal else Health.WELL,
                      refusal or "Nothing of ours keeps us from talking to it.",
                      "An administrator changes that on the site's page." if refusal else "")
        for finding in told_standing(authority, ours.standing, now_us=ground.clock()):
            yield finding


def scheme_of(config: Config) -> str:
    """Return how peers are called: https, and plain http on a testbed alone that says so itself."""
    is_plain = config.server.profile == "testbed" and config.outbound.plain_http
    return Addresses(config.public_url).scheme if is_plain else "https"


def _parted(authority: str, scheme: str) -> tuple[str, int]:
    """Return host and port of an authority."""
    parts = urlsplit(f"{scheme}://{authority}")
    assert parts.hostname, "an authority names a host"
    return parts.hostname, parts.port or PORTS[scheme]


class _Way:
    """The way to a server: name, TCP, TLS."""

    def __init__(self, config: Config, host: str, port: int, *, clock: Clock,
                 is_secure: bool) -> None:
        self.host, self.port = host, port
        self.is_open = False
        self._config, self._clock, self._is_secure = config, clock, is_secure
        self._addresses: list[str] = []

    async def walk(self) -> AsyncIterator[Finding]:
        """Yield findings until something fails or the way is open."""
        yield await self._name()
        if not self._addresses:
            return
        reached = []
        for address in self._addresses:
            finding = await self._tcp(address)
            yield finding
            if finding.health is Health.WELL:
                reached.append(address)
        if not reached:
            return
        if self._is_secure:
            started = now_s()
            async for finding in examine_tls(self.host, reached[0], self.port, clock=self._clock):
                yield finding._replace(took_ms=(now_s() - started) * 1_000)
                if finding.health is Health.ILL:
                    return
        self.is_open = True

    async def _name(self) -> Finding:
        started, settings = now_s(), self._config.outbound
        configured = settings.hosts.get(self.host.rstrip(".").lower())
        try:
            found = [configured] if configured else await system_lookup(self.host)
        except (socket.gaierror, UnicodeError) as error:
            return Finding("name", Health.ILL, f"{self.host} has no address ({error}).",
                           "See that the name is right; else its administrator must mend its DNS.",
                           (now_s() - started) * 1_000)
        took_ms = (now_s() - started) * 1_000
        usable = [one for one in found[:ADDRESSES_MAX] if configured or settings.private_addresses
                  or is_public(ipaddress.ip_address(one.partition("%")[0]))]
        told = f"{self.host} is {', '.join(map(_described, found[:ADDRESSES_MAX]))}."
        self._addresses = usable
        if not usable:
            return Finding("name", Health.ILL, told, "No address of it is public, so the house "
                           "never calls it; on a testbed set outbound.private_addresses.", took_ms)
        return Finding("name", Health.WELL, told, took_ms=took_ms)

    async def _tcp(self, address: str) -> Finding:
        started = now_s()
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                _, writer = await asyncio.open_connection(address, self.port)
        except (OSError, TimeoutError) as error:
            alone = len(self._addresses) == 1
            return Finding(
                "TCP", Health.ILL if alone else Health.WORRY,
                f"Port {self.port} of {address} does not open ({_reason(error)}).",
                "It is down, or a firewall stands between (here or there)." if alone else
                "That one of its addresses cannot be reached from here.",
                (now_s() - started) * 1_000)
        writer.close()
        took_ms = (now_s() - started) * 1_000
        return Finding("TCP", Health.WELL, f"Port {self.port} of {address} opens: a round trip is "
                       f"about {took_ms:.0f} ms.", took_ms=took_ms)


def _described(address: str) -> str:
    public = is_public(ipaddress.ip_address(address.partition("%")[0]))
    return f"{address} ({'public' if public else 'private'})"


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or f"no answer in {CONNECT_S_MAX:.0f} s"
