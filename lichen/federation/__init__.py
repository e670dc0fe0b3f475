"""Federation: this house among others, by ActivityPub.

The front door. `lichen.federation.room.build` makes the room; the names here are the types it
speaks in and what faces ask of it.
"""

from lichen.federation.fetching import Documents, Gone
from lichen.federation.keys import KeyRing
from lichen.federation.model import ActorDocument, Claim, Peer, PeerKey, SigningKey, Style
from lichen.federation.peers import Peers
from lichen.federation.resolving import Resolver
from lichen.federation.signatures import claimed, sign, verify

__all__ = [
    "ActorDocument", "Claim", "Documents", "Gone", "KeyRing", "Peer", "PeerKey", "Peers",
    "Resolver", "SigningKey", "Style", "claimed", "sign", "verify",
]
