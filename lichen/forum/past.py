"""The past: what was written before, for whoever judges what is written now or tries a rule.

`earlier_query` rides along in somebody's flush; the class walks everything in the order of ids, in
pieces, so that a trial over a year needs no more memory than one over a day.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lichen.forum import past_rows as rows
from lichen.forum.model import SubjectKind
from lichen.forum.part import Part
from lichen.store import Query, Row, Unit


class Earlier(msgspec.Struct, frozen=True):
    """How much a person wrote before a moment, counted up to a limit, and how much lately."""

    posts: int = 0
    comments: int = 0
    lately: int = 0


class PastThing(msgspec.Struct, frozen=True, gc=False):
    """A post or comment as it is now, with what became of it; `depth` is 0 for a post."""

    kind: SubjectKind
    id: int
    creator_id: int
    community_id: int
    published_us: int
    title: str
    text: str
    url: str | None
    nsfw: bool
    language_id: int
    depth: int
    deleted: bool
    removed: bool
    moderates: bool


class Changed(NamedTuple):
    """A post or comment that was written or edited since a moment, or is deleted."""

    id: int
    tid: str
    published_us: int
    updated_us: int | None
    deleted: bool


class PastBounds(NamedTuple):
    """Where a walk begins and ends, as row numbers: after the first, to the last."""

    posts: tuple[int, int]
    comments: tuple[int, int]


def earlier_query(
    creator_id: int, *, before_us: int, since_us: int, count_max: int, lately_max: int
) -> Query:
    """Return the query for what a person wrote before a moment; see `earlier_from`."""
    return rows.EARLIER, {
        "creator_id": creator_id, "before_us": before_us, "since_us": since_us,
        "count_max": count_max, "lately_max": lately_max,
    }


def earlier_from(answer: Sequence[Row]) -> Earlier:
    """Return what the rows of `earlier_query` say."""
    (row,) = answer
    return Earlier(posts=row.posts, comments=row.comments, lately=row.lately)


class Past(Part):
    """Queries about everything that was written, gone or not; for the house, not for viewers."""

    def past_bounds(self, unit: Unit, since_us: int) -> PastBounds:
        """Return which posts and comments were written since a moment; one round trip."""
        asked = {"since_us": since_us}
        posts, comments, ((newest),) = unit.fetch_all(
            (rows.LAST_POST_BEFORE, asked), (rows.LAST_COMMENT_BEFORE, asked),
            (rows.NEWEST_IDS, {}),
        )
        return PastBounds((posts[0].id if posts else 0, newest.post or 0),
                          (comments[0].id if comments else 0, newest.comment or 0))

    def past_posts(
        self, unit: Unit, *, after: int, limit: int, community_id: int = 0
    ) -> list[PastThing]:
        """Return the next posts after an id, of one community or all; one round trip."""
        found = unit.fetch(rows.POSTS_AFTER, after=after, limit=limit, community_id=community_id)
        return [
            PastThing(
                kind=SubjectKind.POST, id=row.id, creator_id=row.creator_id,
                community_id=row.community_id, published_us=row.published_us, title=row.name,
                text=row.body or "", url=row.url, nsfw=row.nsfw, language_id=row.language_id,
                depth=0, deleted=row.deleted, removed=row.removed, moderates=row.moderates,
            )
            for row in found
        ]

    def past_comments(
        self, unit: Unit, *, after: int, limit: int, community_id: int = 0
    ) -> list[PastThing]:
        """Return the next comments after an id, of one community or all; one round trip."""
        found = unit.fetch(rows.COMMENTS_AFTER, after=after, limit=limit,
                           community_id=community_id)
        return [
            PastThing(
                kind=SubjectKind.COMMENT, id=row.id, creator_id=row.creator_id,
                community_id=row.community_id, published_us=row.published_us, title="",
                text=row.content, url=None, nsfw=row.nsfw, language_id=row.language_id,
                depth=row.path.count("."), deleted=row.deleted, removed=row.removed,
                moderates=row.moderates,
            )
            for row in found
        ]

    def changed_posts(
        self, unit: Unit, communities: Sequence[int], *, since_us: int, after: int, limit: int
    ) -> list[Changed]:
        """Return the next posts after an id that were written or edited since a moment, and all
        that are deleted: rows do not say when. One round trip.
        """
        found = unit.fetch(rows.CHANGED_POSTS, communities=list(communities), since_us=since_us,
                           after=after, limit=limit)
        return [Changed(*row) for row in found]

    def changed_comments(
        self, unit: Unit, communities: Sequence[int], *, since_us: int, after: int, limit: int
    ) -> list[Changed]:
        """Return the next comments, as `changed_posts`."""
        found = unit.fetch(rows.CHANGED_COMMENTS, communities=list(communities), since_us=since_us,
                           after=after, limit=limit)
        return [Changed(*row) for row in found]

    def words_before(
        self, unit: Unit, ids: Sequence[int], before_us: int
    ) -> dict[int, tuple[int, int]]:
        """Return how many posts and comments people had written before; one round trip."""
        asked = {"ids": ids, "before_us": before_us}
        posts, comments = unit.fetch_all((rows.POSTS_BEFORE, asked), (rows.COMMENTS_BEFORE, asked))
        of_posts = {row.creator_id: row.count for row in posts}
        of_comments = {row.creator_id: row.count for row in comments}
        return {one: (of_posts.get(one, 0), of_comments.get(one, 0)) for one in ids}
