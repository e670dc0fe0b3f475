"""Live threads: tells the open pages of a post which comments have come.

    log ──► comment created ──► the listeners of its post ──► "comment 41", "comment 42"

A memory reader: it keeps nothing but who listens now. It is told of comments by their records,
which name the post by its address, so it asks no store. Only a comment's number goes out; whoever
wants its words asks for them as any page does, and is shown what they may see.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from lichen.events import Event, collection_of, decode_events, forum
from lichen.forum.limits import (
    LISTENERS_MAX,
    LISTENERS_OF_ADDRESS_MAX,
    LIVE_WAITING_MAX,
)
from lichen.kit import TooMany
from lichen.log import Batch

_COMMENT = collection_of(forum.Comment)
_BUSY_RETRY_S = 60.0


@dataclass(eq=False, slots=True)
class Listener:
    """One open page: what it has not been told yet, and the bell for it."""

    post_uri: str
    address: str
    _waiting: list[int] = field(default_factory=list)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, comment_id: int) -> None:
        """Note a comment; a page that does not read hears of the first few only."""
        if len(self._waiting) < LIVE_WAITING_MAX:
            self._waiting.append(comment_id)
        self._bell.set()

    async def next(self, timeout_s: float) -> list[int]:
        """Return the comments that have come, none where none did in that time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._bell.wait()
        except TimeoutError:
            return []
        self._bell.clear()
        heard, self._waiting = self._waiting, []
        return heard


class LiveThreads:
    """Follows the log for the pages that are open; on the event loop alone."""

    name = "live"
    serves_pages = False

    def __init__(self, *, position: int) -> None:
        self._position = position
        self._by_post: dict[str, set[Listener]] = {}
        self._by_address: Counter[str] = Counter()

    def position(self) -> int:
        """Return the sequence of the last event applied."""
        return self._position

    @property
    def listeners(self) -> int:
        """How many pages listen now."""
        return self._by_address.total()

    def listen(self, post_uri: str, address: str) -> Listener:
        """Begin to listen to a post; refuses where too many do, here or from that address."""
        if (self.listeners >= LISTENERS_MAX
                or self._by_address[address] >= LISTENERS_OF_ADDRESS_MAX):
            raise TooMany(
                "too_many_listeners", "Too many pages are open to be told of what is new; this "
                "one is as it was when it came.", retry_after_s=_BUSY_RETRY_S,
            )
        listener = Listener(post_uri, address)
        self._by_post.setdefault(post_uri, set()).add(listener)
        self._by_address[address] += 1
        return listener

    def leave(self, listener: Listener) -> None:
        """Stop listening; twice is once."""
        others = self._by_post.get(listener.post_uri, set())
        if listener not in others:
            return
        others.discard(listener)
        if not others:
            del self._by_post[listener.post_uri]
        self._by_address[listener.address] -= 1
        self._by_address += Counter()  # forgets addresses with none

    async def apply(self, batch: Batch) -> None:
        """Apply a batch of the log."""
        if self._by_post:
            self.follow(decode_events(batch.lines()))
        self._position = batch.next_seq - 1

    def follow(self, events: Sequence[Event]) -> None:
        """Tell the listeners of every comment that was created."""
        for event in events:
            if event.collection != _COMMENT or event.operation != "create":
                continue
            record = msgspec.json.decode(event.record, type=forum.Comment)
            for listener in self._by_post.get(record.post, ()):
                listener.hear(event.row)
