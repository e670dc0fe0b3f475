"""What moderators and administrators do, as the Lemmy API takes and answers it."""

from typing import Annotated, Literal

from msgspec import Meta

from lichen.faces.lemmy_v3.wire.base import Answer, Ask, Id, Prose
from lichen.faces.lemmy_v3.wire.communities import CommunityModeratorView
from lichen.faces.lemmy_v3.wire.people import PersonView

SECONDS_MAX = 9_000_000_000  # of the Unix epoch: in the year 2255, as far as times are exact

Seconds = Annotated[int, Meta(ge=0, le=SECONDS_MAX)]
PostFeatureType = Literal["Local", "Community"]


class RemovePost(Ask, frozen=True, kw_only=True):
    """Take a post away as a moderator, or bring it back."""

    post_id: Id
    removed: bool
    reason: Prose | None = None


class LockPost(Ask, frozen=True, kw_only=True):
    """Close a post for new comments, or open it."""

    post_id: Id
    locked: bool


class FeaturePost(Ask, frozen=True, kw_only=True):
    """Pin a post to the top of its community or of the site, or unpin it."""

    post_id: Id
    featured: bool
    feature_type: PostFeatureType


class RemoveComment(Ask, frozen=True, kw_only=True):
    """Take a comment away as a moderator, or bring it back."""

    comment_id: Id
    removed: bool
    reason: Prose | None = None


class DistinguishComment(Ask, frozen=True, kw_only=True):
    """Mark one's own comment as a moderator's word, or no longer."""

    comment_id: Id
    distinguished: bool


class RemoveCommunity(Ask, frozen=True, kw_only=True):
    """Take a community away as an administrator, or bring it back."""

    community_id: Id
    removed: bool
    reason: Prose | None = None


class DeleteCommunity(Ask, frozen=True, kw_only=True):
    """Close one's community, or open it again."""

    community_id: Id
    deleted: bool


class HideCommunity(Ask, frozen=True, kw_only=True):
    """Keep a community out of lists, or let it in again."""

    community_id: Id
    hidden: bool
    reason: Prose | None = None


class TransferCommunity(Ask, frozen=True, kw_only=True):
    """Make a moderator the first of its community."""

    community_id: Id
    person_id: Id


class AddModToCommunity(Ask, frozen=True, kw_only=True):
    """Appoint a moderator, or dismiss one."""

    community_id: Id
    person_id: Id
    added: bool


class BanFromCommunity(Ask, frozen=True, kw_only=True):
    """Ban somebody from a community until a second of the epoch, or let it in again."""

    community_id: Id
    person_id: Id
    ban: bool
    remove_data: bool | None = None
    reason: Prose | None = None
    expires: Seconds | None = None


class BanPerson(Ask, frozen=True, kw_only=True):
    """Ban somebody from the site until a second of the epoch, or let it in again."""

    person_id: Id
    ban: bool
    remove_data: bool | None = None
    reason: Prose | None = None
    expires: Seconds | None = None


class PurgePerson(Ask, frozen=True, kw_only=True):
    """Take all words of a person out of the rows."""

    person_id: Id
    reason: Prose | None = None


class PurgeCommunity(Ask, frozen=True, kw_only=True):
    """Take a community with all that is in it out of the rows."""

    community_id: Id
    reason: Prose | None = None


class PurgePost(Ask, frozen=True, kw_only=True):
    """Take a post with its comments out of the rows."""

    post_id: Id
    reason: Prose | None = None


class PurgeComment(Ask, frozen=True, kw_only=True):
    """Take a comment with its answers out of the rows."""

    comment_id: Id
    reason: Prose | None = None


class AddModToCommunityResponse(Answer, frozen=True, kw_only=True):
    """The moderators there are now, the first of them first."""

    moderators: list[CommunityModeratorView]


class BanFromCommunityResponse(Answer, frozen=True, kw_only=True):
    """The person and whether it is banned now."""

    person_view: PersonView
    banned: bool


class BanPersonResponse(Answer, frozen=True, kw_only=True):
    """The person and whether it is banned now."""

    person_view: PersonView
    banned: bool


class BannedPersonsResponse(Answer, frozen=True, kw_only=True):
    """Everybody who is banned from the site now."""

    banned: list[PersonView]
