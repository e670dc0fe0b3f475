"""The reader of notifications: tells people of replies and mentions.

    comment created ──► who was answered, who was named ──► less who blocks the author ──► rows

A rows reader: its rows and its checkpoint share a transaction, so a notification is made exactly
once. A batch without comments only moves the position in memory; the checkpoint follows at the
next comment, because applying such a batch again changes nothing.
"""

from itertools import chain

from lichen.accounts import Accounts, Actor
from lichen.events import collection_of, decode_events
from lichen.events.forum import Comment as CommentRecord
from lichen.forum import CommentView, Forum
from lichen.forum.markdown import mentions
from lichen.log import Batch
from lichen.notifications import tables
from lichen.notifications.model import RECIPIENTS_MAX, Told, told_of
from lichen.store import Store, Unit, advance_checkpoint, checkpoint_of
from lichen.web import Addresses

NAME = "notifications"
_COMMENT = collection_of(CommentRecord)


class NotificationsReader:
    """Follows the log and keeps the table of notifications."""

    name = NAME
    serves_pages = True

    def __init__(
        self, store: Store, *, forum: Forum, accounts: Accounts, addresses: Addresses, position: int
    ) -> None:
        self._store = store
        self._forum = forum
        self._accounts = accounts
        self._addresses = addresses
        self._position = position

    def position(self) -> int:
        """Return the last sequence applied, as the rows had it at the start."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Tell everybody whom the batch's new comments concern."""
        pairs = zip(batch.seqs.tolist(), decode_events(batch.lines()), strict=True)
        comments = [
            (seq, event.row)
            for seq, event in pairs
            if event.collection == _COMMENT and event.operation == "create"
        ]
        if comments:
            last = batch.next_seq - 1
            await self._store.write(lambda unit: self._tell(unit, comments, last=last))

    def _tell(self, unit: Unit, comments: list[tuple[int, int]], *, last: int) -> None:
        """Write the rows of a batch and the checkpoint; six round trips, whatever its length."""
        done = checkpoint_of(unit, NAME)
        views = self._forum.comment_views(unit, None, [row for seq, row in comments if seq > done])
        told = self._recipients(unit, views) if views else []
        if told:
            numbers = unit.take_numbers("notification", len(told))
            unit.stage(tables.KEEP, *(_row(*pair) for pair in zip(numbers, told, strict=True)))
        advance_checkpoint(unit, NAME, last)

    def _recipients(self, unit: Unit, views: list[CommentView]) -> list[Told]:
        parent_ids = {view.comment.parent_id for view in views} - {None}
        parents = {
            found.comment.id: found.comment
            for found in self._forum.comment_views(unit, None, sorted(filter(None, parent_ids)))
        } if parent_ids else {}
        named = {view.comment.id: self._names(view) for view in views}
        people = self._people(unit, set(chain.from_iterable(named.values())))
        told = list(chain.from_iterable(
            told_of(view, parents, [people[name] for name in named[view.comment.id]
                                    if name in people])
            for view in views
        ))
        recipients = {one.recipient_id for one in told}
        blocks = self._accounts.blocks_among(unit, recipients, {one.creator_id for one in told})
        ours = {id for id, actor in self._accounts.actors(unit, recipients).items() if actor.local}
        return [
            one for one in told
            if one.recipient_id in ours and (one.recipient_id, one.creator_id) not in blocks
        ]

    def _names(self, view: CommentView) -> list[str]:
        """Return the names, in lower case, of the local people a comment mentions."""
        found = mentions(view.comment.content)
        ours = [one.name.lower() for one in found if one.domain == self._addresses.authority]
        return list(dict.fromkeys(ours))[:RECIPIENTS_MAX]

    def _people(self, unit: Unit, names: set[str]) -> dict[str, Actor]:
        if not names:
            return {}
        found = self._accounts.local_persons_named(unit, sorted(names))
        return {actor.name.lower(): actor for actor in found}


def _row(number: int, told: Told) -> dict[str, object]:
    return {
        "id": number, "recipient_id": told.recipient_id, "kind": told.kind.value,
        "comment_id": told.comment_id, "read": False, "published_us": told.published_us,
    }
