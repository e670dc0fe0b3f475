"""Where every peer stands, both ways: one value a peer, and what an administrator does about it.

    peers (memory) ──┐
    sending (memory) ┼─► Standing ─► the page /federation, the API
    inbox (memory) ──┤
    parked (rows) ───┘

It gathers and decides nothing; how a peer is called (`condition_of`) is a pure function. What a
page shows costs one round trip.
"""

from typing import Literal, NamedTuple

import msgspec

from lichen.accounts import Viewer, check_admin
from lichen.federation import ingest_rows
from lichen.federation.courses import Courses, Hour
from lichen.federation.incoming import Incoming
from lichen.federation.limits import AGO_US_MAX, COUNTED_ALONE_MAX, COUNTED_IN_LIST_MAX
from lichen.federation.model import Accepts, Peer
from lichen.federation.outgoing_room import OutgoingRoom
from lichen.federation.peers import Peers
from lichen.federation.sending import LineState
from lichen.kit import Clock, NotFound, Refused
from lichen.store import Store, Unit

Condition = Literal["well", "behind", "pausing", "blocked"]
_QUIET = LineState("", behind=0, waiting=0, under_way=0, window=0, taken=0, refused=0,
                   coalesced=0, failures=0, retry_at_us=0, error="")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where one peer stands.

    `missing` are the activities for it that it has not, counted up to a limit (`more_missing`);
    `missing_since_us` is when the first of them was composed. `waiting` are those of its own that
    were accepted here and are not applied, `parked` those that wait for something else. Times are
    µs, 0 for never.
    """

    peer: Peer
    condition: Condition
    missing: int
    more_missing: bool
    missing_since_us: int
    line: LineState
    waiting: int
    parked: int


class Overview(NamedTuple):
    """The whole of it: servers, those that are behind, and our own lag in what came in."""

    servers: int
    behind: int
    inbox_waiting: int
    inbox_since_us: int


class Parked(NamedTuple):
    """What activities of a peer wait for: how many, how often it was looked for, when again."""

    needs: str
    activities: int
    tries: int
    retry_us: int


class Standings:
    """Gathers where the peers stand."""

    def __init__(
        self, store: Store, peers: Peers, *, incoming: Incoming, outgoing: OutgoingRoom,
        clock: Clock, courses: Courses,
    ) -> None:
        self._store = store
        self._peers = peers
        self._incoming = incoming
        self._outgoing = outgoing
        self._clock = clock
        self._courses = courses

    def overview(self) -> Overview:
        """Return the whole of it, from memory."""
        inbox, position = self._incoming.log, self._incoming.ingest.position()
        lag = inbox.last_seq - position
        since_us = 0
        if lag:
            batch = inbox.read(position + 1, limit=1)
            since_us = int(batch.times_us[0]) if len(batch) else 0
        lines = self._lines()
        behind = sum(1 for one in self._peers.all() if _is_behind(lines.get(one.authority)))
        return Overview(len(self._peers.all()), behind, lag, since_us)

    async def page(self, number: int, *, limit: int) -> tuple[list[Standing], int]:
        """Return a page of the peers and how many there are; who is behind comes first.

        One round trip.
        """
        lines = self._lines()
        everybody = sorted(
            self._peers.all(),
            key=lambda one: (not _is_behind(lines.get(one.authority)), one.authority),
        )
        shown = everybody[(number - 1) * limit : number * limit]
        parked = await self._parked([one.authority for one in shown])
        return [
            self._standing(one, lines.get(one.authority, _QUIET), parked.get(one.authority, 0),
                           counted_max=COUNTED_IN_LIST_MAX)
            for one in shown
        ], len(everybody)

    async def of(self, authority: str) -> Standing:
        """Return where one peer stands; raises NotFound. One round trip."""
        peer = self._known(authority)
        parked = await self._parked([authority])
        return self._standing(peer, self._lines().get(authority, _QUIET),
                              parked.get(authority, 0), counted_max=COUNTED_ALONE_MAX)

    def hour(self) -> Hour:
        """Return how it goes and went with all peers together; from memory."""
        return self._courses.hour()

    def hour_of(self, authority: str) -> Hour:
        """Return how it goes and went with one peer; raises NotFound. From memory."""
        return self._courses.hour_of(self._known(authority).authority)

    def parked_of(self, unit: Unit, authority: str, *, page: int, limit: int) -> list[Parked]:
        """Return what the activities of a peer wait for, the most wanted first; one round trip."""
        rows = unit.fetch(ingest_rows.PARKED_OF, of_peer=authority, limit=limit,
                          offset=(page - 1) * limit)
        return [Parked(row.needs, row.count, row.tries, row.retry_us) for row in rows]

    def try_now(self, viewer: Viewer, authority: str) -> None:
        """End a peer's pause as an administrator."""
        check_admin(viewer)
        self._outgoing.sending.resume(self._known(authority).authority)

    def resend_since(self, viewer: Viewer, authority: str, since_us: int) -> int:
        """Send a peer again what was composed since a time; return how many activities at most.

        As an administrator. Harmless to the peer: it knows what it has by the ids. Raises Refused
        where the time lies in the future or before what the log holds.
        """
        check_admin(viewer)
        peer = self._known(authority)
        log, now_us = self._outgoing.log, self._clock()
        if not now_us - AGO_US_MAX <= since_us <= now_us:
            raise Refused("invalid_time", "Name a time in the past, at most a year ago.")
        seq = max(log.seq_at(since_us), log.first_seq, 1)
        self._outgoing.sending.rewind(peer.authority, seq - 1)
        return max(0, log.last_seq - seq + 1)

    async def set_accepts(self, viewer: Viewer, authority: str, accepts: Accepts) -> None:
        """Decide as an administrator what is taken from a peer."""
        await self._peers.set_accepts(viewer, authority, accepts)

    def _known(self, authority: str) -> Peer:
        peer = self._peers.known(authority)
        if peer is None:
            raise NotFound("couldnt_find_instance", "No such server is known here.")
        return peer

    def _lines(self) -> dict[str, LineState]:
        return {one.authority: one for one in self._outgoing.sending.states()}

    def _standing(
        self, peer: Peer, line: LineState, parked: int, *, counted_max: int
    ) -> Standing:
        missing = self._outgoing.sending.missing(peer.authority, limit=counted_max)
        since_us = 0
        if missing.first_seq:
            batch = self._outgoing.log.read(missing.first_seq, limit=1)
            since_us = int(batch.times_us[0]) if len(batch) else 0
        return Standing(
            peer=peer, line=line, missing=missing.activities, more_missing=missing.is_more,
            missing_since_us=since_us, parked=parked,
            waiting=self._incoming.inbox.waiting.get(peer.authority, 0),
            condition=condition_of(
                is_allowed=self._peers.is_allowed(peer.authority), missing=missing.activities,
                failures=line.failures or peer.fail_count,
            ),
        )

    async def _parked(self, authorities: list[str]) -> dict[str, int]:
        rows = await self._store.read(lambda unit: unit.fetch(
            ingest_rows.PARKED_BY_PEER, authorities=authorities))
        return {row.peer: row.count for row in rows}


def condition_of(*, is_allowed: bool, missing: int, failures: int) -> Condition:
    """Return how a peer is, in one word; pure."""
    if not is_allowed:
        return "blocked"
    if failures:
        return "pausing"
    return "behind" if missing else "well"


def _is_behind(line: LineState | None) -> bool:
    return line is not None and (line.waiting > 0 or line.under_way > 0 or line.failures > 0)
