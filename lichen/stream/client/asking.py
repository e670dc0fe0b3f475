"""What a client of ours asks a stream for, and how it opens what comes compressed.

The words are those of the first wire, which every Jetstream serves; ours beyond it (mentions,
languages, root posts) are passed over by servers that do not know them.
"""

import http.client
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec
import zstandard

from lichen.kit.errors import Refused, Unavailable
from lichen.stream.client.consuming import Draw, Endpoint, Subscription
from lichen.stream.limits import (
    ANSWER_BYTES_MAX,
    CONNECT_S_MAX,
    CONSUMER_BUFFER_BYTES,
    DICTIONARY_FETCH_BYTES_MAX,
)

DICTIONARY_PATH = "/xrpc/network.bsky.jetstream.getZstdDictionary"
DICTIONARY_HEADER = "lichen-zstd-dictionary"

Open = Callable[[memoryview | bytes], bytes]  # from a message as it came to its JSON


class Wish(NamedTuple):
    """What is wanted; what is empty is not asked for."""

    collections: tuple[str, ...] = ()
    dids: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    roots_only: bool = False
    message_bytes_max: int = 0
    source: str = ""
    cursor: int | None = None
    is_compressed: bool = False
    key: str = ""

    @property
    def query(self) -> str:
        """Return the query of the address."""
        pairs: list[tuple[str, str]] = []
        for name, values in (("wantedCollections", self.collections), ("wantedDids", self.dids),
                             ("wantedMentions", self.mentions), ("wantedLangs", self.langs)):
            pairs += [(name, value) for value in values]
        singles = (("rootPostsOnly", "true" if self.roots_only else ""),
                   ("maxMessageSizeBytes", str(self.message_bytes_max or "")),
                   ("source", self.source), ("compress", "true" if self.is_compressed else ""),
                   ("cursor", "" if self.cursor is None else str(self.cursor)))
        return urlencode(pairs + [(name, value) for name, value in singles if value], safe=":*")

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the request."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


def subscribe(endpoint: Endpoint, wish: Wish, *, draw: Draw) -> Subscription:
    """Ask for what is wanted; raises Refused, Unavailable."""
    return Subscription.open(endpoint, wish.query, draw=draw, headers=wish.headers)


def opener_of(endpoint: Endpoint, headers: Mapping[str, str], given: bytes = b"") -> Open:
    """Return what makes JSON of compressed messages; raises Refused, Unavailable.

    The dictionary is the one that was given, else the one that the answer named, fetched from the
    same server. Jetstream's own servers name none: clients have to bring it.
    """
    number = headers.get(DICTIONARY_HEADER, "")
    if not given and not number:
        raise Refused("stream_dictionary", f"{endpoint} compresses with a dictionary that it does "
                      "not name; give its file with --dictionary, or leave --compress out.")
    content = given or fetch(endpoint, f"{DICTIONARY_PATH}?id={number}",
                             bytes_max=DICTIONARY_FETCH_BYTES_MAX)
    try:
        decompress = zstandard.ZstdDecompressor(
            dict_data=zstandard.ZstdCompressionDict(content)).decompress
    except zstandard.ZstdError as error:
        raise Refused("stream_dictionary", f"The dictionary of {endpoint} cannot be read: {error}; "
                      "give the right file with --dictionary.") from error

    def open_message(message: memoryview | bytes) -> bytes:
        try:
            return decompress(message, max_output_size=CONSUMER_BUFFER_BYTES)
        except zstandard.ZstdError as error:
            raise Refused("stream_dictionary", f"A message of {endpoint} does not open: {error}. "
                          "Is it another dictionary?") from error

    return open_message


def fetch(endpoint: Endpoint, path: str, *, bytes_max: int = ANSWER_BYTES_MAX,
          accept: str = "*/*") -> bytes:
    """Return what a path of the same server holds; raises Refused, Unavailable."""
    connect = http.client.HTTPSConnection if endpoint.is_tls else http.client.HTTPConnection
    link = connect(endpoint.host, endpoint.port, timeout=CONNECT_S_MAX)
    try:
        link.request("GET", path, headers={"Host": endpoint.authority, "Accept": accept})
        answer = link.getresponse()
        content = answer.read(bytes_max + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{endpoint.authority} does not answer at {path}: {error}.") from error
    finally:
        link.close()
    if answer.status != 200:
        said = " ".join(content[:500].decode(errors="replace").split())
        raise Refused("stream_refused", f"{endpoint.authority} answered {answer.status} at "
                      f"{path}: {said}")
    if len(content) > bytes_max:
        raise Unavailable(f"{endpoint.authority} sent more than {bytes_max:,} bytes at {path}.")
    return content


class Kept(msgspec.Struct):
    """What a stream keeps, as its page tells programs."""

    source: str
    floor: int
    tip: int
    events: int
    plain_bytes: int
    compressed_bytes: int
    index_bytes: int
    oldest: str
    newest: str


class Overview(msgspec.Struct):
    """What a stream's page tells programs, as far as it is read here."""

    subscribers: int
    sources: list[Kept]


def tip_of(endpoint: Endpoint, source: str = "") -> int:
    """Return the last sequence that a Lichen's stream has given, 0 where a server does not tell."""
    with suppress(Refused, Unavailable):
        for kept in overview_of(endpoint).sources:
            if not source or kept.source == source:
                return kept.tip
    return 0


def overview_of(endpoint: Endpoint) -> Overview:
    """Return what a Lichen's stream says of itself; raises Refused, Unavailable."""
    told = fetch(endpoint, "/", accept="application/json")
    try:
        return msgspec.json.decode(told, type=Overview)
    except msgspec.DecodeError as error:
        raise Refused("stream_overview", f"{endpoint.authority} tells nothing of what it keeps; "
                      "is it a Lichen's stream?") from error
