"""What messages promise: written, changed, taken away, marked, listed, counted."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from lichen.accounts import Accounts, Actor, Viewer, actors_among
from lichen.events import Operation, deletion_of, event_of
from lichen.events.messages import Read
from lichen.kit import Forbidden, TidGenerator, TooMany, isoformat
from lichen.messages import tables
from lichen.messages.limits import BATCH_MAX, DAY_US, MESSAGES_PER_DAY_MAX, UNREAD_SENDERS_MAX
from lichen.messages.model import (
    Conversation,
    Message,
    MessageChange,
    MessageId,
    MessageView,
    NewMessage,
    check_content,
    check_page,
    check_recipient,
    check_writer,
    fitting_content,
    no_such_message,
    seen_by,
)
from lichen.messages.ports import Allowance
from lichen.messages.records import MESSAGE, message_from, record_of, row_of
from lichen.store import Query, Row, Unit
from lichen.web import Addresses

_PEOPLE = actors_among(tables.PEOPLE_OF_IDS)


class Messages:
    """Private messages: commands and queries, each over the open unit of work."""

    def __init__(
        self, *, accounts: Accounts, addresses: Addresses, tids: TidGenerator,
        allowance: Allowance,
    ) -> None:
        self._accounts = accounts
        self._addresses = addresses
        self._tids = tids
        self._allowance = allowance

    def create_message(
        self, unit: Unit, viewer: Viewer, recipient_id: int, *, content: str
    ) -> MessageView:
        """Write to a person; two round trips.

        Refuses whom the recipient blocks, who is banned, and who has sent too many today.
        """
        check_content(content)
        people, blocks, sent = unit.fetch_all(
            self._accounts.actors_query(unit, [viewer.id, recipient_id]),
            self._accounts.blocks_among_query([recipient_id], [viewer.id]),
            (tables.COUNT_SENT, {"viewer_id": viewer.id, "since_us": unit.clock_us - DAY_US}),
        )
        actors = self._accounts.actors_from(people)
        check_writer(actors.get(viewer.id), moved=viewer.moved)
        recipient = check_recipient(
            actors.get(recipient_id), blocks_writer=bool(blocks),
            federates=self._accounts.current_site.settings.federation_enabled,
        )
        self._check_allowance(viewer, sent=int(sent[0].count), now_us=unit.clock_us)
        (number,) = unit.take_numbers("message")
        message = Message(
            id=MessageId(number), tid=self._tids.next(),
            ap_id=self._addresses.absolute(self._addresses.message(number)), local=True,
            creator_id=viewer.id, recipient_id=recipient_id, content=content, deleted=False,
            read=viewer.id == recipient_id,  # a note to oneself waits for nobody
            published_us=unit.clock_us, updated_us=None,
        )
        unit.stage(tables.INSERT, row_of(message))
        unit.stage(tables.KEEP_CONVERSATION, *_sides(message))
        view = MessageView(message=message, creator=viewer.actor, recipient=recipient)
        self._tell(unit, view, "create")
        return _seen(view, viewer)

    def places_query(self, ap_ids: Iterable[str]) -> Query:
        """Return the query for messages by ActivityPub id, to ride along: id, ap_id, creator_id."""
        return tables.MESSAGES_AT, {"ap_ids": list(ap_ids)}

    def take_number(self, unit: Unit) -> MessageId:
        """Return the number of a message that will be received in this unit."""
        return MessageId(unit.take_numbers("message")[0])

    def receive_messages(self, unit: Unit, new: Mapping[MessageId, NewMessage]) -> int:
        """Keep messages that came from peers, by their numbers; two round trips in all.

        One whose recipient blocks its writer, or cannot be written to, is dropped: its server is
        not told. Returns how many were dropped. Who writes is checked by who calls.
        """
        assert len(new) <= BATCH_MAX
        writers = sorted({one.creator_id for one in new.values()})
        recipients = sorted({one.recipient_id for one in new.values()})
        people, blocked = unit.fetch_all(
            self._accounts.actors_query(unit, sorted({*writers, *recipients})),
            self._accounts.blocks_among_query(recipients, writers),
        )
        actors = self._accounts.actors_from(people)
        blocks = {(row.person_id, row.target_id) for row in blocked}
        dropped = 0
        for number, one in new.items():
            recipient = actors.get(one.recipient_id)
            refuses = (one.recipient_id, one.creator_id) in blocks
            if refuses or recipient is None or not recipient.local or recipient.deleted:
                dropped += 1
                continue
            message = Message(
                id=number, tid=self._tids.next(), ap_id=one.ap_id, local=False,
                creator_id=one.creator_id, recipient_id=one.recipient_id,
                content=fitting_content(one.content), deleted=False, read=False,
                published_us=unit.clock_us if one.published_us is None else one.published_us,
                updated_us=None,
            )
            unit.stage(tables.INSERT, row_of(message))
            unit.stage(tables.KEEP_CONVERSATION, *_sides(message))
            view = MessageView(message=message, creator=actors[one.creator_id],
                               recipient=recipient)
            self._tell(unit, view, "create")
        return dropped

    def change_messages(self, unit: Unit, changes: Sequence[MessageChange]) -> None:
        """Change messages that came from peers, in their order; two round trips in all."""
        assert len(changes) <= BATCH_MAX
        asked = {"ids": sorted({change.id for change in changes})}
        rows, people = unit.fetch_all(
            (tables.LOCK, asked), (_PEOPLE, asked | {"now_us": unit.clock_us})
        )
        actors = self._accounts.actors_from(people)
        views = {row.id: _view(row, actors) for row in rows}
        for change in changes:
            view = views.get(change.id)
            if view is None:
                continue
            after = view.message
            if change.content is not None and change.content != after.content:
                after = msgspec.structs.replace(
                    after, content=fitting_content(change.content),
                    updated_us=change.updated_us or unit.clock_us,
                )
            if change.deleted is not None:
                after = msgspec.structs.replace(after, deleted=change.deleted)
            self._change(unit, view, after)
            views[change.id] = msgspec.structs.replace(view, message=after)

    def edit_message(
        self, unit: Unit, viewer: Viewer, message_id: int, *, content: str
    ) -> MessageView:
        """Change one's own message; the recipient sees that it was edited; two round trips."""
        check_content(content)
        before = self._own(unit, viewer, message_id)
        after = msgspec.structs.replace(
            before.message, content=content, updated_us=unit.clock_us
        )
        return _seen(self._change(unit, before, after), viewer)

    def delete_message(
        self, unit: Unit, viewer: Viewer, message_id: int, *, deleted: bool
    ) -> MessageView:
        """Take one's own message away, or bring it back; two round trips."""
        before = self._own(unit, viewer, message_id)
        after = msgspec.structs.replace(before.message, deleted=deleted)
        return _seen(self._change(unit, before, after), viewer)

    def mark_read(
        self, unit: Unit, viewer: Viewer, message_id: int, *, read: bool
    ) -> MessageView:
        """Mark a message that the viewer was sent; twice is once; two round trips."""
        view = self._locked(unit, viewer, message_id)
        before = view.message
        if before.recipient_id != viewer.id:
            raise Forbidden("couldnt_update_private_message", "Only who was sent it can mark it.")
        after = msgspec.structs.replace(before, read=read)
        if before.read != read:
            unit.stage(tables.CHANGE, row_of(after))
            self._tell_read(unit, viewer, message=before.id, read=read)
        return _seen(msgspec.structs.replace(view, message=after), viewer)

    def mark_all_read(self, unit: Unit, viewer: Viewer) -> None:
        """Mark everything that the viewer was sent as read."""
        if unit.fetch_all(*self.unread_queries(viewer))[0]:
            unit.stage(tables.MARK_ALL, {"viewer_id": viewer.id})
            self._tell_read(unit, viewer, message=0, read=True)

    def mark_conversation_read(self, unit: Unit, viewer: Viewer, other: Actor) -> None:
        """Mark everything that one person sent the viewer as read."""
        unit.stage(tables.MARK_BETWEEN, {"viewer_id": viewer.id, "other_id": other.id})
        self._tell_read(unit, viewer, message=0, read=True, sender=other.did)

    def message_list(
        self, unit: Unit, viewer: Viewer, *, unread_only: bool = False,
        creator_id: int | None = None, page: int = 1, limit: int = 10,
    ) -> list[MessageView]:
        """Return a page of the viewer's messages, the newest first; three round trips.

        What was sent and received; with `unread_only` only what was received. `creator_id` names
        the other person. Messages of people whom the viewer blocks are left out.
        """
        offset = check_page(page, limit)
        blocked = list(self._accounts.blocks(unit, viewer).persons)
        asked = {"viewer_id": viewer.id, "limit": limit, "offset": offset, "blocked": blocked}
        if unread_only:
            rows = unit.fetch(
                tables.UNREAD, **asked, any_creator=creator_id is None, other_id=creator_id or 0
            )
        elif creator_id is not None:
            rows = [] if creator_id in blocked else unit.fetch(
                tables.BETWEEN, **_pair(viewer.id, creator_id), limit=limit, offset=offset
            )
        else:
            rows = unit.fetch(tables.OF_PERSON, **asked, reach=offset + limit)
        return [_seen(view, viewer) for view in self._views(unit, rows)]

    def conversations(
        self, unit: Unit, viewer: Viewer, *, page: int = 1, limit: int = 20
    ) -> list[Conversation]:
        """Return a page of those the viewer writes with, the newest first; three round trips."""
        offset = check_page(page, limit)
        *unread, actor_blocks, instance_blocks = unit.fetch_all(
            *self.unread_queries(viewer)[:1], *self._accounts.blocks_queries(viewer)
        )
        waiting = {row.creator_id: int(row.count) for row in unread[0]}
        blocked = list(self._accounts.blocks_from(actor_blocks, instance_blocks).persons)
        rows = unit.fetch(tables.CONVERSATIONS, viewer_id=viewer.id, limit=limit, offset=offset,
                          blocked=blocked)
        people = self._accounts.actors(unit, [row.other_id for row in rows])
        return [
            Conversation(
                other=people[row.other_id], published_us=row.last_us,
                last=seen_by(message_from(row), viewer.id) if row.id is not None else None,
                unread=waiting.get(row.other_id, 0),
            )
            for row in rows
        ]

    def unread_queries(self, viewer: Viewer) -> tuple[Query, Query, Query]:
        """Return the queries for how much is unread, to ride along; see `unread_from`."""
        asked = {"viewer_id": viewer.id, "limit": UNREAD_SENDERS_MAX}
        return (tables.COUNT_UNREAD, asked), *self._accounts.blocks_queries(viewer)

    def unread_from(
        self, counted: Iterable[Row], actors: list[Row], instances: list[Row]
    ) -> int:
        """Return the count in the rows of `unread_queries`, without whom the viewer blocks."""
        blocked = set(self._accounts.blocks_from(actors, instances).persons)
        return sum(int(row.count) for row in counted if row.creator_id not in blocked)

    def unread_count(self, unit: Unit, viewer: Viewer) -> int:
        """Return how many messages wait for the viewer; one round trip."""
        return self.unread_from(*unit.fetch_all(*self.unread_queries(viewer)))

    def message_for_report(self, unit: Unit, viewer: Viewer, message_id: int) -> MessageView:
        """Return a message that the viewer was sent and may report; one round trip.

        As its recipient sees it now: what was taken away before has no text. Whoever keeps a
        report keeps a copy of the text.
        """
        found = self.messages_by_id(unit, [message_id])
        # Lemmy 0.19: only its recipient can report a message.
        if not found or found[0].message.recipient_id != viewer.id:
            raise no_such_message()
        return _seen(found[0], viewer)

    def messages_by_id(self, unit: Unit, ids: Sequence[int]) -> list[MessageView]:
        """Return messages with their people whoever asks, in the order of ids; one round trip.

        For whoever has a right of their own to see them: reports, erasure.
        """
        asked = {"ids": list(ids)}
        rows, people = unit.fetch_all(
            (tables.FIND, asked), (_PEOPLE, asked | {"now_us": unit.clock_us})
        )
        actors = self._accounts.actors_from(people)
        found = {row.id: row for row in rows}
        return [_view(found[id_], actors) for id_ in ids if id_ in found]

    def messages_after(
        self, unit: Unit, person_id: int, *, after_id: int, limit: int = BATCH_MAX
    ) -> list[MessageView]:
        """Return messages that a person sent or received, in the order of ids; two round trips."""
        rows = unit.fetch(tables.AFTER, viewer_id=person_id, after_id=after_id, limit=limit)
        return [
            msgspec.structs.replace(view, message=seen_by(view.message, person_id))
            for view in self._views(unit, rows)
        ]

    def erase_messages(self, unit: Unit, ids: Sequence[int]) -> None:
        """Remove messages as if they had never been, for good; nobody is told twice.

        Conversations keep their place in the list; their last line is then empty.
        """
        assert len(ids) <= BATCH_MAX
        for view in self.messages_by_id(unit, ids):
            if not view.message.deleted:
                self._retract(unit, view)
        unit.stage(tables.ERASE, {"ids": list(ids)})

    def known_among(self, unit: Unit, ids: Iterable[int]) -> set[int]:
        """Return which of the messages have a row; one round trip."""
        return {row.id for row in unit.fetch(tables.KNOWN, ids=list(ids))}

    def sent_ids(self, unit: Unit, person_id: int, *, limit: int = BATCH_MAX) -> list[MessageId]:
        """Return the first ids of what a person sent; one round trip."""
        rows = unit.fetch(tables.SENT, viewer_id=person_id, limit=limit)
        return [MessageId(row.id) for row in rows]

    def forget_conversations(self, unit: Unit, person_id: int) -> None:
        """Remove the list of those a person wrote with; the others keep theirs."""
        unit.stage(tables.FORGET_OWNER, {"viewer_id": person_id})

    def _own(self, unit: Unit, viewer: Viewer, message_id: int) -> MessageView:
        view = self._locked(unit, viewer, message_id)
        if view.message.creator_id != viewer.id:
            raise Forbidden("edit_private_message_not_allowed", "Only its sender can change it.")
        check_writer(view.creator)
        return view

    def _locked(self, unit: Unit, viewer: Viewer, message_id: int) -> MessageView:
        """Return a message of the viewer's, locked; refuse one that is not theirs as not there."""
        asked = {"ids": [message_id]}
        rows, people = unit.fetch_all(
            (tables.LOCK, asked), (_PEOPLE, asked | {"now_us": unit.clock_us})
        )
        if not rows or viewer.id not in (rows[0].creator_id, rows[0].recipient_id):
            raise no_such_message()
        return _view(rows[0], self._accounts.actors_from(people))

    def _change(
        self, unit: Unit, before: MessageView, after: Message
    ) -> MessageView:
        view = msgspec.structs.replace(before, message=after)
        if after != before.message:
            unit.stage(tables.CHANGE, row_of(after))
            if not after.deleted:
                self._tell(unit, view, "update")
            elif not before.message.deleted:
                self._retract(unit, view)
        return view

    def _views(self, unit: Unit, rows: Sequence[Row]) -> list[MessageView]:
        if not rows:
            return []
        ids = {row.creator_id for row in rows} | {row.recipient_id for row in rows}
        actors = self._accounts.actors(unit, sorted(ids))
        return [_view(row, actors) for row in rows]

    def _check_allowance(self, viewer: Viewer, *, sent: int, now_us: int) -> None:
        allowed = self._allowance.messages_per_day(viewer, now_us=now_us)
        allowed = min(allowed, MESSAGES_PER_DAY_MAX)
        if sent >= allowed:
            raise TooMany(
                "rate_limit_error",
                f"You may send {allowed} messages a day, and have; write again tomorrow.",
                retry_after_s=DAY_US / 1_000_000,
            )

    def _tell(self, unit: Unit, view: MessageView, operation: Operation) -> None:
        unit.emit(event_of(
            record_of(view), id=self._tids.next(), did=view.creator.did, operation=operation,
            rkey=view.message.tid, row=view.message.id,
        ))

    def _retract(self, unit: Unit, view: MessageView) -> None:
        unit.emit(deletion_of(
            MESSAGE, id=self._tids.next(), did=view.creator.did, rkey=view.message.tid,
            row=view.message.id,
        ))

    def _tell_read(
        self, unit: Unit, viewer: Viewer, *, message: int, read: bool, sender: str | None = None
    ) -> None:
        tid = self._tids.next()
        record = Read(
            message=message, read=read, sender=sender, created_at=isoformat(unit.clock_us)
        )
        unit.emit(event_of(
            record, id=tid, did=viewer.actor.did, operation="create", rkey=tid, row=message
        ))


def _view(row: Row, actors: dict[int, Actor]) -> MessageView:
    return MessageView(
        message=message_from(row), creator=actors[row.creator_id],
        recipient=actors[row.recipient_id],
    )


def _seen(view: MessageView, viewer: Viewer) -> MessageView:
    return msgspec.structs.replace(view, message=seen_by(view.message, viewer.id))


def _pair(one: int, other: int) -> dict[str, int]:
    return {"low_id": min(one, other), "high_id": max(one, other)}


def _sides(message: Message) -> list[dict[str, int]]:
    """Return the rows of both sides of a conversation, in the order of their keys."""
    owners = sorted({message.creator_id, message.recipient_id})
    return [
        {"owner_id": owner, "message_id": message.id, "published_us": message.published_us,
         "other_id": message.creator_id + message.recipient_id - owner}
        for owner in owners
    ]
