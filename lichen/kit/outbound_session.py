"""The half of the outbound client that speaks HTTP; imported at the first fetch.

aiohttp connects to exactly the addresses that its resolver returns, so judging them there leaves
no gap between check and use: a name that answers differently the second time (DNS rebinding)
gains nothing. Addresses spelled in the URL never reach a resolver and are judged before the
request, on the host as aiohttp itself reads it.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from lichen.kit.config import Outbound as Settings
from lichen.kit.errors import Unavailable
from lichen.kit.outbound import CONNECTIONS_MAX, REDIRECTS, RETRY_S, Fetched, host_of
from lichen.kit.public_addresses import FetchRefused, is_public, literal_of

Lookup = Callable[[str], Awaitable[list[str]]]  # a name -> its addresses

ADDRESSES_MAX = 16  # of one name; more are not tried
CHUNK_BYTES = 1 << 16  # read at once

_NETWORK_ERRORS = (aiohttp.ClientError, OSError, UnicodeError)


async def ask(session: aiohttp.ClientSession, method: str, url: str, *,
              headers: Mapping[str, str], body: bytes | None, bytes_max: int,
              private_addresses: bool) -> Fetched:
    """Send one request and read its whole answer; raises FetchRefused and Unavailable."""
    target = _judged(url, private_addresses=private_addresses)
    try:
        async with session.request(
            method, target, headers=headers, data=body, allow_redirects=False,
        ) as response:
            names = {name.lower(): value for name, value in response.headers.items()}
            content = b"" if response.status in REDIRECTS else await _read(response, bytes_max)
            return Fetched(response.status, names, content, url)
    except TimeoutError:  # an OSError that belongs to whoever set the time limit
        raise
    except _NETWORK_ERRORS as error:
        raise Unavailable(
            f"{host_of(url)} does not answer ({type(error).__name__}).", retry_after_s=RETRY_S,
        ) from error


def _judged(url: str, *, private_addresses: bool) -> yarl.URL:
    try:
        target = yarl.URL(url)
    except ValueError:
        raise FetchRefused("url_refused", "This is not an address.") from None
    if not target.raw_host or target.user is not None:
        raise FetchRefused("url_refused", "This address names no host, or a user.")
    literal = literal_of(target.raw_host)
    if literal and not private_addresses and not is_public(literal):
        raise _not_public(target.raw_host)
    return target


async def _read(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """Return the decompressed body; stop as soon as it is too large."""
    said = response.content_length
    if said is not None and said > bytes_max:
        raise _too_large(response, bytes_max)
    content = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        content += chunk
        if len(content) > bytes_max:
            raise _too_large(response, bytes_max)
    return bytes(content)


def _too_large(response: aiohttp.ClientResponse, bytes_max: int) -> FetchRefused:
    response.close()  # the rest is not read, so the connection cannot be used again
    return FetchRefused(
        "body_too_large", f"{response.url.host} sent more than {bytes_max} bytes.")


def _not_public(host: str) -> FetchRefused:
    return FetchRefused("address_refused", f"{host[:100]} is not on the public internet.")


def open_session(settings: Settings, *, agent: str, lookup: Lookup) -> aiohttp.ClientSession:
    """Return a session without cookies, proxies or a limit on time, which its caller sets."""
    resolver = GuardedResolver(
        settings.hosts, private_addresses=settings.private_addresses, lookup=lookup)
    connector = aiohttp.TCPConnector(
        resolver=resolver, limit=CONNECTIONS_MAX, limit_per_host=settings.per_host_max)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False,
        headers={"User-Agent": agent, "Accept-Encoding": "gzip, deflate"},
        timeout=aiohttp.ClientTimeout(total=None))


async def system_lookup(name: str) -> list[str]:
    """Return the addresses of a name by the system's resolver, in its order, each once."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedResolver(AbstractResolver):
    """Resolves names, configured ones first, and drops addresses that must not be called."""

    def __init__(self, hosts: Mapping[str, str], *, private_addresses: bool,
                 lookup: Lookup) -> None:
        self._hosts = hosts
        self._private_addresses = private_addresses
        self._lookup = lookup

    async def resolve(self, host: str, port: int = 0,
                      family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """Return the addresses of a host that may be called; refuses where none is left."""
        # An address that the administrator wrote down is allowed, whatever it is.
        configured = self._hosts.get(host.rstrip(".").lower())
        if configured:
            return [_result(host, port, configured)]
        found = await self._lookup(host)
        usable = [
            address for address in found[:ADDRESSES_MAX]
            if self._private_addresses or is_public(ipaddress.ip_address(address))
        ]
        if not usable:
            raise _not_public(host)
        return [_result(host, port, address) for address in usable]

    async def close(self) -> None:
        """Do nothing; nothing is held."""


def _result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)
