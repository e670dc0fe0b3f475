"""Federation: this house among others, by ActivityPub.

The front door. `lichen.federation.room.build` makes the room; the names here are the types it
speaks in and what faces ask of it.
"""

from lichen.federation.catching_up import CatchUp, CatchUpState, ask_in_rows
from lichen.federation.courses import Courses, Hour, Minute
from lichen.federation.desk import Desk
from lichen.federation.discovery import router as discovery_routes
from lichen.federation.fetching import Documents, Gone
from lichen.federation.keys import KeyRing
from lichen.federation.model import (
    CAPABILITIES,
    Accepts,
    ActorDocument,
    Claim,
    Peer,
    PeerKey,
    SigningKey,
    Style,
)
from lichen.federation.peers import Peers
from lichen.federation.proving import Begun
from lichen.federation.resolving import Resolver
from lichen.federation.routes import negotiating
from lichen.federation.routes import router as document_routes
from lichen.federation.signatures import claimed, sign, verify
from lichen.federation.standing import Condition, Standing, Standings
from lichen.federation.succession import Ending, Offer, Proof, Succession, Way
from lichen.federation.successors import Successors
from lichen.federation.trail import Delivery, DeliveryState, Passage, Step, StepKind, Trail
from lichen.federation.trails import Trails

__all__ = [
    "CAPABILITIES", "Accepts", "ActorDocument", "Begun", "CatchUp", "CatchUpState", "Claim",
    "Condition", "Courses", "Delivery", "DeliveryState", "Desk", "Documents", "Ending", "Gone",
    "Hour", "KeyRing", "Minute", "Offer", "Passage", "Peer", "PeerKey", "Peers", "Proof",
    "Resolver", "SigningKey", "Standing", "Standings", "Step", "StepKind", "Style", "Succession",
    "Successors", "Trail", "Trails", "Way", "ask_in_rows", "claimed", "discovery_routes",
    "document_routes", "negotiating", "sign", "verify",
]
