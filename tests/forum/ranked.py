"""A house of columns without rows: posts are made up, and lists are known from the definition."""

from pathlib import Path
from typing import Any

import numpy as np
from pyroaring import BitMap

from lichen.forum.activity import Active, Activity
from lichen.forum.columns import ACTORS, POSTS, ActorFlag, ColumnFile, PostFlag
from lichen.forum.model import Listing, PostQuery, Sort
from lichen.forum.ranking import ORDERS, ranks_of
from lichen.forum.ranks import Ranks
from lichen.forum.standing import Standing, nobody

NOW_US = 1_700_000_000_000_000
HOUR_US = 3_600_000_000
COMMUNITIES = range(1, 9)  # actors 1 to 8
PEOPLE = range(9, 30)
LOCAL, HIDDEN, NSFW, GONE, FAR = 1, 2, 3, 4, 5  # communities that are special in one way
BOT = 9


class Columns:
    """Column files with communities and people, and posts as a test wants them."""

    def __init__(self, folder: Path) -> None:
        self.posts = ColumnFile.create(folder / "posts.columns", POSTS)
        self.actors = ColumnFile.create(folder / "actors.columns", ACTORS)
        self.activity = Activity()
        self.activity._by_community = {id_: Active(month=id_ * 7) for id_ in COMMUNITIES}
        special = {HIDDEN: ActorFlag.HIDDEN, NSFW: ActorFlag.NSFW, GONE: ActorFlag.GONE}
        for id_ in (*COMMUNITIES, *PEOPLE):
            flags = ActorFlag.EXISTS | special.get(id_, ActorFlag(0))
            if id_ in COMMUNITIES and id_ != FAR:
                flags |= ActorFlag.LOCAL
            if id_ == BOT:
                flags |= ActorFlag.BOT
            self.actors.write(id_, {"instance": 2 if id_ == FAR else 1, "flags": int(flags)})
        self.ranks = Ranks(self.posts, self.actors, self.activity)

    def post(self, id_: int, **values: int) -> int:
        """Write a post; what is not said is ordinary."""
        published_us = values.get("published_us", NOW_US - HOUR_US)
        self.posts.write(id_, {
            "published_us": published_us, "newest_comment_us": published_us,
            "active_us": published_us, "up": 1, "down": 0, "comments": 0, "community": LOCAL,
            "creator": 10, "language": 0, "flags": int(PostFlag.EXISTS), **values,
        })
        return id_

    def many(self, count: int, *, seed: int = 1) -> None:
        """Write posts of every kind, the newest last."""
        chance = np.random.default_rng(seed)
        ages = np.sort((chance.random(count) ** 3 * 1e4 * HOUR_US).astype(int))[::-1]
        published = NOW_US - ages
        up = np.minimum(chance.pareto(1.0, count) * 2, 1e6).astype(int)
        flags = np.where(chance.random(count) < 0.05, PostFlag.GONE, 0) | PostFlag.EXISTS
        self.posts.write_rows(range(1, count + 1), {
            "published_us": published,
            "newest_comment_us": published + (chance.random(count) * ages).astype(int),
            "active_us": published + (chance.random(count) * ages).astype(int),
            "up": up, "down": (up * chance.random(count) * 1.5).astype(int),
            "comments": (up / 3).astype(int),
            "community": chance.choice([1, 1, 1, 5, 6, 7, 8], count),
            "creator": chance.choice(list(PEOPLE), count),
            "language": chance.choice([0, 37], count),
            "flags": flags.astype(int),
        })

    def page(self, *, now_us: int = NOW_US, standing: Standing | None = None,
             **asked: Any) -> tuple[list[int], str | None]:
        """Ask for a page."""
        query = PostQuery(**{"listing": Listing.ALL, "sort": Sort.HOT, "limit": 20, **asked})
        return self.ranks.page(query, now_us=now_us, viewer_standing=standing or nobody())

    def ids(self, **asked: Any) -> list[int]:
        """Return the ids of a page, in order."""
        return self.page(**asked)[0]

    def by_definition(self, sort: Sort, now_us: int) -> list[int]:
        """Return every post that is there, ordered by what the ranks are defined to be."""
        view = self.posts.view()
        order = ORDERS[sort]
        moment_us = now_us - now_us % 1_000_000
        active = np.zeros(view.rows, np.int64)
        for id_, counts in self.activity.by_community().items():
            active[id_] = counts.month

        def take(name: str) -> np.ndarray:
            if name == "users_active_month":
                return active[view.whole("community")]
            return view.whole(name)

        ranks = ranks_of(order, take, moment_us=moment_us)
        there = (view.whole("flags") & (PostFlag.EXISTS | PostFlag.GONE)) == PostFlag.EXISTS
        if order.window_us:
            there &= view.whole("published_us") >= moment_us - order.window_us
        return sorted(np.flatnonzero(there).tolist(), key=lambda id_: (-ranks[id_], -id_))


def standing(**sets: Any) -> Standing:
    """Return the standing of person 10 with some sets."""
    made = nobody()
    made.person_id = 10
    for name, members in sets.items():
        setattr(made, name, BitMap(members))
    return made
