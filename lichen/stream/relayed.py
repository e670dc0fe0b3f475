"""The AT Protocol beside a house: relays followed into a store of their own.

It has a sequence, a retention and a folder of its own and never mixes with the house's events; both
are served by one port, this one as `?source=atproto`.
"""

import asyncio
from pathlib import Path
from random import Random
from typing import Final

from lichen.kit import Clock
from lichen.stream.dictionary import Dictionaries
from lichen.stream.engine import Store

SOURCE: Final = "atproto"


class Relayed:
    """Relays, followed into one folder."""

    def __init__(self, folder: Path, store: Store, upstreams: tuple[str, ...], *, clock: Clock,
                 chance: Random) -> None:
        self.store = store
        self._folder, self._upstreams = folder, upstreams
        self._clock, self._chance = clock, chance

    @classmethod
    async def open(cls, folder: Path, upstreams: tuple[str, ...], *, clock: Clock, chance: Random,
                   dictionaries: Dictionaries) -> "Relayed":
        """Open the folder; raises LogLocked, StreamTooNew, OSError."""
        store = await asyncio.to_thread(
            lambda: Store.open(folder, clock=clock, dictionaries=dictionaries))
        return cls(folder, store, upstreams, clock=clock, chance=chance)

    async def run(self) -> None:
        """Follow the relays until cancelled. Raises Refused for what is no address of a relay."""
        # Imported here: a house without relays needs none of it.
        from lichen.stream.upstream import Cursors, Decoder, Upstream

        decoder = Decoder()
        upstream = Upstream(
            self._upstreams, self.store, decoder=decoder, chance=self._chance,
            cursors=Cursors(self._folder, clock=self._clock), first_cursor=None)
        try:
            await upstream.run()
        finally:
            await decoder.close()
