"""Catching up with another server: what it has and we missed is asked for, where somebody says so.

    ask ─► every community of that server that is followed here ─► comparing: outbox, contexts
     ▲                                                                  │
     └── a row each, so that the command line can ask, and a stop is seen afterwards

One run at a time for each server, two for all. How it goes is in memory and told by `state`. What a
stop of the house cut short says so at the next start, and is begun again by asking again: what came
is here by then, and costs little.
"""

import asyncio
from collections import OrderedDict
from functools import partial
from typing import Literal

import msgspec
import structlog

from lichen.accounts import Viewer, check_admin
from lichen.federation import catch_up_rows as rows
from lichen.federation.comparing import Comparing, Cut, Errand, Finder, Take
from lichen.federation.fetching import Documents
from lichen.federation.limits import (
    CATCH_UP_COMMUNITIES_MAX,
    CATCH_UP_ENDED_KEPT_MAX,
    CATCH_UP_LOOK_S,
    CATCH_UP_S_MAX,
    CATCH_UPS_AT_ONCE_MAX,
)
from lichen.federation.looking import keep_looking
from lichen.federation.peers import Peers
from lichen.federation.remembering import Flights
from lichen.forum import Forum
from lichen.kit import NotFound, Refused, Unavailable
from lichen.store import Store, Unit

CatchUpState = Literal["waiting", "running", "done", "cut", "failed"]

_BROKEN = "An error of ours ended it; the log of this house says which."
_TOO_LONG = f"It took longer than {CATCH_UP_S_MAX / 60:.0f} minutes; ask again to go on."
_STOPPED = "The house was stopped meanwhile; ask again to go on."

_log = structlog.get_logger("lichen.federation")


class CatchUp(msgspec.Struct, frozen=True, kw_only=True):
    """How catching up with a server goes, or went: what it looked through, and brought.

    `words` say why it was cut or failed. Times are µs, 0 for not yet.
    """

    authority: str
    state: CatchUpState
    asked_us: int
    ended_us: int = 0
    communities: int = 0
    communities_done: int = 0
    posts: int = 0
    comments: int = 0
    changed: int = 0
    deleted: int = 0
    words: str = ""

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return self.state in ("waiting", "running")


class CatchingUp:
    """Asks other servers for what we missed of theirs; owns the tasks that do."""

    def __init__(
        self, store: Store, forum: Forum, finder: Finder, *, peers: Peers, documents: Documents
    ) -> None:
        self._store = store
        self._forum = forum
        self._peers = peers
        self._documents = documents
        self._comparing = Comparing(store, forum, finder)
        self._runs: OrderedDict[str, CatchUp] = OrderedDict()
        self._flights: Flights[None] = Flights()
        self._turns = asyncio.Semaphore(CATCH_UPS_AT_ONCE_MAX)
        self._wake = asyncio.Event()
        self._is_new = True  # nothing of what stands in the rows was begun by this process

    def ask(self, viewer: Viewer, authority: str) -> CatchUp:
        """Begin as an administrator to catch up with a server, or join who did; answers at once.

        Raises NotFound for a server that is not known, Refused for one that we do not talk to.
        """
        check_admin(viewer)
        if self._peers.known(authority) is None:
            raise NotFound("couldnt_find_instance", "No such server is known here.")
        return self._begin(authority, self._store.clock())

    def apply_through(self, take: Take) -> None:
        """Say who applies an activity as if its peer had sent it; before that none is."""
        self._comparing.take = take

    def state(self, authority: str) -> CatchUp | None:
        """Return how catching up with a server goes, None where nobody asked since the start."""
        return self._runs.get(authority)

    async def run(self) -> None:
        """Look for ever for what is asked on the command line."""
        await keep_looking(self.look, self._wake, every_s=CATCH_UP_LOOK_S, what="catching up")

    async def look(self) -> bool:
        """Begin what was asked in rows; the first time also say what a stop cut short."""
        found = await self._store.read(lambda unit: unit.fetch(rows.ASKED), apart=True)
        cut = [row for row in found if row.begun] if self._is_new else []
        self._is_new = False
        for row in cut:
            self._keep(CatchUp(authority=row.authority, state="cut", asked_us=row.asked_us,
                               ended_us=self._store.clock(), words=_STOPPED))
        await self._forget([row.authority for row in cut])
        for row in found:
            if not row.begun:
                await self._begin_asked(row.authority, row.asked_us)
        return False

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        await self._flights.settled()

    async def close(self) -> None:
        """End what is under way; it says so at the next start."""
        await self._flights.close()

    def _begin(self, authority: str, asked_us: int) -> CatchUp:
        if not self._peers.is_allowed(authority):
            raise Refused("domain_blocked", "This site does not talk to that server.")
        now = self._runs.get(authority)
        if now is None or not now.is_under_way:
            now = self._keep(CatchUp(authority=authority, state="waiting", asked_us=asked_us))
            self._flights.start(authority, partial(self._catch_up, authority))
        return now

    async def _begin_asked(self, authority: str, asked_us: int) -> None:
        """Begin what was asked in a row, or say why not."""
        try:
            self._begin(authority, asked_us)
        except Refused as refused:
            self._keep(CatchUp(authority=authority, state="failed", asked_us=asked_us,
                               ended_us=self._store.clock(), words=refused.text))
            await self._forget([authority])

    async def _catch_up(self, authority: str) -> None:
        async with self._turns:
            asked_us = self._runs[authority].asked_us
            errand = Errand(self._documents)
            try:
                await self._store.write(
                    partial(_note, authority=authority, asked_us=asked_us), apart=True)
                self._as_now(authority, errand, state="running")
                words = await self._look_through(authority, errand)
                self._end(authority, errand, "done", words)
            except Cut as cut:
                self._end(authority, errand, "cut", cut.text)
            except TimeoutError:
                self._end(authority, errand, "cut", _TOO_LONG)
            except (Refused, Unavailable) as error:
                self._end(authority, errand, "failed", error.text)
            except Exception as error:  # the outermost of this task: whoever asked must be told
                # Its text may quote what somebody wrote.
                _log.error("catching_up_broke", peer=authority, error=type(error).__name__)
                self._end(authority, errand, "failed", _BROKEN)
            await self._forget([authority])

    async def _look_through(self, authority: str, errand: Errand) -> str:
        """Look through every community; return what to say of it.

        One that is refused stops none of the others.
        """
        communities = await self._store.read(lambda unit: self._forum.followed_communities_of(
            unit, authority, limit=CATCH_UP_COMMUNITIES_MAX), apart=True)
        self._as_now(authority, errand, communities=len(communities))
        words = "" if communities else "Nobody here follows a community of that server."
        moved = partial(self._as_now, authority, errand)
        async with asyncio.timeout(CATCH_UP_S_MAX):
            for done, community in enumerate(communities, 1):
                try:
                    await self._comparing.compare(community, errand, moved=moved)
                except Refused as refused:
                    words = f"{community.name}: {refused.text}"
                moved(communities_done=done)
        return words

    def _end(self, authority: str, errand: Errand, state: CatchUpState, words: str) -> None:
        ended = self._as_now(
            authority, errand, state=state, words=words, ended_us=self._store.clock()
        )
        _log.info("caught_up", peer=authority, state=state, posts=ended.posts,
                  comments=ended.comments, changed=ended.changed, deleted=ended.deleted)

    def _as_now(self, authority: str, errand: Errand, **changes: object) -> CatchUp:
        """Keep and return a run with what it has brought so far."""
        return self._keep(msgspec.structs.replace(
            self._runs[authority], posts=errand.posts, comments=errand.comments,
            changed=errand.changed, deleted=errand.deleted, **changes,
        ))

    def _keep(self, one: CatchUp) -> CatchUp:
        self._runs[one.authority] = one
        self._runs.move_to_end(one.authority)
        if len(self._runs) > CATCH_UP_ENDED_KEPT_MAX:
            ended = next((name for name, run in self._runs.items() if not run.is_under_way), "")
            self._runs.pop(ended, None)
        return one

    async def _forget(self, authorities: list[str]) -> None:
        if authorities:
            await self._store.write(
                lambda unit: unit.stage(rows.FORGET, {"authorities": authorities}), apart=True
            )


def ask_in_rows(unit: Unit, authority: str) -> None:
    """Ask for catching up from outside of the house that serves; it looks within seconds.

    Raises NotFound for a server that is not known; one round trip.
    """
    if not unit.fetch(rows.PEER, authority=authority):
        raise NotFound("couldnt_find_instance", f"No server is known here as {authority[:200]}.")
    unit.stage(rows.ASK, {"authority": authority, "asked_us": unit.clock_us, "begun": False})


def _note(unit: Unit, *, authority: str, asked_us: int) -> None:
    unit.stage(rows.ASK, {"authority": authority, "asked_us": asked_us, "begun": True})
