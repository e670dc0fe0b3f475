"""Activities as peers send them, read into one of a few frozen nouns. Pure.

    bytes ─► JSON, within limits of size, depth and count ─► the activity in our words
    Announce{activity | [activities] | OrderedCollection} ─► each of them, with its announcer
    Undo{activity} ─► the activity's opposite

The vocabulary lets nearly everything be a string, an object or an array of them; all are borne. An
id of an activity is on its actor's server, always. What an activity may touch is decided later
(authorities.py), when the rows are known; here it is decided what it says.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from lichen.federation.limits import (
    ADDRESSEES_MAX,
    ANNOUNCED_MAX,
    EMOJI_LENGTH_MAX,
    REASON_LENGTH_MAX,
)
from lichen.federation.model import authority_of
from lichen.federation.objects import ACTOR_TYPES, THING_TYPES, Thing, thing_of, time_us
from lichen.federation.values import id_of, ids_of, kinds_of, said_in, single
from lichen.kit import Refused

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"  # ActivityPub §5.6
Document = Mapping[str, Any]


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What all activities have; `announcer` is the community that passed it on, "" for none.

    `addressees` are all it names as recipients, in order, the audience first.
    """

    id: str
    actor: str
    announcer: str = ""
    addressees: tuple[str, ...] = ()

    @property
    def voucher(self) -> str:
        """Return the actor whose server says that this happened."""
        return self.announcer or self.actor


class Follow(Activity, frozen=True, kw_only=True):
    """Somebody follows an actor, or no longer."""

    object: str
    follow: bool = True


class Answer(Activity, frozen=True, kw_only=True):
    """An actor accepts or rejects a Follow, named by its id, or by who follows."""

    follow_id: str
    follower: str
    accepted: bool


class Writing(Activity, frozen=True, kw_only=True):
    """Something was written, or written anew."""

    thing: Thing
    is_update: bool = False

    @property
    def object(self) -> str:
        """Return the id of what was written."""
        return self.thing.ap_id


class Voting(Activity, frozen=True, kw_only=True):
    """Somebody likes (1) or dislikes (-1) something, or no longer thinks of it (0).

    A Like may carry an emoji. It is a vote all the same, as Lemmy takes it, for whom PieFed sends
    it; the emoji is a reaction beside, and both go with the Undo.
    """

    object: str
    value: int
    emoji: str = ""


class Reacting(Activity, frozen=True, kw_only=True):
    """Somebody puts an emoji on something or takes it off (FEP-c0e0); that is no vote."""

    object: str
    emoji: str
    on: bool = True


class Deletion(Activity, frozen=True, kw_only=True):
    """Something is gone, or back; with a reason, "" too, it is a moderator's removal."""

    object: str
    deleted: bool = True
    reason: str | None = None
    remove_data: bool = False


class Locking(Activity, frozen=True, kw_only=True):
    """A moderator closes a post for new comments, or opens it."""

    object: str
    locked: bool = True
    reason: str = ""


class Seating(Activity, frozen=True, kw_only=True):
    """Something was added to a community's collection or taken out: featured posts, moderators."""

    object: str
    target: str
    kind: Literal["featured", "moderators"]
    added: bool = True


class Blocking(Activity, frozen=True, kw_only=True):
    """A moderator bans a person from a community or a site, or lets it in again."""

    object: str
    target: str
    blocked: bool = True
    remove_data: bool = False
    expires_us: int | None = None
    reason: str = ""


class Flagging(Activity, frozen=True, kw_only=True):
    """Somebody reports something."""

    objects: tuple[str, ...]
    reason: str


class Resolving(Activity, frozen=True, kw_only=True):
    """A moderator has dealt with somebody's report of something, or opens it again."""

    object: str
    reporter: str
    resolved: bool = True


class Profile(Activity, frozen=True, kw_only=True):
    """An actor says anew what it is; `document` is the actor's document as it came."""

    object: str
    document: dict[str, Any]


class Moving(Activity, frozen=True, kw_only=True):
    """An actor says that it has moved."""

    object: str
    target: str


class Offering(Activity, frozen=True, kw_only=True):
    """An actor offers something that comes from something else, both by their ids."""

    object: str
    origin: str


class Sharing(Activity, frozen=True, kw_only=True):
    """An actor points at something elsewhere by its id."""

    object: str


class Undoing(Activity, frozen=True, kw_only=True):
    """Somebody undoes something that is named by its id alone, as Pleroma does."""

    object: str


class Item(msgspec.Struct, frozen=True):
    """One activity out of a request, or why it is none, with its JSON as it came."""

    activity: Activity | None
    raw: bytes
    refusal: str = ""


_Read = Callable[[Document, dict[str, Any]], Activity]
_NAMED_ALONE = THING_TYPES | {"", "Link"}  # of an Announce: what is fetched by its id
_COLLECTIONS = ("Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage")
# The last segment of a collection's address, as Lemmy, PieFed and Mbin name them.
_KINDS: dict[str, Literal["featured", "moderators"]] = {
    "featured": "featured", "pinned": "featured", "moderators": "moderators",
}


def items_of(document: dict[str, Any]) -> Iterator[Item]:
    """Iterate over the activities in what a peer sent; one that is malformed is refused alone."""
    if kind_of(document) != "Announce":
        yield _item(document, announcer="")
        return
    announcer = id_of(document.get("actor"))
    inner = _announced(document.get("object"))
    if len(inner) > ANNOUNCED_MAX:
        yield Item(None, b"", "too_many_activities")
        return
    for one in inner:
        if isinstance(one, dict) and kind_of(one) not in _NAMED_ALONE:
            yield _item(one, announcer=announcer)
        else:
            share = {**document, "object": id_of(one)}
            yield _item(share, announcer="")


def activity_of(document: Document, *, announcer: str = "") -> Activity:
    """Return the activity that a document says, or refuse it."""
    kind, id, actor = kind_of(document), id_of(document.get("id")), id_of(document.get("actor"))
    if not actor:
        raise Refused("no_actor", "An activity names its actor.")
    if id and authority_of(id) != authority_of(actor):
        raise Refused("foreign_id", "An activity's id is on its actor's server.")
    common = {"id": id, "actor": actor, "announcer": announcer,
              "addressees": addressees_of(document)}
    read: _Read | None = _READ.get(kind)
    if read is None:
        raise Refused("unknown_activity", "Activities of this type are not read here.")
    return read({**document, "object": single(document.get("object"))}, common)


def kind_of(document: Document) -> str:
    """Return the type of a document; of several the first that is known here."""
    kinds = kinds_of(document)
    return next((kind for kind in kinds if kind in _KNOWN), kinds[0] if kinds else "")


def addressees_of(document: Document) -> tuple[str, ...]:
    """Return whom a document is for, the audience first, each once."""
    named = [*ids_of(document.get("audience")), *ids_of(document.get("to")),
             *ids_of(document.get("cc"))]
    return tuple(dict.fromkeys(named))[:ADDRESSEES_MAX]


def _item(document: dict[str, Any], *, announcer: str) -> Item:
    raw = msgspec.json.encode(document)
    try:
        return Item(activity_of(document, announcer=announcer), raw)
    except Refused as refusal:
        return Item(None, raw, refusal.code)


def _announced(value: Any) -> list[Any]:
    """Return what an Announce passes on: one thing, an array, or a collection (FEP-1a11)."""
    value = single(value)
    if isinstance(value, dict) and kind_of(value) in _COLLECTIONS:
        value = value.get("orderedItems", value.get("items"))
    return value if isinstance(value, list) else [value]


def _object(document: Document) -> str:
    found = id_of(document.get("object"))
    if not found:
        raise Refused("no_object", "This activity names its object.")
    return found


def _reason(document: Document) -> str:
    # Lemmy says it as `summary`, Mastodon as `content`, Mbin as both.
    said = said_in(document, "summary").strip() or said_in(document, "content")
    return said.strip()[:REASON_LENGTH_MAX]


def _follow(document: Document, common: dict[str, Any]) -> Follow:
    return Follow(**common, object=_object(document))


def _answer(document: Document, common: dict[str, Any]) -> Answer:
    follow = document.get("object")
    follower = id_of(follow.get("actor")) if isinstance(follow, dict) else ""
    if isinstance(follow, dict) and kind_of(follow) not in ("Follow", ""):
        raise Refused("unknown_activity", "Only a Follow is answered.")
    return Answer(**common, follow_id=_object(document) if not follower else id_of(follow),
                  follower=follower, accepted=kind_of(document) == "Accept")


def _writing(document: Document, common: dict[str, Any]) -> Activity:
    value, is_update = document.get("object"), kind_of(document) == "Update"
    if isinstance(value, dict) and kind_of(value) in ACTOR_TYPES:
        return Profile(**common, object=_object(document), document=value)
    if not isinstance(value, dict):
        return Sharing(**common, object=_object(document))
    thing = thing_of(value, heard=common["addressees"])
    return Writing(**common, thing=thing, is_update=is_update)


def _vote(document: Document, common: dict[str, Any]) -> Voting:
    value = -1 if kind_of(document) == "Dislike" else 1
    emoji = _emoji(document) if value > 0 else ""
    return Voting(**common, object=_object(document), value=value, emoji=emoji)


def _reacting(document: Document, common: dict[str, Any]) -> Reacting:
    emoji = _emoji(document)
    if not emoji:
        # FEP-c0e0, "EmojiReact activity": it has a content.
        raise Refused("no_emoji", "An EmojiReact says which emoji.")
    return Reacting(**common, object=_object(document), emoji=emoji)


def _emoji(document: Document) -> str:
    """Return what may be one emoji; whether it is one, the forum decides."""
    said = document.get("content")
    return said.strip()[:EMOJI_LENGTH_MAX + 1] if isinstance(said, str) else ""


def _deletion(document: Document, common: dict[str, Any]) -> Deletion:
    reason = document.get("summary")
    return Deletion(
        **common, object=_object(document), remove_data=document.get("removeData") is True,
        reason=_reason({"summary": reason}) if isinstance(reason, str) else None,
    )


def _locking(document: Document, common: dict[str, Any]) -> Locking:
    return Locking(**common, object=_object(document), reason=_reason(document))


def _seating(document: Document, common: dict[str, Any]) -> Seating:
    target = id_of(document.get("target"))
    kind = _KINDS.get(target.rstrip("/").rsplit("/", 1)[-1])
    if kind is None:
        raise Refused("unknown_collection", "Only moderators and featured posts are kept.")
    return Seating(**common, object=_object(document), target=target, kind=kind,
                   added=kind_of(document) == "Add")


def _blocking(document: Document, common: dict[str, Any]) -> Blocking:
    target = id_of(document.get("target"))
    if not target:
        raise Refused("no_target", "A Block names what somebody is banned from.")
    # Lemmy 0.19 says `endTime`, before that it said `expires`.
    ends = time_us(document.get("endTime")) or time_us(document.get("expires"))
    return Blocking(
        **common, object=_object(document), target=target, expires_us=ends,
        remove_data=document.get("removeData") is True, reason=_reason(document),
    )


def _flagging(document: Document, common: dict[str, Any]) -> Flagging:
    objects = ids_of(document.get("object"))
    if not objects:
        raise Refused("no_object", "A report names what it is about.")
    return Flagging(**common, objects=objects, reason=_reason(document))


def _resolving(document: Document, common: dict[str, Any]) -> Resolving:
    # Lemmy 1.0, resolve_report.rs: the object is the whole Flag, with an id of the moderator's
    # server whoever made it; what it is about and who reported name it.
    flag = document.get("object")
    if not isinstance(flag, dict) or kind_of(flag) != "Flag" or not id_of(flag.get("actor")):
        raise Refused("unknown_activity", "Only a whole Flag is resolved.")
    return Resolving(**common, object=_object(flag), reporter=id_of(flag.get("actor")))


def _moving(document: Document, common: dict[str, Any]) -> Moving:
    return Moving(**common, object=_object(document), target=id_of(document.get("target")))


def _offering(document: Document, common: dict[str, Any]) -> Offering:
    # ActivityStreams 2.0 §4: `origin` is where the object comes from.
    return Offering(**common, object=_object(document), origin=id_of(document.get("origin")))


def _sharing(document: Document, common: dict[str, Any]) -> Sharing:
    return Sharing(**common, object=_object(document))


def _undo(document: Document, common: dict[str, Any]) -> Activity:
    inner = document.get("object")
    if not isinstance(inner, dict) or not kind_of(inner):
        return Undoing(**common, object=_object(document))
    # Another moderator of the same server may lift a ban; Lemmy 0.19 asks for the same host.
    doer = id_of(inner.get("actor")) or common["actor"]
    if authority_of(doer) != authority_of(common["actor"]):
        raise Refused("foreign_undo", "Only who did something undoes it.")
    undone = activity_of({**inner, "actor": common["actor"], "id": ""}, announcer="")
    changes: dict[str, Any] = {**common, "addressees": (
        common["addressees"] or undone.addressees
    )}
    opposite = _OPPOSITES.get(type(undone))
    if opposite is None:
        raise Refused("unknown_undo", "This cannot be undone.")
    if isinstance(undone, Blocking) and isinstance(document.get("restoreData"), bool):
        # Lemmy 0.19.4: the Undo itself says whether what the ban took comes back.
        changes["remove_data"] = document["restoreData"]
    return msgspec.structs.replace(undone, **changes, **opposite)


_OPPOSITES: dict[type[Activity], dict[str, Any]] = {
    Follow: {"follow": False}, Voting: {"value": 0}, Deletion: {"deleted": False},
    Locking: {"locked": False}, Blocking: {"blocked": False}, Resolving: {"resolved": False},
    Reacting: {"on": False},
}
_READ: dict[str, _Read] = {
    "Follow": _follow, "Accept": _answer, "Reject": _answer, "Create": _writing,
    "Update": _writing, "Like": _vote, "Dislike": _vote, "Delete": _deletion, "Undo": _undo,
    "Lock": _locking, "Add": _seating, "Remove": _seating, "Block": _blocking, "Flag": _flagging,
    "Move": _moving, "Offer": _offering, "Announce": _sharing, "Resolve": _resolving,
    "EmojiReact": _reacting,
}
_KNOWN = _READ.keys() | THING_TYPES | ACTOR_TYPES | set(_COLLECTIONS)
KINDS = frozenset(_READ)  # each has a row in docs/federation.md
