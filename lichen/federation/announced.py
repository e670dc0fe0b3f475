"""What came from outside into a community of ours, announced in its own bytes; pure.

FEP-1b12: the Group wraps the whole activity. Who made it does not get it back, but for the
Announce of a new post's id, by which microblogs show it to the Group's followers there.
"""

import msgspec

from lichen.events import Event
from lichen.events.federation import Accepted
from lichen.federation.deeds import encoded
from lichen.federation.model import authority_of
from lichen.federation.outgoing import Outgoing
from lichen.federation.speaking import Speaker, Told, vote_key
from lichen.forum import Community


class Announced(Speaker):
    """Tells of what was accepted from outside."""

    def accepted(self, event: Event) -> Told:
        """Return the Announce of an activity that came, in its own bytes."""
        if event.operation == "delete":
            return []
        record = msgspec.json.decode(event.record, type=Accepted)
        community = self.scene.community_of(record.community)
        line = self.scene.originals.get(record.activity)
        if community is None or line is None or community.local_only:
            return []
        came = msgspec.json.decode(line, type=_Line)
        if record.judges_only:
            return self._for_judges(event, community, came)
        if not self.scene.followers.get(community.id):
            return []
        about = _about(came.activity)
        group = community.actor
        announce = self.deeds.announce(event.id, group=group.ap_id, object_=came.activity)
        told = [Outgoing(
            source=0, part=0, id=str(announce["id"]), sender=group.id, community=group.id,
            but=came.peer, activity=msgspec.Raw(encoded(announce)), writes=about.writes,
            reads=about.reads, vote=about.vote, undo=about.undo,
            batch=group.ap_id if about.vote else "",
        )]
        if about.new_post:
            told.append(self.shown(event.id, community, about.new_post))
        return told


    def _for_judges(self, event: Event, community: Community, came: "_Line") -> Told:
        """Return the Announce of a report, or of what became of one, for those it concerns.

        Lemmy 1.0, report.rs: the Group forwards it to the servers of its moderators.
        """
        inner = msgspec.json.decode(came.activity, type=_Came)
        named = [actor.domain for actor in self.scene.moderators.get(community.id, ())]
        named.append(authority_of(_reporter(inner)))
        servers = set(named) - {self._addresses.authority, came.peer, ""}
        if not servers:
            return []
        group = community.actor
        announce = self.deeds.announce(event.id, group=group.ap_id, object_=came.activity)
        about = _about(came.activity)
        return [self.direct(announce, by=group, peers=servers, public=False,
                            keys=(about.writes, about.reads))]


class _Line(msgspec.Struct, rename="camel"):
    """A line of the log `inbox`."""

    peer: str
    activity: msgspec.Raw


class _Came(msgspec.Struct):
    """As much of an activity that came as order and coalescing need."""

    type: object = ""
    actor: object = ""
    about: object = msgspec.field(name="object", default="")


class _About(msgspec.Struct):
    """The keys of an activity that came."""

    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    vote: str = ""
    undo: bool = False
    new_post: str = ""


def _about(activity: msgspec.Raw) -> _About:
    """Return what an activity that came changes; it was judged when it was applied."""
    came = msgspec.json.decode(activity, type=_Came)
    inner = came.about if isinstance(came.about, dict) else {}
    if came.type == "Undo" and inner.get("type") in ("Like", "Dislike"):
        object_id = _id_of(inner.get("object"))
        key = vote_key(_id_of(came.actor), object_id)
        return _About(writes=(key,), reads=(object_id,), vote=key, undo=True)
    object_id = _id_of(came.about)
    if came.type in ("Like", "Dislike"):
        key = vote_key(_id_of(came.actor), object_id)
        return _About(writes=(key,), reads=(object_id,), vote=key)
    above = _id_of(inner.get("inReplyTo"))
    is_new_post = came.type == "Create" and not above
    if came.type == "Undo":
        object_id = _id_of(inner.get("object")) or object_id
    return _About(
        writes=(object_id,), reads=(above,) if above else (),
        new_post=object_id if is_new_post else "",
    )


def _reporter(came: "_Came") -> str:
    """Return who made the report that an activity, or what it undoes, has dealt with."""
    flag = came.about
    if came.type == "Undo" and isinstance(flag, dict):
        flag = flag.get("object")
    return _id_of(flag.get("actor")) if isinstance(flag, dict) else ""


def _id_of(value: object) -> str:
    """Return the id in any shape that the vocabulary allows: a string, an object, a list of one."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("id", "")
    return value if isinstance(value, str) else ""
