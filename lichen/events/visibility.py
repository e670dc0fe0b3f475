"""What outsiders may see of each collection.

The room `stream` copies what is public out of the house's log; everything else stays in it. A
public record may still be withheld while its object is held, hidden or local-only; a private one is
never shown. Tests see to it that every collection is listed.
"""

from enum import Enum

from lichen.events import accounts, forum, moderation, notifications
from lichen.events.envelope import Record, collection_of


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
    accounts.SiteSettings: PUBLIC,
    accounts.SiteBan: PUBLIC,
    accounts.SiteFlag: PRIVATE,
    forum.Community: PUBLIC,
    forum.Post: PUBLIC,
    forum.Comment: PUBLIC,
    forum.Tally: PUBLIC,
    forum.Vote: PRIVATE,
    forum.Subscription: PRIVATE,
    forum.Save: PRIVATE,
    forum.Hide: PRIVATE,
    forum.Read: PRIVATE,
    forum.Moderator: PUBLIC,
    forum.CommunityBan: PUBLIC,
    moderation.Action: PUBLIC,
    moderation.Report: PRIVATE,
    moderation.Notice: PRIVATE,
    moderation.Appeal: PRIVATE,
    moderation.Remark: PRIVATE,
    notifications.Read: PRIVATE,
}

VISIBILITY: dict[str, Visibility] = {
    collection_of(record): visibility for record, visibility in _RECORDS.items()
}
