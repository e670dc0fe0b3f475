"""What an archive holds, as plain JSON: one type a list. Pure; fields are only added.

Times are ISO 8601 in UTC; addresses are whole, so that they mean the same elsewhere.
"""

from typing import Literal, TypeVar

import msgspec

from lichen.accounts import Actor, Session
from lichen.forum import CommentView, CommunityView, PostView
from lichen.kit import isoformat
from lichen.messages import MessageView
from lichen.moderation import ProposalView


class Thing(msgspec.Struct, frozen=True, omit_defaults=True):
    """The base of what is written."""


ThingT = TypeVar("ThingT", bound=Thing)


class Profile(Thing, frozen=True):
    """What everybody sees of the person."""

    name: str
    address: str
    joined: str
    display_name: str | None = None
    bio: str | None = None
    avatar: str | None = None
    banner: str | None = None
    matrix_user_id: str | None = None
    bot: bool = False


class Post(Thing, frozen=True):
    """A post, also one that was deleted or removed."""

    address: str
    community: str
    title: str
    published: str
    url: str | None = None
    body: str | None = None
    alt_text: str | None = None
    edited: str | None = None
    up: int = 0
    down: int = 0
    comments: int = 0
    nsfw: bool = False
    deleted: bool = False
    removed: bool = False


class Comment(Thing, frozen=True):
    """A comment; of a post that is gone, no title."""

    address: str
    post: str
    content: str
    published: str
    post_title: str | None = None
    parent: str | None = None
    edited: str | None = None
    up: int = 0
    down: int = 0
    deleted: bool = False
    removed: bool = False


class Message(Thing, frozen=True):
    """A private message, sent or received."""

    sender: str
    recipient: str
    content: str
    published: str
    edited: str | None = None
    deleted: bool = False


class Mark(Thing, frozen=True):
    """A vote on something, or that it is kept for later."""

    kind: Literal["post", "comment"]
    address: str
    published: str
    value: int | None = None


class Proposal(Thing, frozen=True):
    """What the person proposed to a community; `answer` is the reason given last."""

    address: str
    community: str
    title: str
    text: str
    state: str
    published: str
    supports: int = 0
    answer: str | None = None
    answered: str | None = None


class Support(Thing, frozen=True):
    """A proposal that the person stands behind."""

    address: str
    published: str


class Follow(Thing, frozen=True):
    """A community that is followed."""

    address: str
    name: str
    title: str


class Login(Thing, frozen=True):
    """One login that stands."""

    since: str
    address: str | None = None
    program: str | None = None


def profile(actor: Actor) -> Profile:
    """Return a person."""
    return Profile(
        name=actor.name, address=actor.ap_id, joined=isoformat(actor.published_us),
        display_name=actor.display_name, bio=actor.summary, avatar=actor.avatar,
        banner=actor.banner, matrix_user_id=actor.matrix_user_id, bot=actor.bot,
    )


def post(view: PostView) -> Post:
    """Return a post of the person's."""
    one = view.post
    return Post(
        address=one.ap_id, community=view.community.actor.ap_id, title=one.name,
        published=isoformat(one.published_us), url=one.url, body=one.body, alt_text=one.alt_text,
        edited=_time(one.updated_us), up=one.up, down=one.down, comments=one.comments,
        nsfw=one.nsfw, deleted=one.deleted, removed=one.removed,
    )


def comment(view: CommentView, parent: str | None) -> Comment:
    """Return a comment of the person's; `parent` is the address of what it answers."""
    one, around = view.comment, view.post
    return Comment(
        address=one.ap_id, post=around.ap_id, content=one.content,
        published=isoformat(one.published_us),
        post_title=None if around.deleted or around.removed else around.name,
        parent=parent, edited=_time(one.updated_us), up=one.up, down=one.down,
        deleted=one.deleted, removed=one.removed,
    )


def message(view: MessageView) -> Message:
    """Return a message as the person sees it."""
    one = view.message
    return Message(
        sender=view.creator.ap_id, recipient=view.recipient.ap_id, content=one.content,
        published=isoformat(one.published_us), edited=_time(one.updated_us), deleted=one.deleted,
    )


def proposal(view: ProposalView, address: str) -> Proposal:
    """Return a proposal of the person's."""
    one, last = view.proposal, view.steps[-1].step if view.steps else None
    return Proposal(
        address=address, community=view.community.community.actor.ap_id, title=one.title,
        text=one.text, state=one.state.value, published=isoformat(one.published_us),
        supports=one.supports, answer=last.reason if last else None,
        answered=isoformat(last.published_us) if last else None,
    )


def follow(view: CommunityView) -> Follow:
    """Return a community that the person follows."""
    actor = view.community.actor
    return Follow(address=actor.ap_id, name=actor.name, title=actor.shown_name)


def login(session: Session) -> Login:
    """Return one login, without what a token is made of."""
    return Login(
        since=isoformat(session.published_us), address=session.address, program=session.agent
    )


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else isoformat(time_us)
