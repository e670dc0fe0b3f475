"""The collection: everything of one person, asked of every room, a page at a time.

Each question is a read of its own, so an export never holds a transaction open; what changes
meanwhile may be in one part and not yet in another.
"""

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from lichen.accounts import Accounts, Viewer
from lichen.export import things
from lichen.export.limits import BATCH_MAX
from lichen.forum import CommentView, Forum, PostView, SubjectKind
from lichen.kit import isoformat
from lichen.messages import Messages, MessageView
from lichen.moderation import Moderation, ProposalView
from lichen.store import Row, Store, Unit
from lichen.web import Addresses

SeenT = TypeVar("SeenT")


class Picture(NamedTuple):
    """A picture that somebody uploaded: its file here, and its name in the archive."""

    name: str
    path: Path


class Pictures(Protocol):
    """Whoever keeps pictures; the house has an empty one until it has such a room."""

    def of_person(self, person_id: int) -> AsyncIterator[Picture]:
        """Iterate over the files of everything that a person uploaded."""


class NoPictures:
    """The pictures of a house that keeps none."""

    async def of_person(self, person_id: int) -> AsyncIterator[Picture]:
        """Iterate over nothing."""
        nothing: tuple[Picture, ...] = ()
        for picture in nothing:
            yield picture


class Rooms(NamedTuple):
    """The rooms that are asked."""

    store: Store
    accounts: Accounts
    forum: Forum
    messages: Messages
    moderation: Moderation
    addresses: Addresses
    pictures: Pictures = NoPictures()


class Collection:
    """Everything of one person; lists come in batches, oldest first."""

    def __init__(self, rooms: Rooms, owner: Viewer) -> None:
        self.owner = owner
        self._rooms = rooms

    async def settings(self) -> dict[str, object]:
        """Return choices, follows, saves and blocks in the form that Lemmy's export has."""
        owner, rooms = self.owner, self._rooms
        saved = {
            kind: [address async for batch in self._saved(kind) for address in batch]
            for kind in SubjectKind
        }

        def query(unit: Unit) -> dict[str, object]:
            blocks = rooms.accounts.blocks(unit, owner)
            actors = rooms.accounts.actors(unit, [*blocks.persons, *blocks.communities])
            domains = {one.id: one.domain for one in rooms.accounts.instances(unit)}
            follows = rooms.forum.subscriptions(unit, owner)
            links = rooms.accounts.links(unit, owner)
            known = rooms.accounts.known_as(unit, [owner.id])[owner.id]
            return {
                "display_name": owner.actor.display_name, "bio": owner.actor.summary,
                "avatar": owner.actor.avatar, "banner": owner.actor.banner,
                "matrix_id": owner.actor.matrix_user_id, "bot_account": owner.actor.bot,
                "settings": _whole(owner),
                "followed_communities": [one.community.actor.ap_id for one in follows],
                "linked_accounts": [one.actor.ap_id for one in links],
                "also_known_as": list(known.also_known_as),
                "moved_to": known.moved_to or None,
                "saved_posts": saved[SubjectKind.POST],
                "saved_comments": saved[SubjectKind.COMMENT],
                "blocked_communities": [actors[key].ap_id for key in blocks.communities],
                "blocked_users": [actors[key].ap_id for key in blocks.persons],
                "blocked_instances": [domains[key] for key in blocks.instances],
            }

        return await rooms.store.read(query)

    async def follows(self) -> list[things.Follow]:
        """Return the communities that the person follows."""
        found = await self._rooms.store.read(
            lambda unit: self._rooms.forum.subscriptions(unit, self.owner)
        )
        return [things.follow(view) for view in found]

    async def logins(self) -> list[things.Login]:
        """Return the logins that stand."""
        found = await self._rooms.store.read(
            lambda unit: self._rooms.accounts.logins(unit, self.owner)
        )
        return [things.login(one) for one in found]

    async def posts(self) -> AsyncIterator[list[things.Post]]:
        """Iterate over every post, in batches."""
        forum, owner = self._rooms.forum, self.owner

        def ask(unit: Unit, after_id: int) -> list[PostView]:
            return forum.posts_of(unit, owner, after_id=after_id, limit=BATCH_MAX)

        async for views in self._pages(ask, lambda view: view.post.id):
            yield [things.post(view) for view in views]

    async def comments(self) -> AsyncIterator[list[things.Comment]]:
        """Iterate over every comment, in batches."""
        forum, owner = self._rooms.forum, self.owner

        def ask(unit: Unit, after_id: int) -> list[CommentView]:
            return forum.comments_of(unit, owner, after_id=after_id, limit=BATCH_MAX)

        async for views in self._pages(ask, lambda view: view.comment.id):
            yield [things.comment(view, self._parent(view.comment.parent_id)) for view in views]

    async def messages(self) -> AsyncIterator[list[things.Message]]:
        """Iterate over every message that was sent or received, in batches."""
        messages, owner = self._rooms.messages, self.owner

        def ask(unit: Unit, after_id: int) -> list[MessageView]:
            return messages.messages_after(unit, owner.id, after_id=after_id, limit=BATCH_MAX)

        async for views in self._pages(ask, lambda view: view.message.id):
            yield [things.message(view) for view in views]

    async def proposals(self) -> AsyncIterator[list[things.Proposal]]:
        """Iterate over everything that was proposed, in batches."""
        moderation, owner, addresses = self._rooms.moderation, self.owner, self._rooms.addresses

        def ask(unit: Unit, after_id: int) -> list[ProposalView]:
            return moderation.proposals_of(unit, owner, after_id=after_id, limit=BATCH_MAX)

        async for views in self._pages(ask, lambda view: view.proposal.id):
            yield [
                things.proposal(view, addresses.absolute(addresses.proposal(view.proposal.id)))
                for view in views
            ]

    async def supports(self) -> AsyncIterator[list[things.Support]]:
        """Iterate over the proposals that are supported, in batches."""
        moderation, owner, addresses = self._rooms.moderation, self.owner, self._rooms.addresses

        def ask(unit: Unit, after_id: int) -> list[Row]:
            return moderation.supports_of(unit, owner.id, after_id=after_id, limit=BATCH_MAX)

        async for rows in self._pages(ask, lambda row: int(row.proposal_id)):
            yield [
                things.Support(
                    address=addresses.absolute(addresses.proposal(row.proposal_id)),
                    published=isoformat(row.published_us),
                )
                for row in rows
            ]

    async def votes(self) -> AsyncIterator[list[things.Mark]]:
        """Iterate over every vote, in batches."""
        for kind in SubjectKind:
            async for rows in self._marks(kind, self._rooms.forum.votes_of):
                yield [self._mark(kind, row, value=row.value) for row in rows]

    async def saves(self) -> AsyncIterator[list[things.Mark]]:
        """Iterate over everything that is kept for later, in batches."""
        for kind in SubjectKind:
            async for rows in self._marks(kind, self._rooms.forum.saves_of):
                yield [self._mark(kind, row) for row in rows]

    def pictures(self) -> AsyncIterator[Picture]:
        """Iterate over the files of every picture."""
        return self._rooms.pictures.of_person(self.owner.id)

    async def _saved(self, kind: SubjectKind) -> AsyncIterator[list[str]]:
        async for rows in self._marks(kind, self._rooms.forum.saves_of):
            yield [self._address(kind, row.subject_id) for row in rows]

    async def _marks(
        self, kind: SubjectKind, find: Callable[..., list[Row]]
    ) -> AsyncIterator[list[Row]]:
        def ask(unit: Unit, after_id: int) -> list[Row]:
            return find(unit, self.owner.id, kind, after_id=after_id, limit=BATCH_MAX)

        async for rows in self._pages(ask, lambda row: int(row.subject_id)):
            yield rows

    async def _pages(
        self, ask: Callable[[Unit, int], list[SeenT]], number_of: Callable[[SeenT], int]
    ) -> AsyncIterator[list[SeenT]]:
        """Iterate over pages in the order of ids; each is asked with the last id before it."""
        after_id = 0
        while found := await self._rooms.store.read(partial(_asked, ask, after_id)):
            yield found
            after_id = number_of(found[-1])

    def _mark(self, kind: SubjectKind, row: Row, *, value: int | None = None) -> things.Mark:
        return things.Mark(
            kind="post" if kind is SubjectKind.POST else "comment", value=value,
            address=self._address(kind, row.subject_id), published=isoformat(row.published_us),
        )

    def _address(self, kind: SubjectKind, number: int) -> str:
        addresses = self._rooms.addresses
        path = addresses.post(number) if kind is SubjectKind.POST else addresses.comment(number)
        return addresses.absolute(path)

    def _parent(self, parent_id: int | None) -> str | None:
        return None if parent_id is None else self._address(SubjectKind.COMMENT, parent_id)


def _asked(ask: Callable[[Unit, int], list[SeenT]], after_id: int, unit: Unit) -> list[SeenT]:
    return ask(unit, after_id)


def _whole(owner: Viewer) -> dict[str, object]:
    """Return the choices with their defaults, the e-mail address among them: it is the owner's."""
    return msgspec.structs.asdict(owner.settings)
