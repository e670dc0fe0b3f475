"""A page of home: what a person follows, newest first, from a ring and from author lists.

    home(person) = posts whose author or community the person follows now, which are not gone,
                   and which the loss keeps or which come from a source that is never fanned out

    ordinals   ◀─────────────────────────── newer
    ring                         [ 9123 9100 9001 8790 ]          above its floor: all of the rest
    author lists   … 8700 8641 8512 ▲ floor                       below it, or without a ring
    large sources  …      8602          8999      9110            always, merged in

Each of the three gives candidates and says from which ordinal on they are all there are; a step
joins them down to the highest of these. Somebody who follows more than is reasonable is not merged
from hundreds of thousands of lists: the table of posts is scanned backwards, with the hash first,
which leaves few to look up.

A cursor is the ordinal below which the next page begins: it stays good whatever comes or goes.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lichen.kit.reasons import Reason, Term
from lichen.timeline.authors import AuthorLists
from lichen.timeline.errors import TimelineRefused
from lichen.timeline.limits import (
    ORDINAL_MAX,
    PAGE_LOOKED_AT_MAX,
    PAGE_POSTS_MAX,
    SCAN_POSTS_MAX,
)
from lichen.timeline.loss import Heavy, kept_posts, loss_factor
from lichen.timeline.model import (
    NONE,
    Follows,
    Mask,
    Numbers,
    Options,
    Page,
    check_actor,
    is_among,
)
from lichen.timeline.posts import PostTable
from lichen.timeline.rings import Rings


class Found(NamedTuple):
    """Candidates, newest first: all there are at and above the ordinal `down_to`."""

    posts: Numbers
    down_to: int


class Reading:
    """What is read, and from where."""

    def __init__(self, *, posts: PostTable, authors: AuthorLists, rings: Rings, heavy: Heavy,
                 follows: Follows, options: Options) -> None:
        self.posts, self.authors, self.rings, self.heavy = posts, authors, rings, heavy
        self._follows, self._options = follows, options

    def page(self, person: int, cursor: int | None, limit: int, *, without: Numbers = NONE) -> Page:
        """Return posts below the cursor, at most `limit`; none by or in `without` (sorted).

        Fewer than `limit` with a cursor: so many were passed over that the rest is for next time.
        """
        if not 1 <= limit <= PAGE_POSTS_MAX:
            raise TimelineRefused(f"limit is 1 to {PAGE_POSTS_MAX}; {limit} came.")
        if cursor is not None and not 0 <= cursor <= ORDINAL_MAX + 1:
            raise TimelineRefused(f"A cursor is one that a page gave; {cursor} came: leave it out.")
        check_actor(person)
        following = self._follows.following(person)
        before = self.posts.last + 1 if cursor is None else min(cursor, self.posts.last + 1)
        # A scan past a million posts that gives nothing has to end; merging lists skips them.
        is_scanned = self.heavy.threshold_of(person) is not None
        stop = before - SCAN_POSTS_MAX if is_scanned else 0
        shown: list[int] = []
        looked_at = 0
        while before > self.posts.floor + 1:
            found = self._next(person, following, before=before, count=limit)
            shown += self.posts.shown(found.posts, following, without).tolist()
            before, looked_at = found.down_to, looked_at + len(found.posts) + 1
            if len(shown) >= limit:
                return Page(tuple(shown[:limit]), shown[limit - 1], self._lossy(person))
            if looked_at >= PAGE_LOOKED_AT_MAX or before <= stop:
                break
        if before > self.posts.floor + 1:
            return Page(tuple(shown), before, self._lossy(person))
        return Page(tuple(shown), None, self._lossy(person) or self._forgetful(following))

    def explain(self, person: int) -> Reason:
        """Say whether a person's timeline is complete, and if not, why, with the numbers."""
        check_actor(person)
        reason = self._lossy(person) or self._forgetful(self._follows.following(person))
        return reason or Reason("timeline.complete", self._terms(person), 1.0,
                                decided_by="timeline")

    def filled(self, row: int, person: int) -> None:
        """Fill a stale ring from the author lists, with the gone ones: they may be restored."""
        following, slots = self._follows.following(person), self.rings.slots
        found = self._merged(person, following, before=self.posts.last + 1, count=slots)
        posts, down_to = found.posts[:slots], found.down_to
        if len(found.posts) > slots:
            down_to = int(posts[-1])
        self.rings.fill(row, posts, floor=max(0, down_to - 1), newest=self.posts.last)

    def _next(self, person: int, following: Numbers, *, before: int, count: int) -> Found:
        """Return some candidates below `before`, from the ring as far as it reaches."""
        row = self.rings.row(person)
        if row is not None:
            if self.rings.stale[row]:
                self.filled(row, person)
            held = self.rings.held(row)
            floor = max(held.floor, self.posts.floor)
            if before > floor + 1:
                posts = held.posts[(held.posts < before) & (held.posts > floor)]
                posts = self._unlost(person, posts)
                large = self._merged_large(following, before=before, count=count)
                return _joined([Found(posts, floor + 1), large])
        return self._merged(person, following, before=before, count=count)

    def _merged(self, person: int, following: Numbers, *, before: int, count: int) -> Found:
        """Return candidates from author lists, or by a scan for whoever follows too many."""
        threshold = self.heavy.threshold_of(person)
        if threshold is None:
            return self._from_lists(following, before=before, count=count)

        def keep(posts: Numbers) -> Mask:
            return kept_posts(posts, person, threshold)

        scanned = self.posts.scan(following, before=before, count=count, keep=keep)
        large = self._merged_large(following, before=before, count=count)
        return _joined([Found(*scanned), large])

    def _unlost(self, person: int, posts: Numbers) -> Numbers:
        """Return a ring's posts without those that only a large source saved from being lost.

        It may be followed no longer, or large no longer; those it saves are merged in beside.
        """
        threshold = self.heavy.threshold_of(person)
        return posts if threshold is None else posts[kept_posts(posts, person, threshold)]

    def _merged_large(self, following: Numbers, *, before: int, count: int) -> Found:
        """Return candidates of the followed sources that are never fanned out."""
        large = self.heavy.sources
        large = large[is_among(large, following)]
        if not len(large):
            return Found(NONE, 1)
        return self._from_lists(large, before=before, count=count)

    def _from_lists(self, sources: Numbers, *, before: int, count: int) -> Found:
        merged = self.authors.merged(sources, before=before, count=count)
        return Found(np.array(merged, np.uint32), merged[-1] if len(merged) == count else 1)

    def _lossy(self, person: int) -> Reason | None:
        if self.heavy.threshold_of(person) is None:
            return None
        terms = self._terms(person)
        return Reason("timeline.loss", terms, terms[-1].value, decided_by="timeline",
                      change="Follow fewer, or ask the administrator to raise the limit.")

    def _terms(self, person: int) -> tuple[Term, ...]:
        limit, follows = self._options.reasonable_follows, self.heavy.follows_of(person)
        if follows is None:
            follows = len(self._follows.following(person))
            factor = 1.0
        else:
            factor = loss_factor(follows, limit)
        return (Term("limit", limit, "whoever follows more gets a part of their posts"),
                Term("follows", follows, "people and communities followed"),
                Term("factor", factor, "the share of posts that is kept"))

    def _forgetful(self, following: Numbers) -> Reason | None:
        if not self.authors.is_cut(following):
            return None
        return Reason("timeline.beyond_memory",
                      (Term("posts_kept", self._options.posts_kept,
                            "the newest posts of the house that timelines remember"),
                       Term("floor", self.posts.floor, "older ordinals are forgotten")),
                      decided_by="timeline", change="The administrator may raise posts_kept.")


def _joined(parts: Iterable[Found]) -> Found:
    """Join candidates down to where all parts are whole, each post once."""
    parts = [part for part in parts if len(part.posts) or part.down_to > 1] or [Found(NONE, 1)]
    down_to = max(part.down_to for part in parts)
    if len(parts) == 1:
        return parts[0]
    posts = np.concatenate([part.posts for part in parts])
    return Found(np.unique(posts[posts >= down_to])[::-1], down_to)
