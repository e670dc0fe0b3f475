"""The shelf: blobs and the rows that name them, kept in step whatever happens between the two.

    keep:  mark as loose ─► write blobs, durably ─► rows that name them, and no longer loose
    let go: rows gone, marked as loose, one transaction ─► sweep: named by nobody? then removed

Whoever is killed anywhere on these lines leaves loose marks, and the next sweep (at the start, and
after every deletion) decides by what the rows say then. One turn at a time, so that nobody removes
a blob that somebody else is just about to name.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from lichen.media import tables
from lichen.media.blobs import Blobs, name_of
from lichen.media.limits import SWEPT_MAX
from lichen.store import Store, Unit

T = TypeVar("T")


class Shelf:
    """Keeps blobs together with their rows."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs
        self._turn = asyncio.Lock()

    async def keep(
        self, contents: Sequence[bytes], command: Callable[[Unit, list[str]], T]
    ) -> T:
        """Keep blobs durably, then run the command that names them; its refusal lets them go."""
        names = await asyncio.to_thread(lambda: [name_of(content) for content in contents])

        def name_them(unit: Unit) -> T:
            result = command(unit, names)
            unit.stage(tables.FASTEN, {"names": sorted(set(names))})
            return result

        try:
            async with self._turn:
                await self._store.write(lambda unit: loosen(unit, names))
                for content in contents:
                    await self._blobs.keep(content)
                return await self._store.write(name_them)
        except BaseException:
            await asyncio.shield(self.sweep())
            raise

    async def fetch(self, name: str) -> bytes | None:
        """Return a blob, None where there is none."""
        return await self._blobs.fetch(name)

    async def sweep(self) -> int:
        """Remove the loose blobs that nobody names, and return how many those were."""
        async with self._turn:
            loose, named = await self._store.read(_loose_and_named, apart=True)
            if not loose:
                return 0
            gone = sorted(set(loose) - named)
            for name in gone:
                await self._blobs.drop(name)
            await self._store.write(
                lambda unit: unit.stage(tables.FASTEN, {"names": loose}), apart=True
            )
            return len(gone)

    async def close(self) -> None:
        """Let go of the place where blobs are."""
        await self._blobs.close()


def loosen(unit: Unit, names: Iterable[str]) -> None:
    """Stage that blobs may be named by nobody; the next sweep decides."""
    unit.stage(tables.LOOSEN, *({"sha256": name} for name in sorted(set(names))))


def let_go(unit: Unit, sources: Iterable[str]) -> None:
    """Loosen pictures' blobs and their variants where no row needs them; one round trip.

    What was staged before counts, so rows that are deleted in this unit need nothing any more.
    """
    wanted = sorted(set(sources))
    if not wanted:
        return
    kept, variants = unit.fetch_all(
        (tables.SOURCES, {"in_pictures": wanted, "in_proxied": wanted}),
        (tables.VARIANTS_OF, {"sources": wanted}),
    )
    gone = sorted(set(wanted) - {row.sha256 for row in kept})
    unit.stage(tables.DELETE_VARIANTS, {"sources": gone})
    loosen(unit, [*gone, *(row.sha256 for row in variants if row.source in gone)])


def _loose_and_named(unit: Unit) -> tuple[list[str], set[str]]:
    loose = [row.sha256 for row in unit.fetch(tables.LOOSE, limit=SWEPT_MAX)]
    if not loose:
        return [], set()
    named = unit.fetch(tables.NAMED, in_pictures=loose, in_variants=loose, in_proxied=loose)
    return loose, {row.sha256 for row in named}
