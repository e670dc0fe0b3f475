"""Communities as the Lemmy API shows and takes them."""

from typing import Literal

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    Id,
    Ids,
    PageLength,
    PageNumber,
    Prose,
    Time,
    Word,
)
from lichen.faces.lemmy_v3.wire.people import Person
from lichen.faces.lemmy_v3.wire.servers import Site
from lichen.forum import Listing, Sort, Subscribed

CommunityVisibility = Literal["Public", "LocalOnly"]


class Community(Answer, frozen=True, kw_only=True):
    """A community."""

    id: int
    name: str
    title: str
    description: str | None = None
    removed: bool
    published: Time
    updated: Time | None = None
    deleted: bool
    nsfw: bool
    actor_id: str
    local: bool
    icon: str | None = None
    banner: str | None = None
    hidden: bool
    posting_restricted_to_mods: bool
    instance_id: int
    visibility: CommunityVisibility


class CommunityAggregates(Answer, frozen=True, kw_only=True):
    """The tallies of a community."""

    community_id: int
    subscribers: int
    posts: int
    comments: int
    published: Time
    users_active_day: int
    users_active_week: int
    users_active_month: int
    users_active_half_year: int
    subscribers_local: int


class CommunityView(Answer, frozen=True, kw_only=True):
    """A community as one viewer sees it."""

    community: Community
    subscribed: Subscribed
    blocked: bool
    counts: CommunityAggregates
    banned_from_community: bool


class CommunityModeratorView(Answer, frozen=True, kw_only=True):
    """Who moderates what."""

    community: Community
    moderator: Person


class CommunityFollowerView(Answer, frozen=True, kw_only=True):
    """Who follows what."""

    community: Community
    follower: Person


class CommunityBlockView(Answer, frozen=True, kw_only=True):
    """Who blocks what."""

    person: Person
    community: Community


class CreateCommunity(Ask, frozen=True, kw_only=True):
    """Found a community."""

    name: Word
    title: Prose
    description: Prose | None = None
    icon: Prose | None = None
    banner: Prose | None = None
    nsfw: bool | None = None
    posting_restricted_to_mods: bool | None = None
    discussion_languages: Ids | None = None
    visibility: CommunityVisibility | None = None


class EditCommunity(Ask, frozen=True, kw_only=True):
    """Change what is said of a community; what is left out stays."""

    community_id: Id
    title: Prose | None = None
    description: Prose | None = None
    icon: Prose | None = None
    banner: Prose | None = None
    nsfw: bool | None = None
    posting_restricted_to_mods: bool | None = None
    discussion_languages: Ids | None = None
    visibility: CommunityVisibility | None = None


class GetCommunity(Ask, frozen=True, kw_only=True):
    """Ask for a community by id or by name, `name@domain` for one from elsewhere."""

    id: Id | None = None
    name: Word | None = None


class ListCommunities(Ask, frozen=True, kw_only=True):
    """Ask for a page of communities."""

    type_: Listing = Listing.ALL
    sort: Sort = Sort.ACTIVE
    show_nsfw: bool | None = None
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT


class FollowCommunity(Ask, frozen=True, kw_only=True):
    """Subscribe to a community, or no longer."""

    community_id: Id
    follow: bool


class BlockCommunity(Ask, frozen=True, kw_only=True):
    """Block a community, or no longer."""

    community_id: Id
    block: bool


class CommunityResponse(Answer, frozen=True, kw_only=True):
    """A community after a change."""

    community_view: CommunityView
    discussion_languages: tuple[int, ...]


class GetCommunityResponse(Answer, frozen=True, kw_only=True):
    """A community with its moderators; `site` is the server of one from elsewhere."""

    community_view: CommunityView
    site: Site | None = None
    moderators: list[CommunityModeratorView]
    discussion_languages: tuple[int, ...]


class BlockCommunityResponse(Answer, frozen=True, kw_only=True):
    """The community and whether it is blocked now."""

    community_view: CommunityView
    blocked: bool


class ListCommunitiesResponse(Answer, frozen=True, kw_only=True):
    """A page of communities."""

    communities: list[CommunityView]
