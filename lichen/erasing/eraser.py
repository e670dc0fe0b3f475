"""The eraser: the job that carries out what is asked for, however often it is cut off.

    request ──► rows emptied, a batch a unit, in steps ──► the readers hear of the deletions
                                                                │
    done ◄── files: index merged, rows written anew ◄── log: swept of what is gone ◄┘

All requests that wait go through log and files together, because each of these costs the writing of
whole files. Once a day the log is swept without a request too: that finds what was purged. Such a
sweep rests after each batch, and ends there when somebody has asked meanwhile: the sweep of their
request reads the whole log too, so it finds what this one would have found.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog

from lichen.accounts import Accounts
from lichen.automod import Automod
from lichen.erasing import sweep
from lichen.erasing.erasures import Erasures
from lichen.erasing.limits import (
    BATCH_MAX,
    LOOK_S,
    REST_S,
    RETRY_S,
    SEQS_MAX,
    SETTLE_MS_MAX,
    SWEEP_INTERVAL_US,
    SWEEP_RECORDS_MAX,
)
from lichen.erasing.model import Kind, Request, Step
from lichen.erasing.sweep import Thing
from lichen.forum import Forum, SubjectKind
from lichen.kit import Unavailable
from lichen.log import Log, LogDamaged, LogTrimmed
from lichen.messages import Messages
from lichen.moderation import Moderation, ReportKind
from lichen.search import Search
from lichen.store import Store, Unit, set_stamp, stamp_of

SWEPT = "erasing.swept_us"  # the stamp of the last sweep's time
POINTS = "*-before-*"  # what an upgrade leaves as its way back; see upgrade.py

_log = structlog.get_logger("lichen.erasing")


class Keeper(Protocol):
    """Whoever else keeps something of people: pictures, texts of reports, finished exports."""

    async def erase_person(self, person_id: int) -> None:
        """Remove everything of a person for good; asked twice, nothing is left to do."""


class Copy(Protocol):
    """Whoever keeps copies of the log's records under their sequences: the public stream."""

    async def erase(self, seqs: Sequence[int]) -> None:
        """Remove these records for good, those that are yet to be copied too; twice is once."""


class Letters(Protocol):
    """What was sent to other servers, and came from them."""

    async def erase(self, requests: Sequence[Request]) -> None:
        """Remove what quotes the things and people that are erased; twice is once."""


class Emptied(NamedTuple):
    """The rooms that are emptied; `copies` keep records of the log."""

    accounts: Accounts
    forum: Forum
    messages: Messages
    search: Search
    moderation: Moderation
    automod: Automod
    letters: Letters
    copies: Sequence[Copy] = ()


class Eraser:
    """Erases what is asked for; `settle` waits until readers have heard of what is committed."""

    def __init__(
        self, store: Store, log: Log, rooms: Emptied, *, erasures: Erasures,
        settle: Callable[[int], Awaitable[bool]], points: Path, keepers: Sequence[Keeper] = (),
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.erasures = erasures
        self._store = store
        self._log = log
        self._rooms = rooms
        self._settle = settle
        self._points = points
        self._keepers = keepers
        self._rest = rest
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Look for requests until cancelled; what the world refuses is tried again."""
        pause_s = LOOK_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.work()
                pause_s = LOOK_S
            except Unavailable as trouble:
                _log.warning("erasing_waits", reason=trouble.text)
                pause_s = RETRY_S

    async def work(self) -> int:
        """Carry out everything that is asked for now; return how many requests were done."""
        async with self._one_at_a_time:
            asked, is_due = await self._store.read(self._look, apart=True)
            if not asked and is_due:
                asked = await self._carry_out([])
            if asked:
                await self._carry_out(asked)
            return len(asked)

    async def _carry_out(self, asked: list[Request]) -> list[Request]:
        """Erase what is asked for, or what was purged, and return who came first instead."""
        ready = [await self._empty_rows(request) for request in asked]
        dids = await self._dids(ready)
        await self._settled()
        swept, waiting = await self._sweep(dids, is_asked=bool(asked))
        if waiting:
            return waiting
        if ready or swept:
            await self._tidy_files(ready)
        await self._store.write(lambda unit: self._finish(unit, ready), apart=True)
        _log.info("erased", requests=len(ready), log_records=swept)
        return []

    def _look(self, unit: Unit) -> tuple[list[Request], bool]:
        """Return what is asked for, and whether a day has passed since the last sweep."""
        swept = stamp_of(unit, SWEPT)
        is_due = swept is None or unit.clock_us - int(swept) >= SWEEP_INTERVAL_US
        return self.erasures.unfinished(unit), is_due

    async def _empty_rows(self, request: Request) -> Request:
        """Bring a request through the steps that empty rows."""
        while request.is_in_rows:
            request = await self._store.write(self._step_of(request), apart=True)
        return request

    def _step_of(self, request: Request) -> Callable[[Unit], Request]:
        def command(unit: Unit) -> Request:
            handled = _STEPS[request.step](self._rooms, unit, request)
            return self.erasures.move(unit, request, handled)

        return command

    async def _dids(self, requests: Sequence[Request]) -> set[str]:
        persons = [one.subject_id for one in requests if one.is_person]
        if not persons:
            return set()
        found = await self._store.read(
            lambda unit: self._rooms.accounts.actors(unit, persons), apart=True
        )
        return {actor.did for actor in found.values()}

    async def _settled(self) -> None:
        """Wait until the readers have heard of every deletion, or try again later."""
        if not await self._settle(SETTLE_MS_MAX):
            raise Unavailable("A reader has not yet heard of what is gone.", retry_after_s=RETRY_S)

    async def _sweep(
        self, erased_dids: set[str], *, is_asked: bool
    ) -> tuple[int, list[Request]]:
        """Erase from the log every record of what is gone; return how many.

        A sweep that nobody asked for rests after each batch, and ends at the first requests that
        wait then: they are returned too.
        """
        seq, last_seq, count = max(1, self._log.first_seq), self._log.last_seq, 0
        gone: list[int] = []
        while seq <= last_seq:
            try:
                batch = await asyncio.to_thread(self._log.read, seq, limit=SWEEP_RECORDS_MAX)
            except LogTrimmed:  # retention was faster
                seq = self._log.first_seq
                continue
            except LogDamaged as damage:  # what cannot be read cannot be judged
                seq = damage.last_seq + 1
                continue
            told = await asyncio.to_thread(sweep.told_in, batch)
            living = await self._living(sweep.rows_of(told))
            gone += sweep.gone_in(told, erased_dids=erased_dids, living=living)
            seq = batch.next_seq
            if gone and (len(gone) >= SEQS_MAX or seq > last_seq):
                # The copies first: a record that is in the log still is found again.
                for copy in self._rooms.copies:
                    await copy.erase(gone)
                await self._log.erase(gone)
                count, gone = count + len(gone), []
            if not is_asked and seq <= last_seq:
                await self._rest(REST_S)
                waiting = await self._store.read(self.erasures.unfinished, apart=True)
                if waiting:
                    return count, waiting
        return count, []

    async def _living(self, rows: dict[Thing, set[int]]) -> dict[Thing, set[int]]:
        """Return which of the things that the log speaks of are still there with their words."""
        if not any(rows.values()):
            return rows

        def query(unit: Unit) -> dict[Thing, set[int]]:
            posts, comments = self._rooms.forum.speaking_among(
                unit, rows[Thing.POST], rows[Thing.COMMENT]
            )
            persons = self._rooms.accounts.actors(unit, rows[Thing.PERSON])
            remarks = rows[Thing.REMARK]
            return {
                Thing.POST: posts, Thing.COMMENT: comments,
                Thing.MESSAGE: self._rooms.messages.known_among(unit, rows[Thing.MESSAGE]),
                Thing.PROPOSAL: self._rooms.moderation.proposals_speaking_among(
                    unit, rows[Thing.PROPOSAL]
                ),
                Thing.PERSON: {actor.id for actor in persons.values() if not actor.deleted},
                Thing.REMARK: self._rooms.moderation.remarks_among(unit, remarks) if remarks
                else set(),
            }

        return await self._store.read(query, apart=True)

    async def _tidy_files(self, requests: Sequence[Request]) -> None:
        """Leave nothing in files: the ways back of upgrades, the index, the rows' own pages."""
        await self._rooms.letters.erase(requests)
        for keeper in self._keepers:
            for request in requests:
                if request.is_person:
                    await keeper.erase_person(request.subject_id)
        for point in sorted(self._points.glob(POINTS)):
            await asyncio.to_thread(shutil.rmtree, point)
            _log.warning("upgrade_point_removed", folder=point.name)
        await self._store.write(self._rooms.search.tidy, apart=True)
        await self._store.compact()

    def _finish(self, unit: Unit, requests: Sequence[Request]) -> None:
        for request in requests:
            if request.kind is Kind.PURGED:
                self._rooms.accounts.bury_person(unit, request.subject_id)
        self.erasures.move_all(unit, requests, Step.DONE)
        note_swept(unit)


def note_swept(unit: Unit) -> None:
    """Note that the log holds nothing that is gone: the next daily sweep is a day from now."""
    set_stamp(unit, SWEPT, str(unit.clock_us))


def _empty_posts(rooms: Emptied, unit: Unit, request: Request) -> list[int]:
    if request.kind is Kind.POST:
        ids = [request.subject_id] if not request.position else []
    else:
        ids = [*rooms.forum.post_ids_of(
            unit, request.subject_id, after_id=request.position, limit=BATCH_MAX
        )]
    if ids:
        rooms.forum.erase_posts(unit, ids)
        rooms.moderation.forget_words(unit, ReportKind.POST, ids)
        rooms.automod.forget_words(unit, SubjectKind.POST, ids)
    return ids


def _empty_comments(rooms: Emptied, unit: Unit, request: Request) -> list[int]:
    if request.kind is Kind.COMMENT:
        ids = [request.subject_id] if not request.position else []
    elif request.kind is Kind.POST:
        ids = [*rooms.forum.comment_ids_below(
            unit, request.subject_id, after_id=request.position, limit=BATCH_MAX
        )]
    else:
        ids = [*rooms.forum.comment_ids_of(
            unit, request.subject_id, after_id=request.position, limit=BATCH_MAX
        )]
    if ids:
        rooms.forum.erase_comments(unit, ids)
        rooms.moderation.forget_words(unit, ReportKind.COMMENT, ids)
        rooms.automod.forget_words(unit, SubjectKind.COMMENT, ids)
    return ids


def _empty_messages(rooms: Emptied, unit: Unit, request: Request) -> list[int]:
    if request.kind is Kind.MESSAGE:
        ids = [request.subject_id] if not request.position else []
    else:
        ids = [*rooms.messages.sent_ids(unit, request.subject_id, limit=BATCH_MAX)]
    if ids:
        rooms.messages.erase_messages(unit, ids)
        rooms.moderation.forget_words(unit, ReportKind.MESSAGE, ids)
    return ids


def _empty_proposals(rooms: Emptied, unit: Unit, request: Request) -> list[int]:
    if request.kind is Kind.PROPOSAL:
        ids = [request.subject_id] if not request.position else []
    else:
        ids = rooms.moderation.proposal_ids_of(
            unit, request.subject_id, after_id=request.position, limit=BATCH_MAX
        )
    if ids:
        rooms.moderation.erase_proposals(unit, ids)
    return ids


def _empty_account(rooms: Emptied, unit: Unit, request: Request) -> list[int]:
    if request.position:
        return []
    rooms.messages.forget_conversations(unit, request.subject_id)
    rooms.forum.forget_marks(unit, request.subject_id)
    rooms.moderation.forget_person(unit, request.subject_id)
    rooms.automod.forget_person(unit, request.subject_id)
    rooms.accounts.erase_person(unit, request.subject_id)
    return [request.subject_id]


_STEPS: dict[Step, Callable[[Emptied, Unit, Request], list[int]]] = {
    Step.POSTS: _empty_posts, Step.COMMENTS: _empty_comments, Step.MESSAGES: _empty_messages,
    Step.PROPOSALS: _empty_proposals, Step.ACCOUNT: _empty_account,
}
