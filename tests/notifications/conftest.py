"""The room above a forum, its reader fed with what commands commit."""

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from lichen.accounts import Viewer
from lichen.events import Event, encode_event
from lichen.forum import CommentView
from lichen.kit.ground import Ground
from lichen.log import Batch
from lichen.notifications import Counts, Kind, Notification, Notifications
from lichen.notifications.room import build
from lichen.web import Addresses
from tests.forum.conftest import House, ground, house, mira, otto, post, stones

__all__ = ["ground", "house", "mira", "otto", "post", "stones"]


def batch_of(events: list[Event], *, first_seq: int = 1) -> Batch:
    """Return the events as the log would hand them over."""
    return Batch(
        next_seq=first_seq + len(events), seqs=np.arange(first_seq, first_seq + len(events)),
        times_us=np.arange(len(events)), body=b"".join(encode_event(e) + b"\n" for e in events),
    )


class Inbox:
    """The room, and what people find in it."""

    def __init__(self, house: House, notifications: Notifications) -> None:
        self.house = house
        self.notifications = notifications

    async def catch_up(self) -> None:
        """Let the reader follow everything that was committed."""
        reader = self.notifications.reader
        tail = self.house.events[reader.position():]
        await reader.apply(batch_of(tail, first_seq=reader.position() + 1))

    async def comment(
        self, viewer: Viewer, post_id: int, content: str, **named: Any
    ) -> CommentView:
        """Write a comment."""
        view: CommentView = await self.house.write(
            "create_comment", viewer, post_id, content=content, **named
        )
        return view

    async def of(self, viewer: Viewer, kind: Kind, **asked: Any) -> list[Notification]:
        """Return a page of one kind."""
        await self.catch_up()
        ask = getattr(self.notifications, "replies" if kind is Kind.REPLY else "mentions")
        found: list[Notification] = await self.house.store.read(
            lambda unit: ask(unit, viewer, **asked)
        )
        return found

    async def texts(self, viewer: Viewer, kind: Kind, **asked: Any) -> list[str]:
        """Return the texts of a page of one kind."""
        return [one.comment.comment.content for one in await self.of(viewer, kind, **asked)]

    async def counts(self, viewer: Viewer) -> Counts:
        """Return what is unread."""
        await self.catch_up()
        return await self.house.store.read(
            lambda unit: self.notifications.unread_counts(unit, viewer)
        )


@pytest.fixture
async def inbox(house: House, ground: Ground) -> AsyncIterator[Inbox]:
    notifications = await build(
        ground, house.store, forum=house.forum, accounts=house.accounts,
        addresses=Addresses(ground.config.public_url),
    )
    yield Inbox(house, notifications)
