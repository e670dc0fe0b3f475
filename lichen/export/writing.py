"""Writing an export: every part as JSON, then the same to be read, into one archive."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from lichen.export import things
from lichen.export.archive import Archive, JsonList
from lichen.export.collection import Collection
from lichen.export.reading import STYLE, Reading
from lichen.kit import isoformat
from lichen.web import Addresses

PARTS = ("profile", "settings", "follows", "logins", "posts", "comments", "votes", "saves",
         "messages", "proposals", "supports", "pictures", "pages")


class Progress(NamedTuple):
    """How far an export is: which part it writes, and how many things it wrote so far."""

    part: str
    things: int


class Tell(Protocol):
    """Whoever is told how far it is, after every batch."""

    async def __call__(self, progress: Progress) -> None:
        """Hear of the progress."""


async def write_export(
    path: Path, collection: Collection, *, addresses: Addresses, made_us: int, tell: Tell
) -> int:
    """Write the archive of a person to a file; return how many things it holds.

    Memory is bounded by a batch, whatever there is. The disk's errors are raised as they come.
    """
    archive = await asyncio.to_thread(Archive, path, made_us=made_us)
    try:
        return await _Writing(archive, collection, Reading(addresses), tell).run(made_us)
    finally:
        await asyncio.to_thread(archive.close)


class _Writing:
    """One export while it is written; `counts` is what each entry holds."""

    def __init__(
        self, archive: Archive, collection: Collection, reading: Reading, tell: Tell
    ) -> None:
        self._archive = archive
        self._collection = collection
        self._reading = reading
        self._tell = tell
        self._things = 0
        self._counts: list[tuple[str, int]] = []

    async def run(self, made_us: int) -> int:
        """Write every part."""
        own = self._collection
        person = things.profile(own.owner.actor)
        await self._object("profile", person)
        await self._object("settings", await own.settings())
        await self._list("follows", _one_batch(await own.follows()))
        await self._list("logins", _one_batch(await own.logins()))
        await self._list("posts", own.posts())
        await self._list("comments", own.comments())
        await self._list("votes", own.votes())
        await self._list("saves", own.saves())
        await self._list("messages", own.messages())
        await self._list("proposals", own.proposals())
        await self._list("supports", own.supports())
        await self._pictures()
        await self._page("posts.html", "Posts", own.posts(), self._reading.post)
        await self._page("comments.html", "Comments", own.comments(), self._reading.comment)
        await self._page("messages.html", "Messages", own.messages(), self._reading.message)
        await self._page("proposals.html", "Proposals", own.proposals(), self._reading.proposal)
        front = self._reading.front(person, self._counts, isoformat(made_us))
        await self._text("index.html", self._reading.head(person.name) + front
                         + self._reading.tail())
        await self._text("style.css", STYLE)
        return self._things

    async def _object(self, part: str, content: object) -> None:
        await asyncio.to_thread(self._archive.add_json, f"{part}.json", content)
        await self._wrote(part, 1)
        self._counts.append((f"{part}.json", 1))

    async def _list(self, part: str, batches: AsyncIterator[list[things.ThingT]]) -> None:
        written = JsonList(self._archive, f"{part}.json")
        count = 0
        async for batch in batches:
            await asyncio.to_thread(written.extend, batch)
            count += len(batch)
            await self._wrote(part, len(batch))
        await asyncio.to_thread(written.end)
        self._counts.append((f"{part}.json", count))

    async def _pictures(self) -> None:
        count = 0
        async for picture in self._collection.pictures():
            name = f"pictures/{Path(picture.name).name}"
            await asyncio.to_thread(self._archive.add_file, name, picture.path)
            count += 1
            await self._wrote("pictures", 1)
        self._counts.append(("pictures/", count))

    async def _page(
        self, name: str, title: str, batches: AsyncIterator[list[things.ThingT]],
        drawn: Callable[[things.ThingT], str],
    ) -> None:
        self._archive.begin(name)
        self._archive.write(self._reading.head(title).encode())
        async for batch in batches:
            await asyncio.to_thread(self._draw, batch, drawn)
            await self._wrote("pages", 0)
        self._archive.write(self._reading.tail().encode())
        await asyncio.to_thread(self._archive.end)

    async def _text(self, name: str, text: str) -> None:
        self._archive.begin(name)
        self._archive.write(text.encode())
        await asyncio.to_thread(self._archive.end)

    def _draw(
        self, batch: Iterable[things.ThingT], drawn: Callable[[things.ThingT], str]
    ) -> None:
        for one in batch:
            self._archive.write(drawn(one).encode())

    async def _wrote(self, part: str, count: int) -> None:
        self._things += count
        await self._tell(Progress(part, self._things))


async def _one_batch(items: list[things.ThingT]) -> AsyncIterator[list[things.ThingT]]:
    yield items
