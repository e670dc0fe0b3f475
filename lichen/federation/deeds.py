"""What is done, as activities of ActivityPub; pure.

Every activity has an id of its own under `/activities/`, made from the event that it tells of, so
that composing it twice makes the same bytes. FEP-1b12: `audience` is the community; what happens in
a community of ours is sent inside an Announce by the Group.
"""

from collections.abc import Sequence

import msgspec

from lichen.federation.documents import CONTEXT, PUBLIC, Document
from lichen.kit import isoformat
from lichen.web import Addresses

Inner = msgspec.Raw | Document | str

_AROUND = ("to", "cc", "audience")  # whom an activity is for
_ENCODER = msgspec.json.Encoder()


class Deeds:
    """Makes the activities of one house."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def id_of(self, kind: str, key: str) -> str:
        """Return the id of an activity; `key` is the TID of the event that it tells of."""
        return self._addresses.absolute(f"/activities/{kind.lower()}/{key}")

    def in_community(
        self, kind: str, key: str, *, actor: str, community: str, object_: object,
        more: Sequence[tuple[str, object]] = (), cc: Sequence[str] = (),
    ) -> Document:
        """Return an activity that everybody in a community may see."""
        return {
            "type": kind, "id": self.id_of(kind, key), "actor": actor, "to": [PUBLIC],
            "object": object_, "cc": [community, *(one for one in cc if one != community)],
            "audience": community, **{name: value for name, value in more if value is not None},
        }

    def to_one(
        self, kind: str, key: str, *, actor: str, recipient: str, object_: object,
        more: Sequence[tuple[str, object]] = (),
    ) -> Document:
        """Return an activity for one actor alone."""
        return {
            "type": kind, "id": self.id_of(kind, key), "actor": actor, "to": [recipient],
            "object": object_, **dict(more),
        }

    def to_everybody(
        self, kind: str, key: str, *, actor: str, object_: object,
        more: Sequence[tuple[str, object]] = (),
    ) -> Document:
        """Return an activity that concerns every server."""
        return {
            "type": kind, "id": self.id_of(kind, key), "actor": actor, "to": [PUBLIC],
            "object": object_, **{name: value for name, value in more if value is not None},
        }

    def vote(
        self, value: int, key: str, *, actor: str, community: str, object_: str
    ) -> Document:
        """Return a Like, or a Dislike where `value` is negative."""
        kind = "Like" if value > 0 else "Dislike"
        return {"type": kind, "id": self.id_of(kind, key), "actor": actor, "object": object_,
                "audience": community}

    def follow(self, key: str, *, actor: str, community: str) -> Document:
        """Return a Follow; `key` is the subscription's, so that an Undo names the same one."""
        return self.to_one("Follow", key, actor=actor, recipient=community, object_=community)

    def undo(self, key: str, activity: Document) -> Document:
        """Return the Undo of an activity, for whom that was for."""
        undo: Document = {
            "type": "Undo", "id": self.id_of("undo", key), "actor": activity["actor"],
            "object": activity,
        }
        undo.update((name, activity[name]) for name in _AROUND if name in activity)
        return undo

    def undo_ban(self, key: str, block: Document) -> Document:
        """Return the Undo of a Block, which says whether what the ban took comes back."""
        # Lemmy 0.19.4, undo_block_user.rs: `restoreData`; before it, the Block's `removeData`.
        return {**self.undo(key, block), "restoreData": block.get("removeData") is True}

    def announce(self, key: str, *, group: str, object_: Inner | Sequence[Inner]) -> Document:
        """Return the Announce of an activity, an object's id, or (FEP-1a11) many activities."""
        return {
            "type": "Announce", "id": self.id_of("announce", key), "actor": group, "to": [PUBLIC],
            "object": object_, "cc": [f"{group}/followers"],
        }

    def ban(
        self, key: str, *, actor: str, person: str, target: str, reason: str | None,
        expires_us: int | None, removes: bool, is_site: bool,
    ) -> Document:
        """Return a Block: a ban from a community, or from the whole site."""
        end = None if expires_us is None else isoformat(expires_us)
        more = (("target", target), ("removeData", removes), ("summary", reason),
                ("endTime", end), ("expires", end))  # Lemmy 0.18 read `expires`
        if is_site:
            return self.to_everybody("Block", key, actor=actor, object_=person, more=more)
        return self.in_community(
            "Block", key, actor=actor, community=target, object_=person, more=more
        )


def encoded(activity: Document) -> bytes:
    """Return an activity as it is sent: one line of JSON with its context."""
    return _ENCODER.encode({"@context": CONTEXT, **activity})


def raw(activity: Document) -> msgspec.Raw:
    """Return an activity as bytes to be put into another one unchanged."""
    return msgspec.Raw(_ENCODER.encode(activity))
