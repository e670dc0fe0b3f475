"""Documents of other servers: fetched, bounded, and believed only about their own host.

    fetch(url) ─▶ do we talk to that server? ─▶ GET, signed where it asks ─▶ type, size, depth
                                                              │
                   the id is what was asked for ◀─ same host? ┘ no ─▶ ask for the id itself, once

A document says who it is by `id`. It is believed only where it was served from the id's own
address, so that nobody can put words under another server's name, nor an upload under its own's.

It does not read what the documents say, nor keep them.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urldefrag

import msgspec

from lichen.federation.bodies import is_deeper
from lichen.federation.limits import (
    DOCUMENT_BYTES_MAX,
    DOCUMENT_DEPTH_MAX,
    FETCH_S_MAX,
    FETCHES_AT_ONCE_MAX,
)
from lichen.federation.model import OTHER_STYLE, Style, authority_of
from lichen.kit import NotFound, Refused, Unavailable
from lichen.kit.outbound import Fetched, Outbound
from lichen.kit.public_addresses import FetchRefused

Document = dict[str, Any]
# address, style -> headers that sign a GET of it
Signer = Callable[[str, Style], Awaitable[Mapping[str, str]]]

# ActivityPub §3.2: what a client asks for, and what most peers answer with.
ACCEPT = (
    'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
)
_PROFILE = "https://www.w3.org/ns/activitystreams"
SIGNED_PEERS_MAX = 10_000  # servers known to answer signed questions alone
_RETRY_S = 60.0  # where a peer fails and says nothing


class Preferences(Protocol):
    """What is known of how peers want requests signed."""

    def style_of(self, authority: str) -> Style:
        """Return the style that a peer took last; from memory."""

    def prefer(self, authority: str, style: Style) -> None:
        """Remember the style that a peer takes."""


class Gone(NotFound):
    """The thing is not there, or no longer (404, 410); `by` is who says that it was (410)."""

    def __init__(self, url: str, *, by: str = "") -> None:
        super().__init__("not_there", f"There is nothing at {url[:200]}.")
        self.by = by


class Documents:
    """Fetches documents of ActivityPub from servers that we talk to.

    `is_allowed` decides about authorities. `signer` signs as the site, in the style that
    `preferences` know; it is used for servers that refuse strangers, and for all where
    `signs_always` says so.
    """

    def __init__(
        self, outbound: Outbound, *, is_allowed: Callable[[str], bool], signer: Signer,
        preferences: Preferences, signs_always: Callable[[], bool] = lambda: False,
    ) -> None:
        self.outcomes: Counter[str] = Counter()  # of what was not believed, by code
        self._outbound = outbound
        self._is_allowed = is_allowed
        self._signer = signer
        self._preferences = preferences
        self._signs_always = signs_always
        self._wants_signed: set[str] = set()
        self._turns = asyncio.Semaphore(FETCHES_AT_ONCE_MAX)

    async def fetch(self, url: str) -> Document:
        """Return the document of an id or an address; its `id` can be believed.

        Raises FetchRefused, Unavailable and Gone.
        """
        try:
            return await self._believed(url)
        except Refused as refused:
            self.outcomes[refused.code] += 1
            raise

    async def fetch_json(self, url: str, *, accept: str) -> Document:
        """Return an object of JSON that is no document of ActivityPub: WebFinger, NodeInfo."""
        answer = await self._ask(url, accept, {})
        return decoded(answer.body)

    async def _believed(self, url: str) -> Document:
        """Return the document that an address leads to, served from the address that is its id."""
        document, came_from = await self._get(url)
        named = _id_of(document)
        if not _is_same(named, url, came_from):
            # The address was another's: a page, or a copy. What it names is asked itself.
            document, came_from = await self._get(named)
            if not _is_same(_id_of(document), named, came_from):
                raise FetchRefused("wrong_id", f"{came_from[:200]} calls itself otherwise.")
        if authority_of(_id_of(document)) != authority_of(came_from):
            raise FetchRefused("wrong_host", "A document speaks for its own server alone.")
        return document

    async def _get(self, url: str) -> tuple[Document, str]:
        """Return a document and the address that it came from, after redirects."""
        address = urldefrag(url).url
        authority = authority_of(address)
        if self._signs_always() or authority in self._wants_signed:
            answer = await self._ask_signed(address, authority)
        else:
            answer = await self._ask(address, ACCEPT, {}, may_refuse=True)
            if answer.status in (401, 403):
                # Authorised fetch: this server wants to know who asks.
                answer = await self._ask_signed(address, authority)
                if len(self._wants_signed) < SIGNED_PEERS_MAX:
                    self._wants_signed.add(authority)
        if not _is_activity(answer):
            raise FetchRefused(
                "wrong_content_type",
                f"{authority} answered with {answer.content_type[:60]!r}, no ActivityPub.",
            )
        return decoded(answer.body), answer.url

    async def _ask_signed(self, address: str, authority: str) -> Fetched:
        """Ask as the site; once more in the other style where a signature does not count (401)."""
        style = self._preferences.style_of(authority)
        headers = await self._signer(address, style)
        answer = await self._ask(address, ACCEPT, headers, may_refuse=True)
        if answer.status == 401:
            style = OTHER_STYLE[style]
            headers = await self._signer(address, style)
            answer = await self._ask(address, ACCEPT, headers, may_refuse=True)
            if answer.status == 200:
                self._preferences.prefer(authority, style)
        return _checked(answer)

    async def _ask(
        self, url: str, accept: str, headers: Mapping[str, str], *, may_refuse: bool = False
    ) -> Fetched:
        self._check_allowed(url)
        async with self._turns:
            answer = await self._outbound.fetch(
                url, accept=accept, bytes_max=DOCUMENT_BYTES_MAX, timeout_s=FETCH_S_MAX,
                headers=headers,
            )
        self._check_allowed(answer.url)
        if may_refuse and answer.status in (401, 403):
            return answer
        return _checked(answer)

    def _check_allowed(self, url: str) -> None:
        authority = authority_of(url)
        if not authority or not self._is_allowed(authority):
            raise FetchRefused("domain_blocked", f"This site does not talk to {url[:200]}.")


def decoded(body: bytes) -> Document:
    """Return the object in a body of JSON, or refuse it."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FetchRefused("invalid_json", "This is not JSON in UTF-8.") from None
    if not isinstance(document, dict):
        raise FetchRefused("invalid_json", "A document is one object of JSON.")
    if is_deeper(document, DOCUMENT_DEPTH_MAX):
        raise FetchRefused("invalid_json",
                           f"A document is at most {DOCUMENT_DEPTH_MAX} levels deep.")
    return document


def _id_of(document: Document) -> str:
    named = document.get("id", document.get("@id"))
    if not isinstance(named, str) or not authority_of(named):
        raise FetchRefused("wrong_id", "A document has an id, which is an address.")
    return named


def _is_same(named: str, *addresses: str) -> bool:
    """Say whether an id is one of the addresses; fragments do not count."""
    wanted = urldefrag(named).url.rstrip("/")
    return any(urldefrag(one).url.rstrip("/") == wanted for one in addresses)


def _is_activity(answer: Fetched) -> bool:
    if answer.content_type == "application/activity+json":
        return True
    said = answer.headers.get("content-type", "")
    return answer.content_type == "application/ld+json" and _PROFILE in said


def _checked(answer: Fetched) -> Fetched:
    """Return an answer that is one, or raise what its status says."""
    host = authority_of(answer.url)
    if answer.status in (404, 410):
        # ActivityPub §6.4: a deleted object may be answered by 410; 404 says nothing for ever.
        raise Gone(answer.url, by=host if answer.status == 410 else "")
    if answer.status == 429 or answer.status >= 500:
        raise Unavailable(f"{host} answers {answer.status}.", retry_after_s=_retry_after(answer))
    if answer.status != 200:
        raise FetchRefused("fetch_refused", f"{host} answers {answer.status}.")
    return answer


def _retry_after(answer: Fetched) -> float:
    said = answer.headers.get("retry-after", "")
    return min(3_600.0, float(said)) if said.isascii() and said.isdigit() else _RETRY_S


def is_lasting(error: Refused | Unavailable) -> bool:
    """Say whether asking again soon would only bring the same answer."""
    return isinstance(error, Refused)
