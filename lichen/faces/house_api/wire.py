"""The messages of the house's own API."""

from lichen.faces.lemmy_v3.wire import Answer, Ask
from lichen.faces.lemmy_v3.wire.base import Id, Word


class Reaction(Answer, frozen=True, kw_only=True):
    """How many people put one emoji on something, and whether the caller did.

    `emoji` is the emoji, or `:shortcode:` with the `image` of one of the site's own.
    """

    emoji: str
    count: int
    mine: bool = False
    image: str | None = None


class Reactions(Answer, frozen=True, kw_only=True):
    """Every reaction to one post or comment, the oldest kind first."""

    reactions: list[Reaction]


class React(Ask, frozen=True, kw_only=True):
    """Put an emoji on a post or a comment (one of the two), or with `on` false take it off."""

    emoji: Word
    post_id: Id | None = None
    comment_id: Id | None = None
    on: bool = True


class GetReactions(Ask, frozen=True, kw_only=True):
    """Ask for the reactions to a post or a comment (one of the two)."""

    post_id: Id | None = None
    comment_id: Id | None = None
