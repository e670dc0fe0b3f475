"""The newest posts: who wrote them, to which community, and whether they are gone.

    ordinal % kept ─▶    sources (author, community)    gone
                    0    (17, 90210)                    -
                    1    (4, NOBODY)                    x

A table of the last `kept` ordinals, 9 bytes each; what is older is forgotten. A ring keeps nothing
but ordinals: who caused an entry is looked up here, so that unfollowing takes effect at once.
"""

from collections.abc import Callable

import numpy as np

from lichen.timeline.limits import SCAN_POSTS_MAX
from lichen.timeline.model import NOBODY, NONE, Mask, Numbers, Post, is_among

_BLOCK_MIN, _BLOCK_MAX = 1 << 12, 1 << 16  # posts of one step of a scan

Keep = Callable[[Numbers], Mask]


class PostTable:
    """The table of the newest posts."""

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.sources = np.full((kept, 2), NOBODY, np.uint32)
        self.gone = np.zeros(kept, np.bool_)
        self.last = 0
        # Elements of a view are Python's numbers: a third of the cost of numpy's.
        self._authors, self._gone = self.sources.data, self.gone.data

    @property
    def floor(self) -> int:
        """Return the ordinal at and below which posts are forgotten."""
        return max(0, self.last - self.kept)

    def add(self, post: Post) -> None:
        """Add a post above the last one; ordinals between become holes."""
        if post.ordinal > self.last + 1:
            self._clear(self.last + 1, post.ordinal)
        slot = post.ordinal & (self.kept - 1)
        self._authors[slot, 0] = post.author
        self._authors[slot, 1] = post.community
        self._gone[slot] = False
        self.last = post.ordinal

    def mark(self, posts: tuple[int, ...], *, is_gone: bool) -> None:
        """Say that posts are gone, or here again; the forgotten are passed over."""
        for post in posts:
            if self.floor < post <= self.last:
                self.gone[post & (self.kept - 1)] = is_gone

    def shown(self, posts: Numbers, following: Numbers, without: Numbers) -> Numbers:
        """Return the posts that are here and come from who is followed, none of `without`."""
        slots = posts & np.uint32(self.kept - 1)
        sources = self.sources[slots]
        flat = sources.reshape(-1)
        is_shown = is_among(flat, following).reshape(-1, 2).any(axis=1)
        is_shown &= ~self.gone[slots]
        if len(without):
            is_shown &= ~is_among(flat, without).reshape(-1, 2).any(axis=1)
        return np.asarray(posts[is_shown])

    def scan(self, following: Numbers, *, before: int, count: int, keep: Keep,
             ) -> tuple[Numbers, int]:
        """Return followed posts below `before`, newest first, of those that `keep` keeps.

        Also from which ordinal on that is all of them: it stops after `count`, at the floor, and
        after SCAN_POSTS_MAX posts. For whoever follows so many that most posts are theirs.
        """
        found: list[Numbers] = []
        total, block, end = 0, _BLOCK_MIN, min(before, self.last + 1)
        stop = max(self.floor + 1, end - SCAN_POSTS_MAX)
        while end > stop and total < count:
            # A block ends where the table wraps, so that it is one piece.
            start = max(stop, end - block, (end - 1) & ~(self.kept - 1))
            posts = np.arange(start, end, dtype=np.uint32)
            posts = posts[keep(posts)]
            sources = self.sources[posts & np.uint32(self.kept - 1)].reshape(-1)
            posts = posts[is_among(sources, following).reshape(-1, 2).any(axis=1)][::-1]
            found.append(posts)
            total += len(posts)
            end, block = start, min(2 * block, _BLOCK_MAX)
        return (np.concatenate(found) if found else NONE), end

    def _clear(self, first: int, end: int) -> None:
        """Make holes, the slots from `first` on and below `end`, empty."""
        slots = np.arange(max(first, end - self.kept), end) & (self.kept - 1)
        self.sources[slots] = NOBODY
        self.gone[slots] = False
