"""Assembles the way out: the log `outgoing`, who fills it, who sends it, who answers for it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from lichen.accounts import Accounts
from lichen.federation.composing import NAME, Composing, Followers, load_followers
from lichen.federation.deeds import Deeds
from lichen.federation.desk import Desk
from lichen.federation.lines import PeerBook
from lichen.federation.posting import Posting, SigningKeys
from lichen.federation.retelling import Retelling
from lichen.federation.scenes import FollowIds, Rooms
from lichen.federation.sending import Sending
from lichen.forum import Forum
from lichen.kit.ground import Ground
from lichen.log import Log, SegmentLog
from lichen.log import Options as LogOptions
from lichen.messages import Messages
from lichen.moderation import Moderation
from lichen.store import Store, checkpoint_of, set_stamp, stamp_of
from lichen.web import Addresses

OUTGOING_FOLDER = "outgoing"
BEGAN = "composing_began"  # the stamp that says where the house's log ended when it first composed


class Below(NamedTuple):
    """The rooms that the way out looks into."""

    accounts: Accounts
    forum: Forum
    messages: Messages
    moderation: Moderation


class Logs(NamedTuple):
    """The logs of federation; `inbox` is None where nothing comes in."""

    outgoing: Log
    inbox: Log | None


class Neighbours(NamedTuple):
    """What the rest of this room knows: peers, keys, the ids of Follows, every live peer."""

    peers: PeerBook
    keys: SigningKeys
    follow_ids: FollowIds
    everybody: Callable[[], Iterable[str]]


class OutgoingRoom(NamedTuple):
    """The parts that the house drives.

    `composing` is a reader of the house's log. `sending.run` is a task; at the stop it is cancelled
    before `close`. `desk` is for `routes`.
    """

    log: Log
    composing: Composing
    sending: Sending
    posting: Posting
    desk: Desk

    async def close(self) -> None:
        """Note where the peers stand, and let the threads and the log go."""
        await self.sending.close()
        self.posting.close()
        await self.log.close()


async def open_outgoing(
    ground: Ground, store: Store, inbox: Log, *, folder: Path, rooms: Below,
    neighbours: Neighbours, addresses: Addresses, house_log: tuple[int, int],
) -> OutgoingRoom:
    """Open the log `outgoing` in the data folder and build what stands around it.

    `house_log` is the first and the last sequence of the house's log.
    """
    outgoing = SegmentLog.open(
        folder / OUTGOING_FOLDER, clock=ground.clock,
        options=LogOptions(segment_bytes_max=ground.config.log.segment_bytes_max),
    )
    first_seq, last_seq = house_log
    return await build_outgoing(
        ground, store, Logs(outgoing, inbox), rooms=rooms, neighbours=neighbours,
        addresses=addresses, house_log_first_seq=first_seq or last_seq + 1,
        house_log_last_seq=last_seq,
    )


async def build_outgoing(
    ground: Ground, store: Store, logs: Logs, *, rooms: Below, neighbours: Neighbours,
    addresses: Addresses, house_log_first_seq: int, house_log_last_seq: int,
) -> OutgoingRoom:
    """Return the way out, standing where its checkpoint and its log stand.

    The bounds of the house's log are read before this call. A house that never composed begins at
    the log's end: what was written before it federated is fetched, not sent.
    """
    began, checkpoint = await store.read(
        lambda unit: (stamp_of(unit, BEGAN), checkpoint_of(unit, NAME)), apart=True
    )
    if began is None:
        began = str(house_log_last_seq)
        await store.write(lambda unit: set_stamp(unit, BEGAN, str(house_log_last_seq)), apart=True)
    position = max(checkpoint, int(began), house_log_first_seq - 1)
    followers = Followers()
    looked_into = Rooms(*rooms, follow_ids=neighbours.follow_ids)
    await load_followers(store, looked_into, followers)
    composing = Composing(
        store, logs.outgoing, logs.inbox, rooms=looked_into, peers=neighbours.peers,
        followers=followers, addresses=addresses, position=position,
    )
    posting = Posting(
        ground.outbound, neighbours.keys, Deeds(addresses), ground.clock,
        prefer=neighbours.peers.prefer,
    )
    sending = Sending(
        ground, store, logs.outgoing, peers=neighbours.peers, posting=posting,
        followers=followers.of, everybody=neighbours.everybody, addresses=addresses,
        retelling=Retelling(store, looked_into, followers=followers, addresses=addresses).of,
    )
    await sending.start()
    desk = Desk(
        store, logs.outgoing, accounts=rooms.accounts, forum=rooms.forum, addresses=addresses
    )
    return OutgoingRoom(logs.outgoing, composing, sending, posting, desk)
