"""Statements over peers, their keys, and the addresses of their actors."""

import msgspec
import sqlalchemy as sa

from lichen.federation.model import Accepts, ActorDocument, Peer
from lichen.federation.tables import peer, peer_actor, peer_key
from lichen.store import Row, Statement, any_of, upsert

PEERS = Statement(sa.select(peer).order_by(peer.c.authority).limit(sa.bindparam("limit")))
KEEP_PEER = upsert(peer, keys=["authority"], update=[
    column.name for column in peer.c if column.name not in ("authority", "first_seen_us")
])

# By primary key.
KEY = Statement(sa.select(peer_key).where(peer_key.c.key_id == sa.bindparam("key_id")))
KEEP_KEY = upsert(peer_key, keys=["key_id"], update=["owner", "public_key", "fetched_us"])

ADDRESSES = Statement(sa.select(peer_actor).where(any_of(peer_actor.c.ap_id, "ap_ids")))
KEEP_ADDRESSES = upsert(peer_actor, keys=["ap_id"], update=[
    column.name for column in peer_actor.c if column.name != "ap_id"
])
# By the indexes of either.
ACTORS_BY_COLLECTION = Statement(
    sa.select(peer_actor.c.ap_id, peer_actor.c.featured, peer_actor.c.moderators)
    .where(sa.or_(any_of(peer_actor.c.featured, "addresses"),
                  any_of(peer_actor.c.moderators, "addresses")))
)

_CAPABILITIES = msgspec.json.Decoder(tuple[str, ...])
_ACCEPTS = msgspec.json.Decoder(Accepts)


def peer_from(row: Row) -> Peer:
    """Return the peer in a row."""
    values = row._asdict()
    values["capabilities"] = _CAPABILITIES.decode(row.capabilities)
    values["accepts"] = _ACCEPTS.decode(row.accepts)
    return Peer(**values)


def row_of_peer(one: Peer) -> dict[str, object]:
    """Return the columns of a peer's row."""
    row: dict[str, object] = msgspec.structs.asdict(one)
    row["capabilities"] = msgspec.json.encode(one.capabilities).decode()
    row["accepts"] = msgspec.json.encode(one.accepts).decode()
    return row


def row_of_addresses(document: ActorDocument, *, now_us: int) -> dict[str, object]:
    """Return the columns of what is kept beside a remote actor's row."""
    return {
        "ap_id": document.draft.ap_id, "shared_inbox": document.shared_inbox,
        "outbox": document.outbox, "followers": document.followers,
        "featured": document.featured, "moderators": document.moderators,
        "moved_to": document.moved_to, "fetched_us": now_us,
    }
