"""What outsiders may see of each collection.

The room `stream` copies what is public out of the house's log; everything else stays in it. A
public record may still be withheld while its object is held, hidden or local-only: whoever emits it
says so on the envelope (`outside`). A private one is never shown. Tests see to it that every
collection is listed.
"""

from enum import Enum

from lichen.events import (
    accounts,
    automod,
    federation,
    forum,
    media,
    messages,
    moderation,
    notifications,
    plugins,
)
from lichen.events.envelope import Event, Operation, Record, collection_of


class Visibility(Enum):
    """Whether a collection may ever leave the house."""

    PUBLIC = "public"
    PRIVATE = "private"


PUBLIC, PRIVATE = Visibility.PUBLIC, Visibility.PRIVATE

_RECORDS: dict[type[Record], Visibility] = {
    accounts.Profile: PUBLIC,
    accounts.Session: PRIVATE,
    accounts.Settings: PRIVATE,
    accounts.Block: PRIVATE,
    accounts.Application: PRIVATE,
    accounts.SecondFactor: PRIVATE,
    accounts.Invite: PRIVATE,
    accounts.Invited: PRIVATE,
    accounts.Role: PRIVATE,
    accounts.SiteSettings: PUBLIC,
    accounts.SiteBan: PUBLIC,
    accounts.SiteFlag: PRIVATE,
    accounts.SiteLists: PUBLIC,
    accounts.SiteEmoji: PUBLIC,
    accounts.Away: PUBLIC,
    accounts.Link: PRIVATE,
    accounts.Move: PUBLIC,
    forum.Community: PUBLIC,
    forum.Post: PUBLIC,
    forum.Comment: PUBLIC,
    forum.Tally: PUBLIC,
    forum.Held: PRIVATE,
    forum.Vote: PRIVATE,
    forum.Subscription: PRIVATE,
    forum.Save: PRIVATE,
    forum.Hide: PRIVATE,
    forum.Read: PRIVATE,
    forum.Moderator: PUBLIC,
    forum.CommunityBan: PUBLIC,
    messages.Message: PRIVATE,
    messages.Read: PRIVATE,
    forum.Reaction: PRIVATE,
    forum.ReactionTally: PUBLIC,
    media.Picture: PRIVATE,
    media.Blocking: PRIVATE,
    moderation.Action: PUBLIC,
    moderation.Report: PRIVATE,
    moderation.Notice: PRIVATE,
    moderation.Appeal: PRIVATE,
    moderation.Remark: PRIVATE,
    moderation.Proposal: PUBLIC,
    moderation.Support: PRIVATE,
    notifications.Read: PRIVATE,
    plugins.Switch: PRIVATE,
    automod.Rule: PRIVATE,
    automod.Hit: PRIVATE,
    federation.Accepted: PRIVATE,
}

VISIBILITY: dict[str, Visibility] = {
    collection_of(record): visibility for record, visibility in _RECORDS.items()
}


def seen_outside(event: Event) -> Operation | None:
    """Return what outsiders see an event do, None where they hear nothing of it.

    What is not public any more is gone for them. A collection that is not known here, which a later
    version wrote, is private.
    """
    if VISIBILITY.get(event.collection) is not PUBLIC or event.outside == "withheld":
        return None
    return "delete" if event.outside == "ended" else event.operation
