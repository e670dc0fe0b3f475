"""What the stream carries, and who wants which of it: frozen values and pure functions."""

from enum import IntEnum
from typing import Final, NamedTuple

import msgspec

WILDCARD: Final = ".*"


class Kind(IntEnum):
    """What an event tells of; `sync` exists on the second wire only."""

    COMMIT = 0
    IDENTITY = 1
    ACCOUNT = 2
    SYNC = 3

    @property
    def word(self) -> str:
        """Return the word that the wire uses."""
        return self.name.lower()


class Operation(IntEnum):
    """What a commit does to its record; other kinds have none."""

    NONE = 0
    CREATE = 1
    UPDATE = 2
    DELETE = 3

    @property
    def word(self) -> str:
        """Return the word that the wire uses."""
        return self.name.lower()


class Arrival(NamedTuple):
    """One event, as whoever feeds the stream gives it.

    `body` is what the wire shows under the word of the kind, as JSON with its braces and without
    newlines; a commit's keys come in this order: rev, operation, collection, rkey, record, cid.
    `seq` and `time_us` are those of the house's log, or 0: then the stream gives its own.
    """

    did: str
    body: bytes
    kind: Kind = Kind.COMMIT
    operation: Operation = Operation.NONE
    collection: str = ""
    is_root: bool = False  # a post that answers nobody
    mentions: tuple[str, ...] = ()  # DIDs
    langs: tuple[str, ...] = ()
    seq: int = 0
    time_us: int = 0


class Filter(msgspec.Struct, frozen=True):
    """What a subscriber wants; an empty part wants everything. Hashable: equal ones share work.

    `collections` and `prefixes` (`app.bsky.feed.`, with the dot) apply to commits alone; kinds,
    dids, langs and mentions to everything. `roots_only` drops posts that are answers, and whatever
    is no post.
    """

    kinds: frozenset[Kind] = frozenset()
    collections: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    dids: frozenset[str] = frozenset()
    roots_only: bool = False
    mentions: frozenset[str] = frozenset()
    langs: frozenset[str] = frozenset()
    message_bytes_max: int = 0  # of the plain JSON; 0 is no bound

    @property
    def is_everything(self) -> bool:
        """Say whether nothing is left out."""
        return self == EVERYTHING

    def wants_collection(self, collection: str) -> bool:
        """Say whether commits to a collection are wanted."""
        if not self.collections and not self.prefixes:
            return True
        return collection in self.collections or collection.startswith(self.prefixes)


EVERYTHING: Final = Filter()


class Wire(IntEnum):
    """Which of the two JSON shapes a subscriber speaks."""

    V1 = 1
    V2 = 2


class Form(NamedTuple):
    """How events reach a subscriber: the shape, and the dictionary they are compressed with.

    `dictionary` is the id of a zstd dictionary, 0 for plain text. `is_framed` says whether each
    event stands in a WebSocket frame; Server-Sent Events have lines of their own.
    """

    wire: Wire = Wire.V1
    dictionary: int = 0
    is_framed: bool = True
