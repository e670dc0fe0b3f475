"""The part that deciding stands on: who acts, on what, where, and what must wait."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from lichen.accounts import Accounts, Actor, ActorKind
from lichen.federation.activities import Activity, Document, Writing
from lichen.federation.known import Arrival, Known, Need
from lichen.federation.model import Accepts, ActorDocument, authority_of
from lichen.federation.orders import Act, Orders
from lichen.forum import CommunityPlace, Forum, SubjectKind
from lichen.kit import Forbidden, NotFound
from lichen.messages import Messages
from lichen.moderation import Moderation
from lichen.store import Unit


class ReadActor(Protocol):
    """Who reads an actor's document; see actors.py."""

    def __call__(self, document: Document) -> ActorDocument:
        """Return what the document says; raises Refused."""


class Below(NamedTuple):
    """The rooms that are told what to do, and what is asked beside them.

    `accepts` says from memory what is taken of a peer. `own_authority` is ours.
    """

    accounts: Accounts
    forum: Forum
    messages: Messages
    moderation: Moderation
    accepts: Callable[[str], Accepts]
    read_actor: ReadActor
    own_authority: str


class Waits(Exception):
    """An activity must wait until something is there."""

    def __init__(self, need: Need) -> None:
        super().__init__(need.ap_id)
        self.need = need


class Spot(NamedTuple):
    """A thing that an activity is about, and the community around it."""

    kind: SubjectKind
    id: int
    creator_id: int
    community: CommunityPlace


class Decisions:
    """What deciding one batch works with; `known` and `orders` grow as it goes."""

    def __init__(self, unit: Unit, below: Below, known: Known) -> None:
        self.orders = Orders()
        self._unit = unit
        self._below = below
        self._known = known

    def _person(self, arrival: Arrival) -> Actor:
        """Return who acts, or wait until it is known; refuse whom this site has banned."""
        person = self._known.actors.get(arrival.activity.actor)
        if person is None:
            raise Waits(Need(arrival.activity.actor, "actor"))
        if person.banned or person.deleted:
            raise Forbidden("site_ban", "You are banned from this site.")
        self.orders.origins[person.did] = arrival.peer
        return person

    def _spot(self, id: str) -> Spot | None:
        """Return the thing of an id with its community, None where it is not here."""
        places = self._known.places
        post, comment = places.posts.get(id), places.comments.get(id)
        if post is not None:
            return Spot(SubjectKind.POST, post.id, post.creator_id,
                        places.communities[post.community_id])
        if comment is not None:
            return Spot(SubjectKind.COMMENT, comment.id, comment.creator_id,
                        places.communities[comment.community_id])
        return None

    def _spot_or_wait(self, activity: Activity, id: str) -> Spot:
        """Return the thing of an id, or wait until it was fetched from where it lives."""
        spot = self._spot(id)
        if spot is not None:
            return spot
        authority = authority_of(id)
        if authority in ("", self._below.own_authority):
            raise NotFound("couldnt_find_object", "There is no such thing here.")
        if activity.announcer and self._community_of(activity) is None:
            raise Forbidden("unknown_community", "Nobody here knows that community.")
        raise Waits(Need(id, "thing"))

    def _community_of(self, activity: Activity) -> CommunityPlace | None:
        """Return the community that passed an activity on, or the first one it is for."""
        named = (activity.announcer,) if activity.announcer else activity.addressees
        for id in named:
            actor = self._known.actors.get(id)
            if actor is not None and actor.kind is ActorKind.COMMUNITY:
                return self._known.places.communities.get(actor.id)
        return None

    def _named(self, act: Writing) -> CommunityPlace | None:
        """Return the first community that a thing itself is for."""
        for id in act.thing.addressees:
            actor = self._known.actors.get(id)
            if actor is not None and actor.kind is ActorKind.COMMUNITY:
                return self._known.places.communities.get(actor.id)
        return None

    def _concerns_us(self, act: Activity) -> bool:
        """Say whether an answer to something unknown is for anybody here."""
        if act.announcer:
            return self._community_of(act) is not None
        assert isinstance(act, Writing), "an answer is written"
        return any(
            actor.local or actor.kind is ActorKind.COMMUNITY
            for id in act.thing.addressees if (actor := self._known.actors.get(id)) is not None
        )

    def _takes_dislikes(self, peer: str) -> bool:
        site = self._below.accounts.current_site.settings
        return site.enable_downvotes and self._below.accepts(peer).dislikes

    def _past(self, time_us: int | None) -> int | None:
        """Return a peer's time, never later than now: its clock does not lift it in lists."""
        return None if time_us is None else min(time_us, self._unit.clock_us)

    def _community(self, actor: Actor) -> CommunityPlace:
        """Return where a community stands, or refuse an actor that is none."""
        found = self._known.places.communities.get(actor.id)
        if found is None:
            raise NotFound("couldnt_find_community", "There is no such community here.")
        return found

    def _accept(self, arrival: Arrival, community: CommunityPlace) -> None:
        """Note that a community of ours passes an activity on."""
        if community.local:
            self.orders.accepted.append(
                (arrival.seq, self._known.by_id[community.id].did, False)
            )

    def _act(
        self, arrival: Arrival, run: Callable[[Unit], object],
        community: CommunityPlace | None = None, *, judges_only: bool = False,
    ) -> None:
        """Order a command of its own, for what is rare."""
        passes_on = community is not None and community.local
        self.orders.acts.append(Act(
            arrival, arrival.peer, run,
            self._known.by_id[community.id].did if community and passes_on else "", judges_only,
        ))
