"""The reader of notifications: tells people of replies and mentions.

    comment written, edited, gone ──► who was answered, who is named, now ──► less who blocks the
                                      author ──► rows come and go, what was read stays read
    a moderator decided           ──► a notice, in the words of the event
    somebody blocks a person      ──► what they were told of that person's words goes
    somebody goes away, is back   ──► what comes meanwhile is held until then

A rows reader: its rows and its checkpoint share a transaction, so that everybody is told exactly
once. An event only says *which* comment changed; who is told follows from the rows as they are.
"""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

import msgspec

from lichen.accounts import Accounts, Actor
from lichen.accounts import Away as Absence
from lichen.events import Event, collection_of, decode_events
from lichen.events.accounts import Away, Block
from lichen.events.forum import Comment as CommentRecord
from lichen.events.moderation import Notice as NoticeRecord
from lichen.forum import CommentView, Forum
from lichen.forum.markdown import mentions
from lichen.kit import from_isoformat
from lichen.log import Batch
from lichen.notifications import tables
from lichen.notifications.limits import (
    BLOCK_LOOKS_BACK_MAX,
    RECIPIENTS_MAX,
    UNMARKED_EVENTS_MAX,
)
from lichen.notifications.model import Told, told_of
from lichen.store import Store, Unit, advance_checkpoint, checkpoint_of
from lichen.web import Addresses

NAME = "notifications"

_COMMENT = collection_of(CommentRecord)
_BLOCK = collection_of(Block)
_AWAY = collection_of(Away)
_NOTICE = collection_of(NoticeRecord)


class _Touched(NamedTuple):
    """What a run of events touches; a block is who blocks, by DID, and whom.

    `away` holds until when a person is away, by id; None where it is back. A notice is whom it
    tells, and what.
    """

    comments: set[int]
    changed: set[int]  # those of the comments that somebody may have been told of before
    blocks: list[tuple[str, int]]
    away: dict[int, int | None]
    notices: list[tuple[int, NoticeRecord]]


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
        self._marked = position

    def position(self) -> int:
        """Return the last sequence applied."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Tell everybody whom the batch's comments concern."""
        events = list(zip(batch.seqs.tolist(), decode_events(batch.lines()), strict=True))
        last = batch.next_seq - 1
        if any(_touched(events)) or last - self._marked > UNMARKED_EVENTS_MAX:
            await self._store.write(
                lambda unit: self._follow(unit, events, last=last), apart=True
            )
            self._marked = last
        self._position = last

    def _follow(self, unit: Unit, events: list[tuple[int, Event]], *, last: int) -> None:
        """Write the rows of a batch and the checkpoint; eleven round trips, whatever its length."""
        done = checkpoint_of(unit, NAME)
        touched = _touched((seq, event) for seq, event in events if seq > done)
        if touched.comments:
            self._tell(unit, touched)
        for did, person_id in touched.blocks:
            self._forget(unit, did, person_id)
        unit.stage(tables.HOLD, *(
            {"held_id": person_id, "now_us": unit.clock_us,
             "new_until_us": unit.clock_us if until_us is None else until_us}
            for person_id, until_us in touched.away.items()
        ))
        unit.stage(tables.KEEP_NOTICE, *(_notice_row(*pair) for pair in touched.notices))
        if last > done:
            advance_checkpoint(unit, NAME, last)

    def _tell(self, unit: Unit, touched: _Touched) -> None:
        """Make the rows of some comments what they should be."""
        views = [
            view for view in self._forum.comment_views(unit, None, sorted(touched.comments))
            if not (view.comment.deleted or view.comment.removed)
        ]
        told = {
            (one.recipient_id, one.comment_id): one
            for one in (self._recipients(unit, views) if views else ())
        }
        known = {
            (row.recipient_id, row.comment_id): row.id
            for row in unit.fetch(tables.OF_COMMENTS, ids=sorted(touched.changed))
        } if touched.changed else {}
        gone = [id_ for pair, id_ in known.items() if pair not in told]
        new = [one for pair, one in told.items() if pair not in known]
        if gone:
            unit.stage(tables.DROP, {"ids": gone})
        if new:
            numbers = unit.take_numbers("notification", len(new))
            away = self._accounts.away_among(unit, {one.recipient_id for one in new})
            unit.stage(tables.KEEP, *(
                _row(number, one, away.get(one.recipient_id))
                for number, one in zip(numbers, new, strict=True)
            ))

    def _forget(self, unit: Unit, did: str, person_id: int) -> None:
        """Drop what somebody was told of a person that they block now."""
        blocker = self._accounts.actor_by_did(unit, did)
        if blocker is None:
            return
        rows = unit.fetch(tables.LATEST, person_id=blocker.id, limit=BLOCK_LOOKS_BACK_MAX)
        views = self._forum.comment_views(unit, None, [row.comment_id for row in rows])
        theirs = {view.comment.id for view in views if view.comment.creator_id == person_id}
        unit.stage(tables.DROP, {"ids": [row.id for row in rows if row.comment_id in theirs]})

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


def _touched(events: Iterable[tuple[int, Event]]) -> _Touched:
    touched = _Touched(set(), set(), [], {}, [])
    for _, event in events:
        if event.collection == _COMMENT:
            touched.comments.add(event.row)
            if event.operation != "create":
                touched.changed.add(event.row)
        elif event.collection == _AWAY:
            touched.away[event.row] = _until_us(event)
        elif event.collection == _NOTICE and event.operation == "create":
            notice = msgspec.json.decode(event.record, type=NoticeRecord)
            touched.notices.append((event.row, notice))
        elif _is_block_of_a_person(event):
            touched.blocks.append((event.did, event.row))
    return touched


def _is_block_of_a_person(event: Event) -> bool:
    if event.collection != _BLOCK or event.operation != "create":
        return False
    return msgspec.json.decode(event.record, type=Block).kind == "person"


def _until_us(event: Event) -> int | None:
    if event.operation == "delete":
        return None
    return from_isoformat(msgspec.json.decode(event.record, type=Away).until)


def _notice_row(person_id: int, notice: NoticeRecord) -> dict[str, object]:
    return {
        "recipient_id": person_id, "action_id": notice.action, "kind": notice.kind,
        "done": notice.done, "reason": notice.reason, "expires_at": notice.expires_at,
        "read": False, "created_at": notice.created_at, "proposal_id": notice.proposal,
    }


def _row(number: int, told: Told, away: Absence | None) -> dict[str, object]:
    return {
        "id": number, "recipient_id": told.recipient_id, "kind": told.kind.value,
        "comment_id": told.comment_id, "read": False, "published_us": told.published_us,
        "asks": int(told.asks), "held_until_us": away.until_us if away else None,
    }
