"""Follows one activity through every step, from what the logs, the rows and memory still say.

    an id ─┬─ of ours: its TID ─► `outgoing` ─────────────────────────────┐
           ├─ of a post or comment here: its TID ─► a time ─► `inbox`      ├─► Trail
           └─ of elsewhere ─► `inbox`, back from its end, so far and no further
                                └─► tracks (memory), `received` and `parked` (one round trip)

Nothing is written for it. Looks through the logs run beside the loop, one at a time. What is not
public is followed by administrators alone; for everybody else it is not there.
"""

import asyncio
from functools import partial
from typing import NamedTuple

import msgspec

from lichen.accounts import Viewer
from lichen.federation import ingest_rows
from lichen.federation.activities import Activity, kind_of
from lichen.federation.authorities import is_for_everybody
from lichen.federation.incoming import Incoming
from lichen.federation.ingest_rows import key_of
from lichen.federation.known import subject_of
from lichen.federation.limits import (
    DELIVERIES_SHOWN_MAX,
    FOLLOWED_BY_ANYBODY_MAX,
    FOLLOWED_RECORDS_MAX,
    MINUTE_US,
    PASSAGES_SHOWN_MAX,
    URL_LENGTH_MAX,
)
from lichen.federation.model import authority_of
from lichen.federation.outgoing import Entry, Shelf
from lichen.federation.outgoing_room import OutgoingRoom
from lichen.federation.peers import Peers
from lichen.federation.tracing import Came, find_came, find_passed_on
from lichen.federation.trail import (
    Arriving,
    Parked,
    Passage,
    Step,
    Trail,
    came_steps,
    delivery_of,
    parked_step,
    passage_of,
    result_steps,
    timed,
    waiting_step,
    without_errors,
    worked_off_step,
)
from lichen.federation.values import id_of
from lichen.forum import CommentId, Forum, PostId
from lichen.kit import NotFound, Refused
from lichen.kit.ids import is_tid, time_us_of_tid
from lichen.store import Store, Unit
from lichen.web import Addresses

_AHEAD_US = 1_000_000  # a record of `outgoing` is not older than the batch that it tells of, but
# for the moment between two looks at the clock


class _Thing(NamedTuple):
    """A post or comment that is here: its id everywhere, its TID, whether all may see it."""

    ap_id: str
    tid: str
    is_open: bool


class _Record(NamedTuple):
    """An activity in `outgoing`, when it was composed, and what is inside its Announce."""

    entry: Entry
    at_us: int
    kind: str
    inner_id: str


class _Rows(NamedTuple):
    """What the rows say of an activity that came: when it was worked off, whether it waits."""

    worked_off_us: int
    parked: Parked | None


class Trails:
    """Finds activities and says how they fared."""

    def __init__(
        self, store: Store, forum: Forum, peers: Peers, *, incoming: Incoming,
        outgoing: OutgoingRoom, addresses: Addresses,
    ) -> None:
        self._store = store
        self._forum = forum
        self._peers = peers
        self._incoming = incoming
        self._outgoing = outgoing
        self._addresses = addresses
        self._shelf = Shelf(outgoing.log)  # of its own: looked through beside the loop
        self._turn = asyncio.Lock()

    async def of(self, viewer: Viewer | None, asked: str) -> Trail:
        """Return the trail of an activity by its id, or of a post or comment by its address.

        Raises NotFound also for what the viewer may not see. Two round trips.
        """
        wanted, is_admin = asked.strip(), viewer is not None and viewer.admin
        if not authority_of(wanted) or len(wanted) > URL_LENGTH_MAX:
            raise Refused("invalid_id", "An activity's id is an address, with https:// before it.")
        records_max = FOLLOWED_RECORDS_MAX if is_admin else FOLLOWED_BY_ANYBODY_MAX
        async with self._turn:
            thing = await self._thing(wanted)
            if thing is not None and not (thing.is_open or is_admin):
                raise _not_found(None, records_max)
            records = await self._records(wanted, thing)
            came = await self._came(wanted, thing, records, records_max)
            if not (is_admin or _is_open(records, came)):
                raise _not_found(None, records_max)
            trail = await self._trail(wanted, records, came)
        if trail is None:
            raise _not_found(thing, records_max)
        return trail if is_admin else without_errors(trail)

    async def _thing(self, wanted: str) -> _Thing | None:
        """Return the post or comment that an id or one of our addresses names; 1 to 3 trips."""
        words = wanted.removeprefix(self._addresses.public_url).split("/")
        is_ours = wanted.startswith(self._addresses.public_url) and len(words) == 3
        number = int(words[2]) if is_ours and words[2].isdigit() and len(words[2]) < 19 else 0

        def read(unit: Unit) -> _Thing | None:
            post: PostId | None = PostId(number) if number and words[1] == "post" else None
            comment: CommentId | None = None
            if number and words[1] == "comment":
                comment = CommentId(number)
            if not number:
                post = self._forum.post_id_by_ap_id(unit, wanted)
                comment = None if post else self._forum.comment_id_by_ap_id(unit, wanted)
            scene = self._forum.scene_of(
                unit, None, posts=[post] if post else [], comments=[comment] if comment else [])
            for view in scene.posts.values():
                is_open = not (view.post.held or view.community.local_only)
                return _Thing(view.post.ap_id, view.post.tid, is_open)
            for said in scene.comments.values():
                is_hidden = said.comment.held or said.post.held or said.community.local_only
                return _Thing(said.comment.ap_id, said.comment.tid, not is_hidden)
            return None

        return await self._store.read(read)

    async def _records(self, wanted: str, thing: _Thing | None) -> list[_Record]:
        """Return the activities of ours that an id names, or that told of a thing."""
        if authority_of(thing.ap_id if thing else wanted) != self._addresses.authority:
            return []
        if thing is not None:
            look = partial(self._shelf.find_beginning, thing.tid, thing.ap_id)
        else:
            look = partial(
                self._shelf.find_entries, wanted.rpartition("/")[2].partition("-")[0])
        entries = await asyncio.to_thread(look)
        found = [_record(one, self._time_of(one.seq)) for one in entries]
        if thing is not None:
            return found[:PASSAGES_SHOWN_MAX]
        named = [one for one in found if wanted in (one.entry.record.id, one.inner_id)]
        return named[:PASSAGES_SHOWN_MAX]

    async def _came(
        self, wanted: str, thing: _Thing | None, records: list[_Record], records_max: int
    ) -> Came | None:
        """Return the line that brought an activity from elsewhere, as far back as is looked."""
        id = thing.ap_id if thing else wanted
        if records:  # what we pass on has a foreign activity inside of it
            id = records[0].inner_id
        if not id or authority_of(id) == self._addresses.authority:
            return None
        inbox = self._incoming.log
        until_seq = inbox.last_seq
        if thing is not None and is_tid(thing.tid):
            # It came before it was applied, and its TID was given then.
            until_seq = inbox.seq_at(time_us_of_tid(thing.tid))
        elif records:
            until_seq = inbox.seq_at(records[0].at_us)
        return await asyncio.to_thread(partial(
            find_came, inbox, id, until_seq=until_seq, records_max=records_max,
            is_thing=thing is not None,
        ))

    async def _trail(
        self, wanted: str, records: list[_Record], came: Came | None
    ) -> Trail | None:
        if came is not None:
            return await self._of_came(wanted, came, records)
        if records:
            return self._of_ours(wanted, records)
        return None

    def _of_ours(self, wanted: str, records: list[_Record]) -> Trail:
        """Return the trail of what happened here."""
        first = records[0]
        record = first.entry.record
        steps = [Step(kind="written", at_us=time_us_of_tid(record.key), words=(
            f"It happened here; number {record.source:,} of the house's log."))]
        steps += [self._composed(one) for one in records]
        return Trail(
            id=wanted, kind=first.kind, server="", steps=timed(steps),
            passages=[self._passage(one) for one in records],
            remembered_since_us=self._outgoing.sending.tries.since_us,
        )

    async def _of_came(self, wanted: str, came: Came, records: list[_Record]) -> Trail:
        """Return the trail of what came from elsewhere."""
        item = came.items[0] if came.items else None
        activity = item.activity if item else None
        line, seq = came.line, came.entry.seq
        steps = came_steps(Arriving(
            server=line.peer, seq=seq, received_us=line.received_us, kept_us=came.entry.time_us,
            form=line.form, took_us=line.took_us, size_bytes=len(line.activity),
        ))
        position = self._incoming.ingest.position()
        notes = []
        if seq > position:
            steps.append(waiting_step(seq - position - 1))
        else:
            steps += await self._worked_off(came, activity)
        if len(came.items) > 1:
            notes.append(f"It carries {len(came.items):,} activities; this is the first of them. "
                         "Each can be followed by its own id.")
        if not records and activity is not None and not activity.announcer:
            records = await self._passed_on(activity.id, line.peer, steps)
        steps += [self._composed(one) for one in records]
        return Trail(
            id=wanted, kind=_kind_of(came), server=line.peer, steps=timed(steps), notes=notes,
            passages=[self._passage(one) for one in records],
            remembered_since_us=self._incoming.ingest.tracks.since_us,
        )

    async def _worked_off(self, came: Came, activity: Activity | None) -> list[Step]:
        """Return what became of a line that the reader has passed; one round trip."""
        tracks, seq = self._incoming.ingest.tracks, came.entry.seq
        id = activity.id if activity else _id_of(came)
        outcomes, batch = tracks.outcomes_of(seq, id), tracks.batch_of(seq)
        rows = await self._rows(activity, seq)
        if outcomes and outcomes[0].batch.activities == 0:
            batch = None  # it was dropped before any batch
        steps = result_steps(batch, outcomes)
        if not steps:
            steps = [worked_off_step(rows.worked_off_us)]
        if rows.parked is not None:
            steps.append(parked_step(rows.parked, words=self._again(rows.parked.retry_us)))
        return steps

    async def _rows(self, activity: Activity | None, seq: int) -> _Rows:
        if activity is None:
            return _Rows(0, None)

        def read(unit: Unit) -> _Rows:
            worked_off, waits = unit.fetch_all(
                (ingest_rows.WORKED_OFF, {"received_key": key_of(activity.voucher, activity.id)}),
                (ingest_rows.PARKED_LINE, {"of_subject": subject_of(activity), "of_seq": seq}),
            )
            parked = Parked(waits[0].needs, int(waits[0].tries), int(waits[0].retry_us)) \
                if waits else None
            return _Rows(int(worked_off[0].at_us) if worked_off else 0, parked)

        return await self._store.read(read)

    async def _passed_on(self, id: str, peer: str, steps: list[Step]) -> list[_Record]:
        """Return the Announce that passed an activity on, where one of our communities did."""
        applied_us = next(
            (one.at_us for one in steps if one.kind in ("applied", "worked_off") and one.at_us), 0)
        if not id or not applied_us:
            return []
        found = await asyncio.to_thread(partial(
            find_passed_on, self._outgoing.log, id, from_us=applied_us - _AHEAD_US, but=peer))
        return [_record(*found)] if found else []

    def _composed(self, one: _Record) -> Step:
        run = self._outgoing.composing.tracks.of(one.entry.seq)
        return Step(
            kind="composed", at_us=one.at_us,
            words=f"{one.kind} was composed, once for everybody: number {one.entry.seq:,} of what "
                  f"goes out, {len(one.entry.record.activity):,} bytes.",
            round_trips=run.round_trips if run else 0,
            shared_by=max(1, run.events) if run else 1,
        )

    def _passage(self, one: _Record) -> Passage:
        """Return how far an activity got: where it stands for each server that it is for."""
        sending, seq = self._outgoing.sending, one.entry.seq
        tries = sending.tries.of(seq)
        lines = {state.authority: state for state in sending.states()}
        servers = sending.audience_of(one.entry.record) | tries.keys()
        return passage_of(
            id=one.entry.record.id, kind=one.kind, seq=seq, at_us=one.at_us,
            shown_max=DELIVERIES_SHOWN_MAX, deliveries=[
                delivery_of(
                    server, tries.get(server, ()), state=sending.state_of(server, seq),
                    is_allowed=self._peers.is_allowed(server),
                    retry_at_us=lines[server].retry_at_us if server in lines else 0,
                ) for server in servers
            ],
        )

    def _time_of(self, seq: int) -> int:
        batch = self._outgoing.log.read(seq, limit=1)
        return int(batch.times_us[0]) if len(batch) else 0

    def _again(self, retry_us: int) -> str:
        left_us = retry_us - self._store.clock()
        if left_us <= 0:
            return "it is looked for now"
        return f"looked for again in {max(1, round(left_us / MINUTE_US))} min"


class _Inner(msgspec.Struct):
    """As much of an activity as says what it is."""

    type: object = ""
    id: object = ""
    inner: object = msgspec.field(name="object", default="")


_INNER = msgspec.json.Decoder(_Inner)


def _record(entry: Entry, at_us: int) -> _Record:
    whole = _INNER.decode(entry.record.activity)
    inner = whole.inner if isinstance(whole.inner, dict) else {}
    kind = kind_of({"type": whole.type})
    is_wrapped = kind == "Announce" and "actor" in inner
    said = f"{kind} of {kind_of(inner)}" if is_wrapped else kind
    return _Record(entry, at_us, said, id_of(inner) if is_wrapped else "")


def _kind_of(came: Came) -> str:
    if not came.items:
        return ""
    item = came.items[0]
    kind = kind_of(_raw(item.raw)) if item.raw else ""
    passed_on = item.activity is not None and item.activity.announcer
    return f"{kind}, passed on by its community" if passed_on else kind


def _id_of(came: Came) -> str:
    return id_of(_raw(came.items[0].raw).get("id")) if came.items and came.items[0].raw else ""


def _raw(raw: bytes) -> dict[str, object]:
    document: dict[str, object] = msgspec.json.decode(raw, type=dict[str, object])
    return document


def _is_open(records: list[_Record], came: Came | None) -> bool:
    """Say whether everybody may see what was found."""
    if not all(one.entry.record.public for one in records):
        return False
    return came is None or (bool(came.items) and all(
        one.activity is not None and is_for_everybody(one.activity) for one in came.items))


def _not_found(thing: _Thing | None, records_max: int) -> NotFound:
    if thing is not None:
        return NotFound("couldnt_find_activity", (
            "It is here, but no activity that brought it or told of it is kept: it was fetched, or "
            "it is older than the logs."))
    return NotFound("couldnt_find_activity", (
        f"No such activity is known here. The last {records_max:,} that came in were looked "
        "through; ours are kept for as long as the logs are."))
