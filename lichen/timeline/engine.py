"""Everybody's home: what happens is applied, pages are read.

    apply(batch) ─▶ posts, author lists ─▶ waiting: (post, followers) ─▶ rings, a page at a time
                                                                           ▲
    page(person) ───────────────────── reading ────────────────────────────┘ fills a stale one

One thread owns an engine. Fanning out goes by pages of 10,000 followers between which reads are
answered: `step` writes one, `fan_out` works off all and lets the loop turn between. A thread was
measured beside it (bench.timeline): about as many writes and as long waits, and it would need a
lock around every ring.

`apply` is idempotent by position, and a post by its ordinal: twice is once. Who follows whom is not
kept here but asked from the graph, which must have applied a batch before the timelines do.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lichen.kit.clock import Clock
from lichen.kit.reasons import Reason
from lichen.log import FileSystem
from lichen.timeline.authors import AuthorLists
from lichen.timeline.checkpoint import Checkpoint, Column, Damaged, Sizes, load, save
from lichen.timeline.errors import TimelineRefused
from lichen.timeline.limits import (
    FANOUT_PAGE_PEOPLE,
    FANOUT_TURN_PAGES,
    ORDINAL_MAX,
    PENDING_FANOUTS_MAX,
    PENDING_FOLLOWERS_MAX,
)
from lichen.timeline.loss import Heavy, Weigh, Weights
from lichen.timeline.model import (
    NOBODY,
    NONE,
    Batch,
    Follows,
    Numbers,
    Options,
    Page,
    Post,
    check_actor,
)
from lichen.timeline.posts import PostTable
from lichen.timeline.reading import Reading
from lichen.timeline.rings import Rings

Waiting = tuple[int, Numbers]  # a post, and the followers it was not written to yet


class Timelines:
    """The timelines of everybody; `position` is that of the last batch applied."""

    position: int
    _posts: PostTable
    _authors: AuthorLists
    _rings: Rings
    _reading: Reading
    _waiting: deque[Waiting]

    def __init__(self, *, follows: Follows, weigh: Weigh, clock: Clock,
                 options: Options | None = None, folder: Path | None = None,
                 file_system: FileSystem | None = None) -> None:
        self.options = options or Options()
        self.damage = ""
        self._follows, self._folder = follows, folder
        self._files = file_system or FileSystem()
        self._heavy = Heavy(weigh, clock=clock, limit=self.options.reasonable_follows)
        self._empty()

    @classmethod
    def open(cls, folder: Path, *, follows: Follows, weigh: Weigh, clock: Clock,
             options: Options | None = None, file_system: FileSystem | None = None) -> "Timelines":
        """Return the timelines of a folder's checkpoint; `position` says from where to apply.

        A damaged checkpoint, or one of other sizes, is told in `damage` and not used: apply from 0,
        or `rebuild`. Raises TimelineTooNew, TimelineUnavailable.
        """
        opened = cls(follows=follows, weigh=weigh, clock=clock, options=options, folder=folder,
                     file_system=file_system)
        try:
            found = load(folder)
            if found is not None:
                opened._restore(found)
        except Damaged as damage:
            opened.damage = f"{damage}; the timelines are built anew."
        return opened

    @property
    def waiting(self) -> int:
        """Return how many fan-outs wait."""
        return len(self._waiting)

    @property
    def active(self) -> int:
        """Return how many people have a ring."""
        return self._rings.active

    def apply(self, batch: Batch, position: int) -> None:
        """Take in what happened up to `position`; nothing, if that was taken in already.

        Posts are readable in author lists at once, in rings when they are fanned out. Raises
        TimelineRefused before anything is taken in.
        """
        if position <= self.position:
            return
        posts = [post for post in batch.posts if post.ordinal > self._posts.last]
        _check(posts, batch.follows)
        if self._heavy.is_old:
            self.refresh()
        for post in posts:
            self._posts.add(post)
            self._authors.add(post)
            if self._rings.active:
                self._await_fan_out(post)
        self._posts.mark(batch.gone, is_gone=True)
        self._posts.mark(batch.restored, is_gone=False)
        if batch.follows:
            # The ring lacks what the source wrote before; what is unfollowed is passed over.
            people = np.unique(np.array([person for person, _ in batch.follows], np.uint32))
            self._rings.mark_stale(people)
        self.position = position

    def step(self) -> bool:
        """Write one page of what waits; say whether more waits."""
        if self._waiting:
            post, people = self._waiting[0]
            page = people[:FANOUT_PAGE_PEOPLE]
            self._rings.fan_out_page(post, page, self._heavy.lost_of)
            self._waiting_followers -= len(page)
            if len(people) > FANOUT_PAGE_PEOPLE:
                self._waiting[0] = (post, people[FANOUT_PAGE_PEOPLE:])
            else:
                self._waiting.popleft()
        return bool(self._waiting)

    def drain(self) -> None:
        """Write all that waits."""
        while self.step():
            pass

    async def fan_out(self) -> None:
        """Write all that waits; the loop turns after every few pages."""
        while True:
            for _ in range(FANOUT_TURN_PAGES):
                if not self.step():
                    return
            await asyncio.sleep(0)

    def page(self, person: int, cursor: int | None = None, limit: int = 50, *,
             without: Numbers = NONE) -> Page:
        """Return a page of a person's home, newest first.

        `without` are sources, sorted, that never show: blocked, muted. Raises TimelineRefused.
        """
        return self._reading.page(person, cursor, limit, without=without)

    def explain(self, person: int) -> Reason:
        """Say whether a person's timeline is complete, and if not, why."""
        return self._reading.explain(person)

    def activate(self, people: Iterable[int]) -> None:
        """Give people rings; they are filled at their next visit. Raises TimelineRefused."""
        self._rings.activate(_numbers(people))

    def deactivate(self, people: Iterable[int]) -> None:
        """Take people's rings; their pages are merged from author lists from now on."""
        self._rings.deactivate(_numbers(people))

    def refresh(self) -> None:
        """Weigh who is heavy anew; whose loss changes gets a ring anew."""
        people, sources = self._heavy.refresh()
        self._rings.mark_stale(people)
        for source in sources.tolist():
            # Its posts were merged at read until now, and are in no ring.
            self._rings.mark_stale(self._follows.followers(source))

    def checkpoint(self) -> int:
        """Write what is in memory to the folder, durably; return its bytes.

        What waits is fanned out first. Blocks while it writes. Raises TimelineUnavailable, and the
        checkpoint before it stands.
        """
        if self._folder is None:
            raise TimelineRefused("These timelines have no folder: open them with one.")
        self.drain()
        sizes = Sizes(slots=self.options.slots, posts_kept=self.options.posts_kept,
                      last=self._posts.last, rings_used=self._rings.used)
        return save(self._folder, self._files, position=self.position, sizes=sizes,
                    columns=self._columns())

    def rebuild(self, batches: Iterable[tuple[Batch, int]]) -> None:
        """Start from nothing and apply batches with their positions; active people stay active.

        Nothing is fanned out: there are no rings meanwhile, they are filled when they are read.
        Gives the same timelines.
        """
        active = self._rings.people()
        self._empty()
        self.refresh()
        for batch, position in batches:
            self.apply(batch, position)
        self._rings.activate(active)

    def _empty(self) -> None:
        options = self.options
        self.position = 0
        self._posts = PostTable(options.posts_kept)
        self._authors = AuthorLists(options.posts_kept)
        self._rings = Rings(slots=options.slots, people_max=options.active_people_max)
        self._waiting = deque(maxlen=PENDING_FANOUTS_MAX)
        self._waiting_followers = 0
        self._reading = Reading(posts=self._posts, authors=self._authors, rings=self._rings,
                                heavy=self._heavy, follows=self._follows, options=options)

    def _await_fan_out(self, post: Post) -> None:
        for source in {post.author, post.community} - {NOBODY}:
            if self._is_large(source):
                continue
            followers = self._follows.followers(source)
            while self._waiting and (
                    len(self._waiting) >= PENDING_FANOUTS_MAX
                    or self._waiting_followers + len(followers) > PENDING_FOLLOWERS_MAX):
                self.step()
            if len(followers):
                self._waiting.append((post.ordinal, followers))
                self._waiting_followers += len(followers)

    def _is_large(self, source: int) -> bool:
        sources = self._heavy.sources
        at = int(sources.searchsorted(np.uint32(source)))
        return at < len(sources) and bool(sources[at] == source)

    def _columns(self) -> dict[str, Column]:
        """Return all columns as far as they are used; views, not copies."""
        posts, authors, rings, heavy = self._posts, self._authors, self._rings, self._heavy
        rows, used = min(posts.last + 1, posts.kept), rings.used
        return {
            "sources": posts.sources[:rows], "gone": posts.gone[:rows],
            "older": authors.older[: 2 * rows], "jump": authors.jump[: 2 * rows],
            "depth": authors.depth[: 2 * rows],
            "newest_node": authors.newest, "first_post": authors.first,
            "ring_posts": rings.posts[: used * rings.slots], "ring_newest": rings.newest[:used],
            "ring_floor": rings.floor[:used], "ring_at": rings.at[:used],
            "ring_stale": rings.stale[:used], "ring_person": rings.person[:used],
            "heavy_people": heavy.people, "heavy_follows": heavy.follows,
            "heavy_sources": heavy.sources,
        }

    def _restore(self, found: Checkpoint) -> None:
        """Take a checkpoint's columns into the empty ones. Raises Damaged."""
        sizes, columns = found.sizes, dict(found.columns)
        ours = (self.options.slots, self.options.posts_kept)
        if (sizes.slots, sizes.posts_kept) != ours or (
                sizes.rings_used > self.options.active_people_max):
            raise Damaged(f"the checkpoint has {sizes.slots} slots, {sizes.posts_kept} posts kept "
                          f"and {sizes.rings_used} rings, {ours[0]}, {ours[1]} and at most "
                          f"{self.options.active_people_max} are wanted")
        self._heavy.take(Weights(*(columns.pop(f"heavy_{name}").copy()
                                   for name in ("people", "follows", "sources"))))
        self._posts.last, self._rings.used = sizes.last, sizes.rings_used
        self._authors.restore(columns.pop("newest_node").copy(), columns.pop("first_post").copy(),
                              sizes.last)
        for name, column in self._columns().items():
            if name in columns:
                column.reshape(-1)[:] = columns[name]
        self._rings.restore()
        self.position = found.position


def _numbers(people: Iterable[int]) -> Numbers:
    wide = np.unique(np.fromiter(people, np.int64))
    for person in (*wide[:1].tolist(), *wide[-1:].tolist()):
        check_actor(person)
    return wide.astype(np.uint32)


def _check(posts: list[Post], follows: Iterable[tuple[int, int]]) -> None:
    """Hold posts and follows to what can be kept; raises TimelineRefused."""
    for person, _ in follows:
        check_actor(person)
    last = 0
    for post in posts:
        if not last < post.ordinal <= ORDINAL_MAX:
            raise TimelineRefused(f"Ordinals grow from 1 to {ORDINAL_MAX}; {post.ordinal} came "
                                  f"after {last}: give posts in their order.")
        check_actor(post.author)
        if post.community != NOBODY:
            check_actor(post.community)
        last = post.ordinal
