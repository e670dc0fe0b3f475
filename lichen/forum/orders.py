"""What rooms and peers ask to be written, in batches; pure.

Numbers, TIDs, addresses and times may come from outside; what is None is given by the house.
"""

import msgspec

from lichen.accounts import ActorDraft
from lichen.forum.model import CommentId, PostDraft, PostId
from lichen.kit.reasons import Reason


class NewCommunity(msgspec.Struct, frozen=True):
    """A community to be founded; `actor` carries name, title, texts and what comes from outside.

    Its creator, where there is one, becomes the first moderator and subscriber.
    """

    actor: ActorDraft
    creator_id: int | None = None
    tid: str | None = None
    nsfw: bool = False
    posting_restricted_to_mods: bool = False
    local_only: bool = False
    languages: tuple[int, ...] = ()


class Following(msgspec.Struct, frozen=True):
    """Whether a person follows a community from now on."""

    person_id: int
    community_id: int
    follow: bool = True


class NewPost(msgspec.Struct, frozen=True):
    """A post to be written; what is None is given by the house.

    Number, TID, address and time come from outside where a whole server or a peer is taken over.
    `holds` are the reasons why it waits, seen by nobody else, until a moderator approves it.
    """

    creator_id: int
    community_id: int
    draft: PostDraft
    id: PostId | None = None
    tid: str | None = None
    ap_id: str | None = None
    published_us: int | None = None
    local: bool = True
    holds: tuple[Reason, ...] = ()


class NewComment(msgspec.Struct, frozen=True):
    """A comment to be written; what is None is given by the house.

    The parent is stored already, or stands before this one in the same batch. `holds` are the
    reasons why it waits, seen by nobody else, until a moderator approves it.
    """

    creator_id: int
    post_id: int
    content: str
    parent_id: int | None = None
    language_id: int | None = None
    id: CommentId | None = None
    tid: str | None = None
    ap_id: str | None = None
    published_us: int | None = None
    local: bool = True
    holds: tuple[Reason, ...] = ()
