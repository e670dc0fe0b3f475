"""The calls about what waits for a person: replies, mentions, how much of everything."""

from lichen.accounts import Viewer
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.kit import NotFound
from lichen.notifications import Kind, Notification
from lichen.store import Unit


async def get_replies(
    parts: Parts, caller: Caller, asked: wire.GetInbox
) -> wire.GetRepliesResponse:
    """Return a page of answers to what the caller wrote."""
    viewer = caller.person()
    found = await parts.store.read(lambda unit: parts.notifications.replies(
        unit, viewer, unread_only=asked.unread_only, sort=asked.sort, page=asked.page,
        limit=asked.limit,
    ))
    return wire.GetRepliesResponse(replies=[views.reply_view(view) for view in found])


async def get_mentions(
    parts: Parts, caller: Caller, asked: wire.GetInbox
) -> wire.GetPersonMentionsResponse:
    """Return a page of comments that name the caller."""
    viewer = caller.person()
    found = await parts.store.read(lambda unit: parts.notifications.mentions(
        unit, viewer, unread_only=asked.unread_only, sort=asked.sort, page=asked.page,
        limit=asked.limit,
    ))
    return wire.GetPersonMentionsResponse(mentions=[views.mention_view(view) for view in found])


async def mark_reply_as_read(
    parts: Parts, caller: Caller, asked: wire.MarkCommentReplyAsRead
) -> wire.CommentReplyResponse:
    """Mark a reply as read, or as unread."""
    view = await _mark(
        parts, caller.person(), Kind.REPLY, id=asked.comment_reply_id, read=asked.read
    )
    return wire.CommentReplyResponse(comment_reply_view=views.reply_view(view))


async def mark_mention_as_read(
    parts: Parts, caller: Caller, asked: wire.MarkPersonMentionAsRead
) -> wire.PersonMentionResponse:
    """Mark a mention as read, or as unread."""
    view = await _mark(
        parts, caller.person(), Kind.MENTION, id=asked.person_mention_id, read=asked.read
    )
    return wire.PersonMentionResponse(person_mention_view=views.mention_view(view))


async def mark_all_as_read(
    parts: Parts, caller: Caller, _: wire.Nothing
) -> wire.GetRepliesResponse:
    """Mark everything as read; what is unread afterwards is nothing."""
    viewer = caller.person()

    def command(unit: Unit) -> None:
        parts.notifications.mark_all_read(unit, viewer)
        parts.messages.mark_all_read(unit, viewer)

    await parts.store.write(command)
    return wire.GetRepliesResponse(replies=[])


async def get_unread_count(
    parts: Parts, caller: Caller, _: wire.Nothing
) -> wire.GetUnreadCountResponse:
    """Return how much waits in the caller's inbox."""
    viewer = caller.person()

    def query(unit: Unit) -> wire.GetUnreadCountResponse:
        waiting, *letters = unit.fetch_all(
            parts.notifications.unread_query(unit, viewer), *parts.messages.unread_queries(viewer)
        )
        counts = parts.notifications.counts_from(waiting)
        return wire.GetUnreadCountResponse(
            replies=counts.replies, mentions=counts.mentions,
            private_messages=parts.messages.unread_from(*letters),
        )

    return await parts.store.read(query)


_MISSING = {Kind.REPLY: "couldnt_find_comment_reply", Kind.MENTION: "couldnt_find_person_mention"}


async def _mark(
    parts: Parts, viewer: Viewer, kind: Kind, *, id: int, read: bool
) -> Notification:
    """Mark a notification of one kind: the API numbers replies and mentions apart, we do not."""

    def command(unit: Unit) -> Notification:
        try:
            marked = parts.notifications.mark_read(unit, viewer, id, read=read)
        except NotFound:
            raise _missing(kind) from None
        if marked.kind is not kind:
            raise _missing(kind)
        return marked

    return await parts.store.write(command)


def _missing(kind: Kind) -> NotFound:
    return NotFound(_MISSING[kind], f"You have no such {kind}.")
