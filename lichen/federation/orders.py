"""What a decided batch will do: the orders to the rooms below, and what is kept beside. Pure."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from lichen.federation.known import Arrival, Need
from lichen.forum import (
    CommentChange,
    FollowAnswer,
    Following,
    NewComment,
    NewPost,
    PostChange,
    Vote,
)
from lichen.messages import MessageChange, MessageId, NewMessage
from lichen.store import Unit


class Act(msgspec.Struct, frozen=True):
    """A command of its own, with the peer whose word it is, and the arrival that asks for it."""

    arrival: Arrival
    origin: str
    run: Callable[[Unit], object]
    community_did: str = ""  # of a local community that passes it on, "" for none
    judges_only: bool = False  # to the servers of who moderates there


class KeptFollow(msgspec.Struct, frozen=True):
    """The id of a Follow that stands, or None where it no longer does."""

    person_id: int
    community_id: int
    ap_id: str | None


class Fate(NamedTuple):
    """What became of an activity that was not simply applied: "parked", "duplicate", or a code.

    `seq` is its line in the log `inbox`. `text` says why in plain words; `needs` is what it waits
    for.
    """

    seq: int
    id: str
    code: str
    text: str = ""
    needs: str = ""


class Parking(msgspec.Struct, frozen=True):
    """An activity that must wait, and for what."""

    arrival: Arrival
    need: Need
    subject: str


class Orders(msgspec.Struct):
    """Everything that one batch does, in the order in which it is done."""

    followings: list[Following] = []
    answers: list[FollowAnswer] = []
    posts: list[NewPost] = []
    comments: list[NewComment] = []
    post_changes: list[PostChange] = []
    comment_changes: list[CommentChange] = []
    votes: list[Vote] = []
    messages: dict[MessageId, NewMessage] = {}
    message_changes: list[MessageChange] = []
    acts: list[Act] = []
    # Sequence in the log `inbox`, DID of the community, whether for its moderators alone.
    accepted: list[tuple[int, str, bool]] = []
    follows: list[KeptFollow] = []
    parked: list[Parking] = []
    received: list[str] = []
    about: dict[str, str] = {}  # what a received activity did, by its key, for whoever undoes it
    came: list[str] = []  # ids that others may be waiting for
    origins: dict[str, str] = {}  # the peer by DID
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    fates: list[Fate] = []
