"""A page of posts: the best that one viewer may see, at one moment.

Ranking all posts for each list would be exact and slow. This is exact and fast:

    columns ── rough ranks ──► all that may be among the best ── ranks, sorted ──► `Best`

`Best` is the first few thousand of an order. A page walks down it and keeps what its viewer may
see. A list of few posts (a community, a person, saved ones), and a walk that passes the end, rank
what they may show by the same two steps. `Best` stays right without being made anew:

    something was written  ->  the posts written to are ranked again and put in their places
    a second went by       ->  its own posts are ranked again; who was below its floor still is,
                               because ranks only fall with time
    too few are left       ->  it is made anew

Measured by bench/ranking.py. A moment is a whole second. A cursor carries the moment of the first
page and the last post's rank and id, so that the pages of one walk are parts of one long list.
"""

import base64
import binascii
import math
import struct
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from lichen.forum.activity import Activity
from lichen.forum.columns import ActorFlag, Array, ColumnFile, PostFlag, View
from lichen.forum.model import PostQuery, Sort
from lichen.forum.ranking import ORDERS, ROUGH, Order, Take, explain, ranks_of
from lichen.forum.selection import Selection
from lichen.forum.standing import Standing
from lichen.kit import NotFound, Reason, Refused

BEST_MAX = 4_096  # posts kept in order for a sort; fills most pages of most viewers
BEST_MIN = 1_024  # fewer left by time and deletions: made anew
BEST_KEPT_MAX = 64  # orders in memory (sorts, and moments of cursors), 64 kB each
PATCH_MAX = 512  # posts written since; beyond that, making it anew costs less
_WALK = 512  # posts that are ranked in float64 without asking for less
_WALK_MIN = 64  # posts looked at in the first step of a walk; the next steps double
_ID_MAX = (1 << 63) - 1
_MOMENT_US = 1_000_000

_CURSOR = struct.Struct("<BqBdQ")  # version, moment, tier, rank, id
_CURSOR_VERSION = 1


class Key(NamedTuple):
    """Where a post stands: featured ones before others, then by rank, then by id, descending."""

    tier: int
    rank: float
    id: int


class Ranked(NamedTuple):
    """Posts in order with their ranks: a prefix of an order, whole where nothing comes after."""

    ids: Array
    ranks: Array
    is_whole: bool


class Best(NamedTuple):
    """The first posts of an order at a moment, as of so many changes of the columns.

    Every post that ranks at `floor` or above is in it. `active` is what the ranks were made with.
    """

    ranked: Ranked
    floor: tuple[float, int]
    moment_us: int
    changes: int
    active: object


class Question(NamedTuple):
    """An order of the posts at a moment, with the columns to rank by."""

    sort: Sort
    moment_us: int
    posts: View
    active_month: Array | None

    @property
    def order(self) -> Order:
        """The order that is asked for."""
        return ORDERS[self.sort]

    def ranks(self, ids: Array, *, rough: bool = False) -> Array:
        """Return the ranks of the posts."""
        return ranks_of(self.order, self.take(ids), moment_us=self.moment_us, rough=rough)

    def take(self, ids: Array) -> Take:
        """Return what gives the columns of the posts."""
        def take(name: str) -> Array:
            if name == "users_active_month":
                assert self.active_month is not None
                return self.active_month[take("community")]
            return self.posts.take(name, ids)

        return take

    def in_list(self, ids: Array) -> Array:
        """Return those of the posts that are there and within the order's window."""
        flags = self.posts.take("flags", ids)
        there = (flags & int(PostFlag.EXISTS | PostFlag.GONE)) == int(PostFlag.EXISTS)
        return self.in_window(ids[there])

    def in_window(self, ids: Array) -> Array:
        """Return those of the posts that are within the order's window."""
        if self.order.window_us is None:
            return ids
        return ids[self.posts.take("published_us", ids) >= self.moment_us - self.order.window_us]


class Ranks:
    """Answers which posts a list shows; for all threads."""

    def __init__(self, posts: ColumnFile, actors: ColumnFile, activity: Activity) -> None:
        self._posts = posts
        self._actors = actors
        self._activity = activity
        self._lock = threading.Lock()
        self._best: OrderedDict[tuple[Sort, int], Best] = OrderedDict()
        self._latest: dict[Sort, Best] = {}
        self._active: tuple[object, Array] = (None, np.zeros(1, np.int64))

    def page(
        self, query: PostQuery, *, now_us: int, viewer_standing: Standing
    ) -> tuple[list[int], str | None]:
        """Return the ids of a page of posts in order, and the cursor of the next page.

        What is None in the query hides nothing but what is not safe for work. Raises Refused for a
        cursor that is none of ours. About 0.2 ms; with 100,000 posts 2 ms where `Best` is made.
        """
        moment_us, after = now_us - now_us % _MOMENT_US, None
        if query.cursor is not None:
            moment_us, after = _opened(query.cursor, now_us=now_us)
        skip = 0 if after else (query.page - 1) * query.limit
        question = self._question(query.sort, moment_us)
        selection = Selection(
            query, viewer_standing, posts=question.posts, actors=self._actors.view()
        )
        need = skip + query.limit + 1
        flag = (PostFlag.FEATURED_LOCAL if query.community_id is None
                else PostFlag.FEATURED_COMMUNITY)
        keys = self._first(question, selection, flag=flag, need=need, after=after)[skip:]
        if len(keys) <= query.limit:
            return [key.id for key in keys], None
        return [key.id for key in keys[:-1]], _sealed(moment_us, keys[-2])

    def programs_among(self, ids: Iterable[int]) -> BitMap:
        """Return which of the people are programs; a look-up in memory each."""
        people = np.array(sorted(ids), np.int64)
        if not len(people):
            return BitMap()
        flags = self._actors.view().take("flags", people)
        return BitMap(people[(flags & int(ActorFlag.BOT)) != 0].tolist())

    def explain(self, post_id: int, sort: Sort, now_us: int) -> Reason:
        """Return why a post stands where it stands; raises NotFound."""
        question = self._question(sort, now_us - now_us % _MOMENT_US)
        if not self._posts.value(post_id, "flags") & PostFlag.EXISTS:
            raise NotFound("couldnt_find_post", "There is no such post.")
        return explain(sort, question.take(np.array([post_id])), moment_us=question.moment_us)

    def _question(self, sort: Sort, moment_us: int) -> Question:
        wants_active = "users_active_month" in ORDERS[sort].program.fields
        active = self._active_month() if wants_active else None
        return Question(sort, moment_us, self._posts.view(), active)

    def _active_month(self) -> Array:
        """Return how many people were active in each community, by its id."""
        counts = self._activity.by_community()
        source, table = self._active
        rows = self._actors.view().rows
        if source is not counts or len(table) < rows:
            table = np.zeros(rows, np.int64)
            for community_id, active in counts.items():
                if community_id < rows:
                    table[community_id] = active.month
            self._active = (counts, table)
        return table

    def _first(
        self, question: Question, selection: Selection, *, flag: PostFlag, need: int,
        after: Key | None,
    ) -> list[Key]:
        """Return the first posts of the list, those with the flag before the others."""
        featured = np.flatnonzero(question.posts.columns["flags"] & int(flag))
        keys: list[Key] = []
        if len(featured) and (after is None or after.tier):
            shown = question.in_window(featured[selection.shows(featured)])
            keys = _keys(1, ranked(question, shown, need=need, after=after), need)
        if len(keys) < need:
            below = None if after is None or after.tier else after
            rest = self._rest(
                question, selection, need=need - len(keys), after=below, without=featured
            )
            keys += _keys(0, rest, need - len(keys))
        return keys

    def _rest(
        self, question: Question, selection: Selection, *, need: int, after: Key | None,
        without: Array,
    ) -> Ranked:
        """Return the first posts that are not featured."""
        meant = selection.narrow()
        rows = question.posts.rows
        # Of so many posts that are meant, enough are expected among the best, which are all there.
        is_likely = meant is None or len(meant) * BEST_MAX > 4 * need * rows
        if is_likely and not selection.shows_gone:
            best = self._best_of(question).ranked
            found = _walk(best, selection, need=need, after=after, without=without)
            if best.is_whole or len(found.ids) >= need:
                return found
        if meant is None:
            meant = np.arange(rows)
        if len(without):
            meant = meant[~np.isin(meant, without)]
        shown = question.in_window(meant[selection.shows(meant)])
        return ranked(question, shown, need=need, after=after)

    def _best_of(self, question: Question) -> Best:
        order = question.order
        moment_us = question.moment_us if order.is_ageing or order.window_us else 0
        key = (question.sort, moment_us)
        with self._lock:
            best = self._best.pop(key, None)
            if best is None:
                latest = self._latest.get(question.sort)
                best = latest if latest and latest.moment_us <= moment_us else None
            best = self._renewed(best, question._replace(moment_us=moment_us))
            self._best[key] = best
            if len(self._best) > BEST_KEPT_MAX:
                self._best.popitem(last=False)
            known = self._latest.get(question.sort)
            if known is None or known.moment_us <= moment_us:
                self._latest[question.sort] = best
            return best

    def _renewed(self, best: Best | None, question: Question) -> Best:
        """Return the best at the question's moment, from an earlier one where that is right."""
        changed, changes = self._posts.changed_since(best.changes if best else 0)
        # Looked at after the count was taken: whatever is counted can be seen.
        question = question._replace(posts=self._posts.view())
        if best is None or changed is None or len(changed) > PATCH_MAX or (
            best.active is not question.active_month
        ):
            return _made(question, changes)
        if not changed and best.moment_us == question.moment_us:
            return best
        renewed = _carried(best, question, np.unique(np.array(changed, np.int64)), changes)
        too_few = len(renewed.ranked.ids) < BEST_MIN and not renewed.ranked.is_whole
        return _made(question, changes) if too_few else renewed


def ranked(
    question: Question, ids: Array, *, need: int, after: Key | None = None
) -> Ranked:
    """Return the first posts of the ids (ascending) after a key: `need` of them, if there are.

    Exact: ranks in float32 only choose which of many posts are ranked in float64.
    """
    chosen, is_whole = ids, True
    if len(ids) > 2 * max(need, _WALK):
        choose = _chosen_roughly if question.order.is_ageing else _chosen
        chosen, is_whole = choose(question, ids, need=need + need // 8, after=after)
    found = _after(_sorted(chosen, question.ranks(chosen), is_whole=is_whole), after)
    if len(found.ids) < need and not is_whole:
        return ranked(question, ids, need=4 * need, after=after)
    return found


def _chosen_roughly(
    question: Question, ids: Array, *, need: int, after: Key | None
) -> tuple[Array, bool]:
    """Return every post that ranks at or above some rank, which are about `need` after the key."""
    ranks = question.ranks(ids, rough=True)
    eligible = ranks if after is None else ranks[ranks <= after.rank + abs(after.rank) * ROUGH]
    if len(eligible) <= need:
        return ids, True
    floor = np.partition(eligible, -need)[-need]
    chosen = ids[ranks >= floor - abs(floor) * ROUGH]
    return chosen[question.ranks(chosen) >= floor], False


def _chosen(
    question: Question, ids: Array, *, need: int, after: Key | None
) -> tuple[Array, bool]:
    """Return the first `need` posts after the key, by ranks that cost little."""
    ranks = question.ranks(ids)
    if after is not None:
        below = (ranks < after.rank) | ((ranks == after.rank) & (ids < after.id))
        ids, ranks = ids[below], ranks[below]
    if len(ids) <= need:
        return ids, True
    floor = np.partition(ranks, -need)[-need]
    above = ids[ranks > floor]
    equals = ids[ranks == floor]  # many where most posts have no comment, or one vote
    return np.concatenate((above, equals[len(above) - need:])), False


def _sorted(ids: Array, ranks: Array, *, is_whole: bool) -> Ranked:
    """Order by rank, then id, descending; nearly free for what is nearly in order."""
    order = np.argsort(-ranks, kind="stable")
    in_order = ranks[order]
    if (in_order[1:] == in_order[:-1]).any():
        order = np.lexsort((-ids, -ranks))
        in_order = ranks[order]
    return Ranked(ids[order], in_order, is_whole)


def _after(found: Ranked, after: Key | None) -> Ranked:
    if after is None:
        return found
    below = (found.ranks < after.rank) | ((found.ranks == after.rank) & (found.ids < after.id))
    return Ranked(found.ids[below], found.ranks[below], found.is_whole)


def _walk(
    found: Ranked, selection: Selection, *, need: int, after: Key | None, without: Array
) -> Ranked:
    """Return those of the posts in order that the list shows, until there are `need`."""
    found = _after(found, after)
    pieces = [(found.ids[:0], found.ranks[:0])]
    start, step, count = 0, max(_WALK_MIN, 2 * need), 0
    while count < need and start < len(found.ids):
        ids, ranks = found.ids[start:start + step], found.ranks[start:start + step]
        keep = selection.shows(ids)
        if len(without):
            keep &= ~np.isin(ids, without)
        pieces.append((ids[keep], ranks[keep]))
        count += len(pieces[-1][0])
        start, step = start + step, 2 * step
    ids, ranks = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
    return Ranked(ids, ranks, found.is_whole)


def _made(question: Question, changes: int) -> Best:
    """Make the best of an order from all posts."""
    ids = question.in_list(np.arange(question.posts.rows))
    found = ranked(question, ids, need=BEST_MAX)
    return _best(question, found, changes=changes)


def _carried(best: Best, question: Question, changed: Array, changes: int) -> Best:
    """Return the best of a later moment, or after some posts were written to."""
    ids, ranks = best.ranked.ids, best.ranked.ranks
    is_whole = best.ranked.is_whole
    if len(changed):
        same = ~np.isin(ids, changed)
        changed = question.in_list(changed[changed < question.posts.rows])
        ids = np.concatenate((ids[same], changed))
        ranks = np.concatenate((ranks[same], question.ranks(changed)))
    if best.moment_us != question.moment_us:
        ids = question.in_window(ids)
        ranks = question.ranks(ids) if question.order.is_ageing or len(ids) < len(ranks) else ranks
    found = _sorted(ids, ranks, is_whole=is_whole)
    if is_whole:
        return _best(question, found, changes=changes)
    rank, id_ = best.floor
    above = (found.ranks > rank) | ((found.ranks == rank) & (found.ids >= id_))
    found = Ranked(found.ids[above], found.ranks[above], is_whole=False)
    renewed = _best(question, found, changes=changes)
    return renewed if len(found.ids) > BEST_MAX else renewed._replace(floor=best.floor)


def _best(question: Question, found: Ranked, *, changes: int) -> Best:
    """Return the first of the posts in order; the floor is the last of them."""
    ids, ranks = found.ids[:BEST_MAX], found.ranks[:BEST_MAX]
    is_whole = found.is_whole and len(ids) == len(found.ids)
    floor = (float(ranks[-1]), int(ids[-1])) if len(ids) else (-math.inf, 0)
    return Best(
        Ranked(ids, ranks, is_whole), floor=floor, moment_us=question.moment_us, changes=changes,
        active=question.active_month,
    )


def _keys(tier: int, found: Ranked, count: int) -> list[Key]:
    pairs = zip(found.ranks[:count].tolist(), found.ids[:count].tolist(), strict=True)
    return [Key(tier, rank, id_) for rank, id_ in pairs]


def _sealed(moment_us: int, key: Key) -> str:
    packed = _CURSOR.pack(_CURSOR_VERSION, moment_us, key.tier, key.rank, key.id)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _opened(cursor: str, *, now_us: int) -> tuple[int, Key]:
    """Return the moment and the key in a cursor, or refuse it."""
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        version, moment_us, tier, rank, id_ = _CURSOR.unpack(packed)
    except (binascii.Error, struct.error, ValueError):
        raise _refused() from None
    if version != _CURSOR_VERSION or tier > 1 or math.isnan(rank) or not 0 <= moment_us <= now_us:
        raise _refused()
    return moment_us, Key(tier, rank, min(id_, _ID_MAX))


def _refused() -> Refused:
    return Refused(
        "couldnt_parse_pagination_token",
        "A page cursor comes from the page before; leave it out to begin at the start.",
    )
