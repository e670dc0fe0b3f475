"""Voters: who voted how on one thing, for those who moderate it."""

from lichen.accounts import Viewer
from lichen.forum import community_rows, vote_rows
from lichen.forum.drafts import check_page
from lichen.forum.model import CommunityView, SubjectKind, Voter
from lichen.forum.part import Part
from lichen.forum.permissions import check_moderator, no_such_comment, no_such_post
from lichen.forum.views import comment_queries, post_queries
from lichen.store import Unit


class Voters(Part):
    """The query for the votes on one post or comment."""

    def voters(
        self, unit: Unit, viewer: Viewer, kind: SubjectKind, subject_id: int, *, page: int,
        limit: int,
    ) -> list[Voter]:
        """Return a page of voters, the newest vote first; two round trips.

        For moderators of the community and administrators; others are refused.
        """
        offset = check_page(page, limit)
        asked = {"kind": int(kind), "subject_id": subject_id, "limit": limit, "offset": offset}
        on_post = kind is SubjectKind.POST
        queries = (post_queries if on_post else comment_queries)(unit, viewer, [subject_id])
        *rows, votes = (
            flush := self._views.fetch(unit, viewer, *queries, (vote_rows.VOTERS, asked))
        ).rows
        scene = (self._views.posts if on_post else self._views.comments)(rows, flush.standing)
        if subject_id not in scene.views:
            raise no_such_post() if on_post else no_such_comment()
        community: CommunityView = next(iter(scene.communities.values()))
        check_moderator(viewer, community)
        people = [row.person_id for row in votes]
        actors, bans = unit.fetch_all(
            self._accounts.actors_query(unit, people),
            (community_rows.BANS, {"ids": [community.community.id], "people": people}),
        )
        known = self._accounts.actors_from(actors)
        banned = {
            row.person_id for row in bans
            if row.expires_us is None or row.expires_us > unit.clock_us
        }
        return [
            Voter(known[row.person_id], row.value, row.person_id in banned)
            for row in votes if row.person_id in known
        ]
