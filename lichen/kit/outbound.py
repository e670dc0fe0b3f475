"""The one HTTP client of the house: everything fetched from outside passes here.

It promises: only http and https, no credentials in addresses, only the public internet (unless
the configuration says otherwise), at most five redirects and each judged anew, a limit on time
and one on bytes after decompression, a limit on fetches at once per host, no cookies, no proxies
from the environment. A wrong address or answer is `FetchRefused`, a network that fails is
`Unavailable`; nothing else comes out.

    fetch ─▶ override? ─yes─▶ fixture file
               │no
               ▼
       judge URL ─▶ judge host ─▶ resolve + judge addresses ─▶ connect to those ─▶ read ≤ limit
               ▲                                                                      │
               └──────────────────────── redirect, ≤ 5 ◀──────────────────────────────┘

It does not sign, cache, retry or read what it fetched. aiohttp is imported at the first fetch.
"""

import asyncio
import mimetypes
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

import msgspec

from lichen import __version__
from lichen.kit.config import ConfigRefused
from lichen.kit.config import Outbound as Settings
from lichen.kit.errors import Unavailable
from lichen.kit.public_addresses import FetchRefused, checked_url

if TYPE_CHECKING:
    import aiohttp

REDIRECTS_MAX = 5  # of one fetch; honest sites need one or two, and a loop must end
CONNECTIONS_MAX = 256  # to all hosts together; far above what one worker keeps busy

REDIRECTS = frozenset((301, 302, 303, 307, 308))  # RFC 9110 §15.4: these name a new address
RETRY_S = 30.0  # a peer that fails is not asked again at once


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its status, headers (names in lower case), whole body, and final address."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty where none was said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def text(self) -> str:
        """Return the body as text by the charset that was said, else UTF-8; never raises."""
        _, _, charset = self.headers.get("content-type", "").lower().partition("charset=")
        try:
            return self.body.decode(charset.strip("\"' ").partition(";")[0] or "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


class Outbound:
    """The guarded client; one per process, used on one event loop, closed at its end.

    `sender` names the house in the User-Agent. `lookup` replaces name resolution in tests.
    """

    def __init__(self, settings: Settings, *, sender: str = "",
                 lookup: Callable[[str], Awaitable[list[str]]] | None = None) -> None:
        self.outcomes: Counter[str] = Counter()  # of what was refused or failed, by code
        self._settings = settings
        self._agent = f"Lichen/{__version__} (+{sender})" if sender else f"Lichen/{__version__}"
        self._lookup = lookup
        self._overrides = load_overrides(settings.fetch_overrides)
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, *, accept: str = "*/*", bytes_max: int | None = None,
                    timeout_s: float | None = None,
                    headers: Mapping[str, str] | None = None) -> Fetched:
        """GET an address and follow its redirects; any status is an answer.

        `headers` go to the first host only: a redirect to another host loses them.
        Raises FetchRefused and Unavailable.
        """
        target = _joined(url, "")
        sent = dict(headers or {})
        async with self._counted(target, timeout_s or self._settings.timeout_s):
            for _ in range(REDIRECTS_MAX + 1):
                answer = await self._get(target, headers=sent, accept=accept, bytes_max=bytes_max)
                location = answer.headers.get("location")
                if answer.status not in REDIRECTS or location is None:
                    return answer
                following = _joined(target, location)
                if _origin(following) != _origin(target):
                    sent = {}
                target = following
            raise FetchRefused(
                "too_many_redirects", f"{host_of(url)} redirects more than {REDIRECTS_MAX} times.")

    async def post(self, url: str, body: bytes, *, content_type: str, accept: str = "*/*",
                   bytes_max: int | None = None, timeout_s: float | None = None,
                   headers: Mapping[str, str] | None = None) -> Fetched:
        """POST bytes to an address; redirects are answers, not followed.

        Raises FetchRefused and Unavailable.
        """
        sent = {**(headers or {}), "Content-Type": content_type, "Accept": accept}
        async with self._counted(url, timeout_s or self._settings.timeout_s):
            return await self._ask("POST", url, body=body, headers=sent, bytes_max=bytes_max)

    async def close(self) -> None:
        """Close what is open; a later fetch opens anew."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @asynccontextmanager
    async def _counted(self, url: str, timeout_s: float) -> AsyncIterator[None]:
        """Let what is inside take so long, and count what becomes of it where it fails."""
        try:
            async with _limited(url, timeout_s):
                yield
        except FetchRefused as refused:
            self.outcomes[refused.code] += 1
            raise
        except Unavailable:
            self.outcomes["unavailable"] += 1
            raise

    async def _get(self, url: str, *, headers: Mapping[str, str], accept: str,
                   bytes_max: int | None) -> Fetched:
        fixture = self._overrides.get(url.rstrip("/"))
        if fixture is not None:
            return await asyncio.to_thread(_fixture, fixture, url, accept)
        return await self._ask(
            "GET", url, headers={**headers, "Accept": accept}, bytes_max=bytes_max)

    async def _ask(self, method: str, url: str, *, headers: Mapping[str, str],
                   body: bytes | None = None, bytes_max: int | None = None) -> Fetched:
        checked_url(url, plain_http=self._settings.plain_http)
        # Imported at the first fetch: aiohttp costs some 10 MB that a quiet house does not need.
        from lichen.kit.outbound_session import ask, open_session, system_lookup

        if self._session is None:
            lookup = self._lookup or system_lookup
            self._session = open_session(self._settings, agent=self._agent, lookup=lookup)
        return await ask(
            self._session, method, url, headers=headers, body=body,
            bytes_max=bytes_max or self._settings.bytes_max,
            private_addresses=self._settings.private_addresses)


@asynccontextmanager
async def _limited(url: str, timeout_s: float) -> AsyncIterator[None]:
    """Let what is inside take so long, and no longer."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise Unavailable(
            f"{host_of(url)} did not answer within {timeout_s:g} s.", retry_after_s=RETRY_S,
        ) from None


def host_of(url: str) -> str:
    """Return the host of an address for a message, shortened; never raises."""
    try:
        return (urlsplit(url).hostname or "")[:100] or "the host"
    except ValueError:
        return "the host"


def _joined(url: str, location: str) -> str:
    """Return the address a redirect leads to, without its fragment."""
    try:
        return urldefrag(urljoin(url, location)).url
    except ValueError:
        raise FetchRefused("url_refused", "This is not an address.") from None


def _origin(url: str) -> tuple[str, str]:
    # RFC 6454 §4: the same scheme, host and port.
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def load_overrides(path: str) -> Mapping[str, Path]:
    """Return the fixtures by outside address; raises ConfigRefused where the file is wrong."""
    if not path:
        return {}
    try:
        entries = msgspec.json.decode(Path(path).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigRefused(
            f"LICHEN_FETCH_OVERRIDES ({path}): expected a JSON object of addresses and files: "
            f"{error}.") from None
    folder = Path(path).parent
    return {url.rstrip("/"): folder / file for url, file in entries.items()}


def _fixture(path: Path, url: str, accept: str) -> Fetched:
    """Return a fixture file as if it had been fetched."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"The fixture {path} cannot be read: {error.strerror}.") from None
    kind = mimetypes.guess_type(path.name)[0] or mimetypes.guess_type(urlsplit(url).path)[0]
    asked = accept.partition(",")[0].partition(";")[0].strip()
    if "json" in asked and kind in (None, "application/json"):
        kind = asked  # ActivityPub §3.2: documents have a type of their own, files only .json.
    return Fetched(200, {"content-type": kind or "text/html"}, body, url)
