"""When a community of another server counts as gone, and what is said of it. Pure.

Silence alone proves nothing: a server to which nothing is sent, and which has nothing to say, is
silent too. Gone is presumed where a server was asked, failed, and gave no sign for days, or where
an administrator of ours declared it. Either way one sign of life ends it.
"""

from enum import StrEnum

import msgspec

from lichen.accounts import Actor
from lichen.federation.limits import SUCCESSOR_ORIGIN_LENGTH_MAX
from lichen.federation.model import Peer
from lichen.forum import CommunityView

_DAY_US = 86_400_000_000


class Way(StrEnum):
    """How we know that a community's server is gone."""

    SILENT = "silent"  # measured here
    DECLARED = "declared"  # said by an administrator here


class Ending(msgspec.Struct, frozen=True):
    """That a community is presumed gone: how we know, and since when; 0 where it never spoke."""

    way: Way
    since_us: int


class Offer(msgspec.Struct, frozen=True):
    """A community of ours that continues an old one; `mine` is what the viewer said, if asked."""

    old: Actor
    successor: CommunityView
    published_us: int
    mine: bool | None = None


class Succession(msgspec.Struct, frozen=True):
    """Where an old community stands: whether it is gone, who continues it, what may be done."""

    ending: Ending | None
    offers: tuple[Offer, ...]
    may_found: bool


def heard_us(peer: Peer | None) -> int:
    """Return when a server last gave a sign of life; when we first met it, where it never did."""
    if peer is None:
        return 0
    return max(peer.last_success_us, peer.last_received_us) or peer.first_seen_us


def ending_of(
    peer: Peer | None, *, declared_us: int | None, now_us: int, silent_days: int
) -> Ending | None:
    """Return whether the communities of a server, or one declared gone, have ended."""
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
