"""Posts as the Lemmy API shows and takes them."""

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    Id,
    Ids,
    PageLength,
    PageNumber,
    Prose,
    Score,
    Time,
    Word,
)
from lichen.faces.lemmy_v3.wire.communities import Community, CommunityModeratorView, CommunityView
from lichen.faces.lemmy_v3.wire.people import Person
from lichen.forum import Listing, Sort, Subscribed


class Post(Answer, frozen=True, kw_only=True):
    """A post."""

    id: int
    name: str
    url: str | None = None
    body: str | None = None
    creator_id: int
    community_id: int
    removed: bool
    locked: bool
    published: Time
    updated: Time | None = None
    deleted: bool
    nsfw: bool
    embed_title: str | None = None
    embed_description: str | None = None
    thumbnail_url: str | None = None
    ap_id: str
    local: bool
    embed_video_url: str | None = None
    language_id: int
    featured_community: bool
    featured_local: bool
    url_content_type: str | None = None
    alt_text: str | None = None


class PostAggregates(Answer, frozen=True, kw_only=True):
    """The tallies of a post."""

    post_id: int
    comments: int
    score: int
    upvotes: int
    downvotes: int
    published: Time
    newest_comment_time: Time


class ImageDetails(Answer, frozen=True, kw_only=True):
    """The size and type of a post's picture."""

    link: str
    width: int
    height: int
    content_type: str


class PostView(Answer, frozen=True, kw_only=True):
    """A post as one viewer sees it."""

    post: Post
    creator: Person
    community: Community
    image_details: ImageDetails | None = None
    creator_banned_from_community: bool
    banned_from_community: bool
    creator_is_moderator: bool
    creator_is_admin: bool
    counts: PostAggregates
    subscribed: Subscribed
    saved: bool
    read: bool
    hidden: bool
    creator_blocked: bool
    my_vote: int | None = None
    unread_comments: int


class LinkMetadata(Answer, frozen=True, kw_only=True):
    """What a page says of itself."""

    title: str | None = None
    description: str | None = None
    image: str | None = None
    embed_video_url: str | None = None
    content_type: str | None = None


class CreatePost(Ask, frozen=True, kw_only=True):
    """Write a post. `custom_thumbnail` is taken and not used: the picture is the page's own."""

    name: Prose
    community_id: Id
    url: Prose | None = None
    body: Prose | None = None
    alt_text: Prose | None = None
    honeypot: Prose | None = None
    nsfw: bool | None = None
    language_id: Id | None = None
    custom_thumbnail: Prose | None = None


class EditPost(Ask, frozen=True, kw_only=True):
    """Change one's post; what is left out stays."""

    post_id: Id
    name: Prose | None = None
    url: Prose | None = None
    body: Prose | None = None
    alt_text: Prose | None = None
    nsfw: bool | None = None
    language_id: Id | None = None
    custom_thumbnail: Prose | None = None


class DeletePost(Ask, frozen=True, kw_only=True):
    """Delete one's post, or bring it back."""

    post_id: Id
    deleted: bool


class GetPost(Ask, frozen=True, kw_only=True):
    """Ask for a post by its id or by that of one of its comments."""

    id: Id | None = None
    comment_id: Id | None = None


class GetPosts(Ask, frozen=True, kw_only=True):
    """Ask for a page of posts; `page_cursor` goes before `page`."""

    type_: Listing | None = None
    sort: Sort | None = None
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    community_id: Id | None = None
    community_name: Word | None = None
    saved_only: bool = False
    liked_only: bool = False
    disliked_only: bool = False
    show_hidden: bool = False
    show_read: bool | None = None
    show_nsfw: bool | None = None
    page_cursor: Word | None = None


class CreatePostLike(Ask, frozen=True, kw_only=True):
    """Vote on a post: 1, 0 to take it back, -1."""

    post_id: Id
    score: Score


class SavePost(Ask, frozen=True, kw_only=True):
    """Keep a post for later, or no longer."""

    post_id: Id
    save: bool


class HidePost(Ask, frozen=True, kw_only=True):
    """Hide posts from one's lists, or no longer."""

    post_ids: Ids
    hide: bool


class MarkPostAsRead(Ask, frozen=True, kw_only=True):
    """Mark posts as read, or as unread."""

    post_ids: Ids
    read: bool


class GetSiteMetadata(Ask, frozen=True, kw_only=True):
    """Ask what the page at an address says of itself."""

    url: Prose


class PostResponse(Answer, frozen=True, kw_only=True):
    """A post after a change."""

    post_view: PostView


class GetPostResponse(Answer, frozen=True, kw_only=True):
    """A post with its community and where else its link was posted."""

    post_view: PostView
    community_view: CommunityView
    moderators: list[CommunityModeratorView]
    cross_posts: list[PostView]


class GetPostsResponse(Answer, frozen=True, kw_only=True):
    """A page of posts and the cursor of the next one."""

    posts: list[PostView]
    next_page: str | None = None


class GetSiteMetadataResponse(Answer, frozen=True, kw_only=True):
    """What a page says of itself."""

    metadata: LinkMetadata
