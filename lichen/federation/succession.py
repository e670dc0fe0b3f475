"""When a community of another server counts as gone, and what is said of it. Pure.

Silence alone proves nothing: a server to which nothing is sent, and which has nothing to say, is
silent too. Gone is presumed where a server was asked, failed, and gave no sign for days, or where
an administrator of ours declared it. Either way one sign of life ends it. A community whose server
lives has ended where that server says so: its document is gone (410), or names where it moved. A
document without either ends that.
"""

from enum import StrEnum

import msgspec

from lichen.accounts import Actor
from lichen.federation.limits import CLOSED_US_MIN, SUCCESSOR_ORIGIN_LENGTH_MAX
from lichen.federation.model import Peer
from lichen.forum import CommunityView

_DAY_US = 86_400_000_000


class Way(StrEnum):
    """How we know that a community has ended."""

    SILENT = "silent"  # its server, measured here
    DECLARED = "declared"  # its server, said by an administrator here
    CLOSED = "closed"  # its server lives and answers 410 for it
    MOVED = "moved"  # its server says where it went, and that community says so too


class Proof(StrEnum):
    """Why a community counts as the successor of another."""

    FOUNDED = "founded"  # here, by somebody of ours
    OFFERED = "offered"  # its own server says so; the old one could not confirm it
    MOVED = "moved"  # both say so


class Ended(msgspec.Struct, frozen=True):
    """What the server of a community said of its end: since when, and when it said so last."""

    way: Way
    since_us: int
    seen_us: int


class Lineage(msgspec.Struct, frozen=True):
    """What a Group's document says beside its profile, as ids of other Groups; "" for nothing.

    `derived_from` is the community that it continues without being it, `also_known_as` are those
    that it says to be too, `moved_to` is the one that it is now.
    """

    derived_from: str = ""
    also_known_as: tuple[str, ...] = ()
    moved_to: str = ""


class Ending(msgspec.Struct, frozen=True):
    """That a community is presumed gone: how we know, and since when; 0 where it never spoke."""

    way: Way
    since_us: int


class Offer(msgspec.Struct, frozen=True):
    """A community that continues an old one; `mine` is what the viewer said, if asked.

    `published_us` is when it was founded here, or heard of here.
    """

    old: Actor
    successor: CommunityView
    published_us: int
    mine: bool | None = None
    proof: Proof = Proof.FOUNDED


class Succession(msgspec.Struct, frozen=True):
    """Where an old community stands: whether it is gone, who continues it, what may be done.

    `offers` are all there are, the oldest first.
    """

    ending: Ending | None
    offers: tuple[Offer, ...]
    may_found: bool


def heard_us(peer: Peer | None) -> int:
    """Return when a server last gave a sign of life; when we first met it, where it never did."""
    if peer is None:
        return 0
    return max(peer.last_success_us, peer.last_received_us) or peer.first_seen_us


def ending_of(
    peer: Peer | None, *, declared_us: int | None, now_us: int, silent_days: int,
    ended: Ended | None = None,
) -> Ending | None:
    """Return whether a community has ended: by itself, or with its server."""
    # A 410 may be a mistake of a moment: it counts once it was seen twice, with time between.
    if ended is not None and (
        ended.way is Way.MOVED or ended.seen_us - ended.since_us >= CLOSED_US_MIN
    ):
        return Ending(ended.way, ended.since_us)
    heard = heard_us(peer)
    if declared_us is not None and heard <= declared_us:
        return Ending(Way.DECLARED, heard)
    if peer is not None and peer.fail_count and heard and now_us - heard > silent_days * _DAY_US:
        return Ending(Way.SILENT, heard)
    return None


def described(old: Actor, *, name: str) -> str:
    """Return what a successor says of its origin, in Markdown: only what its founder may claim."""
    # The name is a peer's text: as code it can say nothing but itself.
    called = f"{name}@{old.domain}".replace("`", "'")[:SUCCESSOR_ORIGIN_LENGTH_MAX]
    return (
        f"This community continues `!{called}`, whose server no longer answers. It was founded "
        "here by people of this server: the old server has not signed or confirmed it. What was "
        f"written there keeps its authors and its addresses: <{old.ap_id}>"
    )
