"""Trials: what would this rule have done in the last days?

    rows since then, 2,000 at a time ─► items ─► what was around each, as it was then
                                     ─► a column for each fact that the program reads
                                     ─► Program.columns ─► hits, authors, what moderators did

The same facts and the same program as the live check, over columns instead of one by one. What an
author had written before is carried along in the order of time, so a trial reads each row once and
needs memory for the authors and texts of its days, not for their words. It lives in memory: a trial
is a question, not a state, and a restart forgets it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import msgspec
import numpy as np

from lichen.accounts import Accounts, Actor
from lichen.automod import limits
from lichen.automod.facts import FACTS, FIELDS, Around, Item, Need, facts_of, needs_of
from lichen.automod.history import History, Walk
from lichen.automod.model import shortened
from lichen.automod.surroundings import Surroundings
from lichen.forum import Forum, PastThing
from lichen.kit import Clock, LichenError, NotFound, Reason, Refused
from lichen.rules import FieldType, Program, compile_program
from lichen.store import Store, Unit

T = TypeVar("T")
_DAY_US = 24 * 3_600 * 1_000_000


class TrialState(StrEnum):
    """How far a trial is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class TrialHit(msgspec.Struct, frozen=True):
    """Something the rule would have hit, why, and whether moderators removed it in fact."""

    is_post: bool
    id: int
    title: str
    author_id: int
    author: str
    community: str
    published_us: int
    removed: bool
    reason: Reason


class TrialReport(msgspec.Struct, frozen=True):
    """What a trial has found so far; `seen` of about `total` rows are behind it.

    `judged` are the posts and comments of the owner within the days. Of `matches`,
    `matches_removed` were removed by moderators; `removed` is how many were in all.
    """

    id: int
    owner_id: int
    program: str
    days: int
    started_by: int
    state: TrialState
    seen: int = 0
    total: int = 0
    judged: int = 0
    matches: int = 0
    matches_removed: int = 0
    removed: int = 0
    authors: tuple[tuple[str, int], ...] = ()
    hits: tuple[TrialHit, ...] = ()
    trouble: str = ""

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.state in (TrialState.WAITING, TrialState.RUNNING)

    @property
    def share(self) -> float:
        """How much of the way is behind it, 0 to 1."""
        return 1.0 if not self.running else min(1.0, self.seen / max(1, self.total))

    @property
    def precision(self) -> float | None:
        """Which part of the matches moderators removed in fact; None without matches."""
        return self.matches_removed / self.matches if self.matches else None


class Trial:
    """One trial: walks the past, and can be asked for its report and be stopped at any time."""

    def __init__(self, report: TrialReport, *, since_us: int) -> None:
        self.program: Program = compile_program(report.program, FIELDS)
        self.needs = needs_of(self.program.fields)
        self.since_us = since_us
        self.stopping = False
        self._report = report
        self._authors: Counter[str] = Counter()
        self._hits: list[TrialHit] = []

    def report(self) -> TrialReport:
        """Return what was found so far."""
        return msgspec.structs.replace(
            self._report, hits=tuple(self._hits),
            authors=tuple(self._authors.most_common(limits.TRIAL_AUTHORS_MAX)),
        )

    def note(self, **changes: object) -> None:
        """Change the report."""
        self._report = msgspec.structs.replace(self._report, **changes)

    def judge(self, things: list[PastThing], items: list[Item], around: list[Around]) -> None:
        """Hold a batch against the program, as columns."""
        report = self._report
        removed = sum(thing.removed for thing in things)
        self.note(judged=report.judged + len(things), removed=report.removed + removed)
        if not things:
            return
        columns = {"at": np.empty(len(items), np.bool_)} | {
            name: self._column(name, items, around) for name in self.program.fields
        }
        found = np.flatnonzero(self.program.columns(columns)).tolist()
        self.note(matches=self._report.matches + len(found), matches_removed=(
            self._report.matches_removed + sum(things[place].removed for place in found)))
        self._authors.update(items[place].author.name for place in found)
        for place in found[: limits.TRIAL_HITS_MAX - len(self._hits)]:
            facts = facts_of(items[place], around[place], self.program.fields)
            self._hits.append(_hit(things[place], items[place],
                                   shortened(self.program.explain(facts, rule="this rule"))))

    def _column(
        self, name: str, items: list[Item], around: list[Around]
    ) -> "np.ndarray[tuple[int], np.dtype[np.generic]]":
        fact = FACTS[name]
        values = [fact.of(item, near) for item, near in zip(items, around, strict=True)]
        if fact.type is FieldType.NUMBER:
            return np.array(values, np.float64)
        if fact.type is FieldType.BOOLEAN:
            return np.array(values, np.bool_)
        column = np.empty(len(values), object)
        column[:] = values
        return column


class Trials:
    """The trials of this house: a few run at once, some are remembered."""

    def __init__(
        self, store: Store, *, forum: Forum, accounts: Accounts, surroundings: Surroundings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._forum = forum
        self._accounts = accounts
        self._surroundings = surroundings
        self._clock = clock
        self._trials: dict[int, Trial] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._last = 0

    def prepare(
        self, owner_id: int, program: str, *, days: int, started_by: int, now_us: int
    ) -> int:
        """Return the number of a new trial that has not begun; raises Refused."""
        if not 1 <= days <= limits.TRIAL_DAYS_MAX:
            raise Refused("invalid_trial_days", f"Choose 1 to {limits.TRIAL_DAYS_MAX} days.")
        if sum(trial.report().running for trial in self._trials.values()) \
                >= limits.TRIALS_AT_ONCE_MAX:
            raise Refused("too_many_trials", "Other trials are running; wait for one to end.")
        self._last += 1
        report = TrialReport(
            id=self._last, owner_id=owner_id, program=program, days=days, started_by=started_by,
            state=TrialState.WAITING,
        )
        self._trials[self._last] = Trial(report, since_us=now_us - days * _DAY_US)
        ended = [key for key, trial in self._trials.items() if not trial.report().running]
        for key in ended[: max(0, len(self._trials) - limits.TRIALS_KEPT_MAX)]:
            del self._trials[key]
        return self._last

    def of(self, trial_id: int) -> TrialReport:
        """Return what a trial has found so far; raises NotFound for one that is forgotten."""
        return self._trial(trial_id).report()

    def start(self, trial_id: int) -> None:
        """Let a prepared trial run."""
        task = asyncio.create_task(self.run(trial_id), name=f"trial {trial_id}")
        self._tasks[trial_id] = task
        task.add_done_callback(lambda _task: self._tasks.pop(trial_id, None))

    def stop(self, trial_id: int) -> None:
        """Let a trial end after the batch that it works on."""
        self._trial(trial_id).stopping = True

    async def close(self) -> None:
        """Stop every trial, and wait until they have ended."""
        for trial in self._trials.values():
            trial.stopping = True
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def run(self, trial_id: int) -> None:
        """Walk the past of a trial to its end, yielding to the loop after each batch."""
        trial = self._trial(trial_id)
        trial.note(state=TrialState.RUNNING)
        try:
            await self._walk(trial)
        except LichenError as error:  # the world is unavailable: say so on the trial's page
            trial.note(state=TrialState.FAILED, trouble=str(error))
        except BaseException:
            trial.note(state=TrialState.FAILED, trouble="It broke off.")
            raise

    async def _walk(self, trial: Trial) -> None:
        report = trial.report()
        carries = bool(trial.needs & {Need.EARLIER, Need.DUPLICATES})
        history = History(trial.needs)
        look_back_us = history.look_back_us
        bounds = await self._read(lambda unit: self._forum.past_bounds(
            unit, trial.since_us - look_back_us))
        # An author's past is everywhere; without need of it only the owner's things are read.
        walk = Walk(self._forum, bounds, community_id=0 if carries else report.owner_id)
        trial.note(total=walk.total)
        actors: dict[int, Actor] = {}
        while (things := await self._read(walk.next_things)) and not trial.stopping:
            unknown = {one.creator_id for one in things} | {one.community_id for one in things}
            unknown -= actors.keys()
            first_us = things[0].published_us

            def learn(unit: Unit, unknown: set[int] = unknown, first_us: int = first_us) -> None:
                actors.update(self._accounts.actors(unit, unknown))
                if Need.EARLIER in trial.needs:
                    history.begin(self._forum.words_before(unit, sorted(unknown), first_us))

            await self._read(learn)
            chosen, items, around = await asyncio.to_thread(
                _batch, trial, things, actors, history=history)
            around = await self._read(
                lambda unit, items=items, around=around: self._asked(unit, trial, items, around))  # type: ignore[misc]
            await asyncio.to_thread(trial.judge, chosen, items, around)
            trial.note(seen=walk.seen)
            if walk.seen >= limits.TRIAL_THINGS_MAX:
                trial.note(trouble=f"It ended after {limits.TRIAL_THINGS_MAX:,} things.")
                break
        trial.note(state=TrialState.STOPPED if trial.stopping else TrialState.DONE)

    def _asked(
        self, unit: Unit, trial: Trial, items: list[Item], around: list[Around]
    ) -> list[Around]:
        """Return what is around the items, with what the ports say of them now."""
        trust = self._surroundings.trust_of(unit, items, trial.needs)
        pictures = self._surroundings.hits_of(unit, items, trial.needs)
        if not (trust or pictures):
            return around
        return [
            msgspec.structs.replace(
                near, trust=trust.get(item.author.id, 0),
                picture_hits=sum(pictures.get(url, 0) for url in item.pictures))
            for item, near in zip(items, around, strict=True)
        ]

    async def _read(self, query: Callable[[Unit], T]) -> T:
        return await self._store.read(query, apart=True)

    def _trial(self, trial_id: int) -> Trial:
        found = self._trials.get(trial_id)
        if found is None:
            raise NotFound("couldnt_find_trial", "There is no such trial, or it is forgotten.")
        return found


def _batch(
    trial: Trial, things: list[PastThing], actors: dict[int, Actor], *, history: History
) -> tuple[list[PastThing], list[Item], list[Around]]:
    """Return what is to be judged of a batch, after carrying all of it along in the history."""
    owner_id = trial.report().owner_id
    chosen, items, around = [], [], []
    for thing in things:
        item = _item(thing, actors[thing.creator_id], actors[thing.community_id])
        near = history.pass_by(item)
        wanted = not thing.deleted and owner_id in (0, thing.community_id)
        if wanted and thing.published_us >= trial.since_us:
            chosen.append(thing)
            items.append(item)
            around.append(near)
    return chosen, items, around


def _item(thing: PastThing, author: Actor, community: Actor) -> Item:
    is_post = thing.depth == 0
    return Item(
        is_post=is_post, id=thing.id, title=thing.title, body=thing.text, url=thing.url,
        nsfw=thing.nsfw, language_id=thing.language_id, depth=thing.depth, author=author,
        moderates=thing.moderates or author.admin, community_id=thing.community_id,
        community=community.name, at_us=thing.published_us,
    )


def _hit(thing: PastThing, item: Item, reason: Reason) -> TrialHit:
    words = " ".join((item.title or item.body).split())
    cut = limits.TEXT_OF_REASON_MAX
    return TrialHit(
        is_post=item.is_post, id=item.id, author_id=item.author.id, author=item.author.name,
        title=words if len(words) <= cut else words[: cut - 1] + "…", community=item.community,
        published_us=item.at_us, removed=thing.removed, reason=reason,
    )
