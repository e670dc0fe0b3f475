"""The room above a forum, its reader fed with what commands commit."""

from typing import Any

import numpy as np
import pytest

from lichen.accounts import Viewer
from lichen.events import Event, encode_event
from lichen.kit.ground import Ground
from lichen.log import Batch
from lichen.search import Search, SearchResult
from lichen.search.room import build
from lichen.store import Row
from tests.forum.conftest import House, ground, house, mira, otto, post, stones

__all__ = ["ground", "house", "mira", "otto", "post", "stones"]


def batch_of(events: list[Event], *, first_seq: int = 1) -> Batch:
    """Return the events as the log would hand them over."""
    return Batch(
        next_seq=first_seq + len(events), seqs=np.arange(first_seq, first_seq + len(events)),
        times_us=np.arange(len(events)), body=b"".join(encode_event(e) + b"\n" for e in events),
    )


class Desk:
    """The room, and what can be found with it."""

    def __init__(self, house: House, search: Search) -> None:
        self.house = house
        self.search = search

    async def catch_up(self) -> None:
        """Let the reader follow everything that was committed."""
        reader = self.search.reader
        tail = self.house.events[reader.position():]
        await reader.apply(batch_of(tail, first_seq=reader.position() + 1))

    async def find(
        self, question: str, *, viewer: Viewer | None = None, **asked: Any
    ) -> SearchResult:
        """Ask."""
        await self.catch_up()
        return await self.house.store.read(
            lambda unit: self.search.find(unit, viewer, question, **asked)
        )

    async def indexed(self) -> tuple[list[Row], list[Row]]:
        """Return everything that search remembers, in order."""
        import sqlalchemy as sa

        from lichen.search.tables import document

        texts = {
            "sqlite": "SELECT rowid, title, body FROM search_text ORDER BY rowid",
            "postgresql": "SELECT rowid, words::text AS words FROM search_text ORDER BY rowid",
        }
        names = {"sqlite": ("rowid", "title", "body"), "postgresql": ("rowid", "words")}
        engine = self.house.store.engine
        words = sa.text(texts[engine]).columns(*map(sa.column, names[engine]))
        ordered = document.select().order_by(document.c.id)
        documents, found = await self.house.store.read(
            lambda unit: unit.fetch_all((ordered, {}), (words, {}))
        )
        return [tuple(row) for row in documents], [tuple(row) for row in found]


@pytest.fixture
async def desk(house: House, ground: Ground) -> Desk:
    search = await build(ground, house.store, forum=house.forum, accounts=house.accounts)
    return Desk(house, search)
