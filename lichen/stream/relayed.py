"""The AT Protocol: relays followed into a store of their own.

Alone, or beside a house: there it has a sequence, a retention and a folder of its own and never
mixes with the house's events; both are served by one port, this one as `?source=atproto`.
"""

import asyncio
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from lichen.kit import Clock
from lichen.stream.dictionary import Dictionaries
from lichen.stream.engine import Store

if TYPE_CHECKING:
    from lichen.stream.upstream import Upstream

SOURCE: Final = "atproto"


class Relayed:
    """Relays, followed into one folder."""

    def __init__(self, folder: Path, store: Store, upstreams: tuple[str, ...], *, clock: Clock,
                 chance: Random, first_cursor: int | None = None) -> None:
        self.store = store
        self.upstream: Upstream | None = None  # once it is followed
        self._folder, self._upstreams = folder, upstreams
        self._clock, self._chance, self._first_cursor = clock, chance, first_cursor

    @classmethod
    async def open(cls, folder: Path, upstreams: tuple[str, ...], *, clock: Clock, chance: Random,
                   dictionaries: Dictionaries) -> "Relayed":
        """Open the folder; raises LogLocked, StreamTooNew, OSError."""
        store = await asyncio.to_thread(
            lambda: Store.open(folder, clock=clock, dictionaries=dictionaries))
        return cls(folder, store, upstreams, clock=clock, chance=chance)

    async def run(self) -> None:
        """Follow the relays until cancelled. Raises Refused for what is no address of a relay."""
        # Imported here: a house without relays, and a standby, need none of it.
        from lichen.stream.upstream import Cursors, Decoder, Upstream

        decoder = Decoder()
        self.upstream = Upstream(
            self._upstreams, self.store, decoder=decoder, chance=self._chance,
            cursors=Cursors(self._folder, clock=self._clock), first_cursor=self._first_cursor)
        try:
            await self.upstream.run()
        finally:
            await decoder.close()
