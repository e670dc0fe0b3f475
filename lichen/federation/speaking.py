"""Whom an activity goes to; pure. What all parts of `telling` stand on.

In a community of ours everything is announced by the Group to the servers of its followers; in one
of another server it goes to that server alone. What a community keeps local goes nowhere.
"""

from collections.abc import Iterable, Sequence

import msgspec

from lichen.accounts import Actor
from lichen.federation.deeds import Deeds, encoded, raw
from lichen.federation.documents import Document, OurDocuments
from lichen.federation.outgoing import Outgoing
from lichen.federation.scenes import Scene, Standing
from lichen.forum import Community
from lichen.web import Addresses

Told = list[Outgoing]


class Speaker:
    """Speaks for one batch of events; `kept` is what stands or fell with it, by record key."""

    def __init__(self, scene: Scene, addresses: Addresses) -> None:
        self.scene = scene
        self.deeds = Deeds(addresses)
        self.documents = OurDocuments(addresses)
        self.kept: dict[str, Standing | None] = {}
        self.purged: set[str] = set()  # ids of words of ours whose rows are gone
        self._addresses = addresses

    def in_community(
        self, key: str, activity: Document, *, by: Actor, community: Community,
        writes: Sequence[str], reads: Sequence[str] = (), also: Iterable[str] = (),
    ) -> Told:
        """Return what carries an activity of ours in a community; `also` are further servers."""
        if community.local_only or not by.local:
            return []
        group = community.actor
        keys = (tuple(writes), tuple(reads))
        others = set(also) - {self._addresses.authority}
        if not group.local:
            others.add(group.domain)
            alone = group.inbox if others == {group.domain} else ""
            return [self.direct(activity, by=by, peers=others, inbox=alone, keys=keys)]
        followers = self.scene.followers.get(group.id, frozenset())
        told = []
        if followers:
            announce = self.deeds.announce(key, group=group.ap_id, object_=raw(activity))
            told.append(Outgoing(
                source=0, part=0, id=str(announce["id"]), sender=group.id, community=group.id,
                activity=msgspec.Raw(encoded(announce)), writes=keys[0], reads=keys[1],
            ))
        if others - followers:
            told.append(self.direct(activity, by=by, peers=others - followers, keys=keys))
        return told

    def direct(
        self, activity: Document, *, by: Actor, peers: Iterable[str], inbox: str = "",
        public: bool = True, keys: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
    ) -> Outgoing:
        """Return what carries an activity to some servers; `keys` are those it writes and reads."""
        return Outgoing(
            source=0, part=0, id=str(activity["id"]), sender=by.id, peers=tuple(sorted(peers)),
            activity=msgspec.Raw(encoded(activity)), inbox=inbox, public=public,
            writes=keys[0], reads=keys[1],
        )

    def everywhere(self, activity: Document, *, by: Actor, writes: Sequence[str]) -> Told:
        """Return what carries an activity to every server."""
        return [Outgoing(
            source=0, part=0, id=str(activity["id"]), sender=by.id, everybody=True,
            activity=msgspec.Raw(encoded(activity)), writes=tuple(writes),
        )]

    def standing(self, key: str) -> Standing | None:
        """Return the activity that stands for a record now."""
        return self.kept[key] if key in self.kept else self.scene.standing.get(key)

    def shown(self, key: str, community: Community, object_id: str, *, but: str = "") -> Outgoing:
        """Return the Announce of a post's id: how microblogs show what is posted in a Group."""
        announce = self.deeds.announce(
            f"{key}-page", group=community.actor.ap_id, object_=object_id
        )
        return Outgoing(
            source=0, part=0, id=str(announce["id"]), sender=community.id, but=but,
            community=community.id, activity=msgspec.Raw(encoded(announce)), reads=(object_id,),
        )


def vote_key(actor_id: str, object_id: str) -> str:
    """Return the key of a person's vote on a thing."""
    return f"vote {actor_id} {object_id}"


def member_key(person: Actor, group: Actor) -> str:
    """Return the key of a person in a community: what a ban writes and everything said reads."""
    return f"member {person.ap_id} {group.ap_id}"
