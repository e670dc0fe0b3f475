"""What an event is to other servers: it decides; pure.

    words_out     posts, comments, votes          people_out   profiles, communities, subscriptions,
    rulings_out   what moderators decide                       messages, reports
    announced     what came from outside          speaking     whom it all goes to

What is held, of a community that stays local, or came from outside is told to nobody, but for two
things: that somebody elsewhere follows a community of ours is accepted, and what somebody elsewhere
did in one is announced.
"""

from collections.abc import Callable, Mapping

from lichen.events import LOCAL, Event
from lichen.federation.announced import Announced
from lichen.federation.people_out import People
from lichen.federation.rulings_out import Rulings
from lichen.federation.scenes import (
    ACCEPTED,
    ACTION,
    COMMENT,
    COMMUNITY,
    MESSAGE,
    MOVE,
    POST,
    PROFILE,
    REPORT,
    SUBSCRIPTION,
    VOTE,
    Scene,
)
from lichen.federation.speaking import Told
from lichen.web import Addresses

# Everything else is nobody's business elsewhere; tests list every collection there is.
TOLD = frozenset({
    ACCEPTED, ACTION, COMMENT, COMMUNITY, MESSAGE, MOVE, POST, PROFILE, REPORT, SUBSCRIPTION, VOTE,
})


class Telling(Rulings, People, Announced):
    """Tells of one batch of events."""

    def __init__(self, scene: Scene, addresses: Addresses) -> None:
        super().__init__(scene, addresses)
        self._tellers: Mapping[str, Callable[[Event], Told]] = {
            ACTION: self.action, COMMENT: self.comment, COMMUNITY: self.community,
            MESSAGE: self.message, MOVE: self.move, POST: self.post, PROFILE: self.profile,
            REPORT: self.report, SUBSCRIPTION: self.subscription, VOTE: self.vote,
        }

    def tell(self, event: Event) -> Told:
        """Return the activities that tell of an event, mostly none."""
        if event.collection == ACCEPTED:
            return self.accepted(event)
        if event.origin != LOCAL:
            return self.accept(event) if event.collection == SUBSCRIPTION else []
        teller = self._tellers.get(event.collection)
        return [] if teller is None else teller(event)


def is_told(event: Event) -> bool:
    """Say whether an event may be anybody's business elsewhere: a first look, without rows."""
    if event.collection not in TOLD:
        return False
    return event.origin == LOCAL or event.collection in (ACCEPTED, SUBSCRIPTION)
