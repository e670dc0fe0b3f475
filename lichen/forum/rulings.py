"""The nouns of what moderators decide in the forum, and of what it was before.

Pure. Every ruling can be undone by another, so each answer says what there was.
"""

import msgspec

from lichen.accounts import Actor
from lichen.events import Outside


class PostRuling(msgspec.Struct, frozen=True):
    """What somebody who may decides about a post; None leaves a mark as it is."""

    removed: bool | None = None
    locked: bool | None = None
    featured_community: bool | None = None
    featured_local: bool | None = None


class CommentRuling(msgspec.Struct, frozen=True):
    """What somebody who may decides about a comment; None leaves a mark as it is."""

    removed: bool | None = None
    distinguished: bool | None = None


class CommunityRuling(msgspec.Struct, frozen=True):
    """What somebody who may decides about a community; None leaves a mark as it is."""

    removed: bool | None = None
    hidden: bool | None = None
    deleted: bool | None = None


class Words(msgspec.Struct, frozen=True):
    """Posts and comments by id; `more` says that there were too many for one command."""

    posts: tuple[int, ...] = ()
    comments: tuple[int, ...] = ()
    more: bool = False


class Appointed(msgspec.Struct, frozen=True):
    """The moderators after a change of them, and what it was before.

    `since_us` is when the person was appointed before, None where it did not moderate; `outside` is
    what outsiders hear of it.
    """

    moderators: list[Actor]
    changed: bool
    since_us: int | None
    outside: Outside = "shown"


class BanTerms(msgspec.Struct, frozen=True):
    """Why somebody is banned, and until when; None for no end."""

    reason: str | None = None
    expires_us: int | None = None


class Barred(msgspec.Struct, frozen=True):
    """A person who was banned or let in, and the ban that there was before, None for none.

    `outside` is what outsiders hear of it.
    """

    person: Actor
    changed: bool
    before: BanTerms | None
    outside: Outside = "shown"
