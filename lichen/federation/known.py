"""What a batch must know before it decides, looked up together in one flush.

    activities ─► names of things, actors, Follows, subjects ─► ONE flush ─► Known

`Known` changes as the batch is decided, so that a later activity sees what an earlier one did.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from lichen.accounts import Accounts, Actor
from lichen.federation import ingest_rows
from lichen.federation.activities import (
    Activity,
    Answer,
    Blocking,
    Deletion,
    Flagging,
    Follow,
    Moving,
    Offering,
    Profile,
    Resolving,
    Seating,
    Sharing,
    Undoing,
    Voting,
    Writing,
)
from lichen.forum import Forum, Places
from lichen.messages import Messages
from lichen.store import Row, Unit


class Arrival(msgspec.Struct, frozen=True):
    """One activity that came in: from which peer, in which line of the log, and its JSON.

    `parked_id` is the row in which it waited, None for what comes fresh from the log; `tries`
    counts how often it was looked for.
    """

    seq: int
    peer: str
    activity: Activity
    raw: bytes
    tries: int = 0
    parked_id: int | None = None

    @property
    def key(self) -> str:
        """Return what it is remembered by, so that it is applied once."""
        id = self.activity.id or self.raw.decode()
        return ingest_rows.key_of(self.activity.voucher, id)


class Need(NamedTuple):
    """What must be there first: the id of an actor or of a thing."""

    ap_id: str
    kind: str


class Queued(NamedTuple):
    """What waits under a subject, since which row; 0 for since a moment ago in this batch."""

    need: Need
    since: int = 1 << 62


class MessagePlace(NamedTuple):
    """A private message and who wrote it."""

    id: int
    creator_id: int


class Known(msgspec.Struct):
    """Everything that the activities of a batch name, as far as it is here."""

    actors: dict[str, Actor]
    by_id: dict[int, Actor]
    places: Places
    messages: dict[str, MessagePlace]
    follows: dict[str, tuple[int, int]]
    moved: set[int]  # people who are somebody else now
    received: set[str]
    about: dict[str, str]
    waiting: dict[str, Queued]
    parked_count: int


def undone_key(activity: Undoing) -> str:
    """Return what the activity is remembered by that an Undo names."""
    return ingest_rows.key_of(activity.actor, activity.object)


class _Names(NamedTuple):
    things: set[str]
    actors: set[str]
    follows: set[str]
    subjects: set[str]


def subject_of(activity: Activity) -> str:
    """Return what an activity is kept in order by when it must wait.

    What was written is waited for by everybody; other acts keep the order of one person's acts on
    one thing, so that somebody unknown does not hold up everybody else's votes.
    """
    if isinstance(activity, Writing):
        return activity.object
    return f"{activity.actor} {getattr(activity, 'object', activity.id)}"


def subjects_of(activity: Activity) -> Iterable[str]:
    """Iterate over what an activity must wait behind."""
    yield subject_of(activity)
    if isinstance(activity, Writing):
        yield activity.thing.replies_to
        yield f"{activity.actor} {activity.object}"
    elif isinstance(activity, Flagging):
        yield from activity.objects
    else:
        yield getattr(activity, "object", "")


def look_up(
    unit: Unit, arrivals: Sequence[Arrival], *, accounts: Accounts, forum: Forum,
    messages: Messages,
) -> Known:
    """Return what a batch names; one round trip."""
    names = _names_of(arrivals)
    keys = [one.key for one in arrivals]
    keys += [ingest_rows.gone_key(one.activity.object) for one in arrivals
             if isinstance(one.activity, Writing)]
    keys += [undone_key(one.activity) for one in arrivals if isinstance(one.activity, Undoing)]
    places_queries = forum.places_queries(unit, names.things, names.actors)
    actors, moved, sent, follows, received, waiting, counted, *places = unit.fetch_all(
        accounts.actors_by_ap_id_query(unit, names.actors),
        accounts.moved_query(names.actors),
        messages.places_query(names.things),
        (ingest_rows.FOLLOWS, {"ap_ids": list(names.follows)}),
        (ingest_rows.KNOWN, {"keys": keys}),
        (ingest_rows.SUBJECTS, {"subjects": list(names.subjects)}),
        (ingest_rows.COUNT_PARKED, {}),
        *places_queries,
    )
    named = accounts.actors_from(actors)
    found, around = forum.places_from(places)
    return Known(
        actors={actor.ap_id: actor for actor in named.values()}, by_id={**around, **named},
        places=found,
        messages={row.ap_id: MessagePlace(row.id, row.creator_id) for row in sent},
        follows={row.ap_id: (row.person_id, row.community_id) for row in follows},
        moved={row.person_id for row in moved},
        received={row.key for row in received},
        about={row.key: row.about for row in received if row.about},
        waiting=_queued(waiting, released={one.parked_id for one in arrivals}),
        parked_count=int(counted[0].count),
    )


def _queued(rows: Iterable[Row], *, released: set[int | None]) -> dict[str, Queued]:
    """Return what waits by subject, the first first, but for what is being released."""
    found: dict[str, Queued] = {}
    for row in rows:
        if row.id not in released and row.id < found.get(row.subject, _NOBODY).since:
            found[row.subject] = Queued(Need(row.needs, row.kind), row.id)
    return found


_NOBODY = Queued(Need("", ""))


def _names_of(arrivals: Sequence[Arrival]) -> _Names:
    names = _Names(set(), set(), set(), set())
    for one in arrivals:
        activity = one.activity
        names.actors.update((activity.actor, activity.announcer))
        names.subjects.update(subjects_of(activity))
        _add_names(names, activity)
    for group in names:
        group.discard("")
    return names


def _add_names(names: _Names, activity: Activity) -> None:
    match activity:
        case Writing(thing=thing):
            names.things.update((thing.ap_id, thing.replies_to))
            names.actors.update(thing.addressees)
        case Voting(object=id):
            names.things.add(id)
        case Answer(follow_id=id, follower=follower):
            names.follows.add(id)
            names.actors.add(follower)
        case Undoing(object=id):
            names.follows.add(id)
        case Follow(object=id) | Profile(object=id) | Moving(object=id):
            names.actors.add(id)
        case Offering(object=id, origin=origin):
            names.actors.update((id, origin))
        case Blocking(object=id, target=target):
            names.actors.update((id, target, *activity.addressees))
        case Seating(object=id):
            names.things.add(id)
            names.actors.update((id, *activity.addressees, *_owners(activity.target)))
        case Resolving(object=id, reporter=reporter):
            names.things.add(id)
            names.actors.add(reporter)
        case Flagging(objects=ids):
            names.things.update(ids)
            names.actors.update(ids)
        case Deletion(object=id) | Sharing(object=id):
            names.things.add(id)
            names.actors.add(id)
        case _:
            names.things.add(getattr(activity, "object", ""))


def _owners(target: str) -> tuple[str, ...]:
    """Return whose collection an address may be: what stands before its last segment."""
    return (target.rstrip("/").rpartition("/")[0],)
