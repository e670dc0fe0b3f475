"""Judges: what moderators and administrators decide about posts, comments and communities.

Each command says what there was before, so that whoever keeps a log of it can undo it. Bans and
appointments are in `members`.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec

from lichen.accounts import Viewer
from lichen.forum import community_rows as rows
from lichen.forum.members import ACTORS_MODERATING, Members
from lichen.forum.model import (
    Comment,
    CommentView,
    Community,
    CommunityView,
    Post,
    PostView,
)
from lichen.forum.outside import traces_outside
from lichen.forum.permissions import (
    check_admin_of_site,
    check_member,
    check_moderator,
    no_such_community,
)
from lichen.forum.posts import Posts
from lichen.forum.rulings import (
    Appointed,
    CommentRuling,
    CommunityRuling,
    PostRuling,
)
from lichen.forum.threads import Threads
from lichen.forum.views import comment_queries, post_queries
from lichen.kit import Forbidden, NotFound
from lichen.store import Unit

Subject = TypeVar("Subject", Post, Comment, Community)


class Scene(NamedTuple):
    """Posts and comments as they are, seen or not, with where they are; by id."""

    posts: dict[int, PostView]
    comments: dict[int, CommentView]
    communities: dict[int, CommunityView]


class Judges(Members, Posts, Threads):
    """Commands that take away, close, pin, mark and hand over."""

    def rule_post(
        self, unit: Unit, viewer: Viewer, post_id: int, ruling: PostRuling
    ) -> tuple[PostView, PostView]:
        """Remove, lock or pin a post, or the opposite; return it before and after.

        Pinning for the whole site is for administrators. What is so already changes nothing and is
        not told. Two round trips, three where another moderator's post is removed.
        """
        scene = self._locked(unit, viewer, post_id)
        before = scene.views[post_id]
        check_moderator(viewer, scene.communities[before.post.community_id])
        if ruling.featured_local is not None:
            check_admin_of_site(viewer)
        if ruling.removed and before.creator_is_moderator:
            self._check_rank(unit, viewer, before.community.id, before.creator.id)
        after = _ruled(before.post, ruling)
        if after == before.post:
            return before, before
        return before, self._changed(unit, before, after)

    def rule_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, ruling: CommentRuling
    ) -> tuple[CommentView, CommentView]:
        """Remove a comment or mark it as a moderator's own word; return it before and after.

        Two round trips, three where another moderator's comment is removed.
        """
        located = self._locked_comment(unit, viewer, comment_id)
        before = located.view
        if ruling.distinguished is not None:
            check_member(viewer, located.community)
            # Lemmy 0.19, comment/distinguish.rs: its author, who must moderate here.
            if viewer.id != before.comment.creator_id:
                raise Forbidden("no_comment_edit_allowed", "Only its author marks a comment.")
        check_moderator(viewer, located.community)
        if ruling.removed and before.creator_is_moderator:
            self._check_rank(unit, viewer, before.community.id, before.creator.id)
        after = _ruled(before.comment, ruling)
        if after == before.comment:
            return before, before
        return before, self._changed_comment(unit, located, after)

    def rule_community(
        self, unit: Unit, viewer: Viewer, community_id: int, ruling: CommunityRuling
    ) -> tuple[CommunityView, CommunityView]:
        """Remove or hide a community as an administrator, or close it as its first moderator.

        Returns it before and after; two round trips.
        """
        flush = self._views.fetch(
            unit, viewer, (rows.LOCK_COMMUNITIES, {"ids": [community_id]}),
            *self._views.community_queries(unit, viewer, [community_id]),
            (rows.MODERATORS, {"ids": [community_id]}),
        )
        _lock, *answers, order = flush.rows
        views = self._views.communities(answers, flush.standing)
        if community_id not in views:
            raise no_such_community()
        before = views[community_id]
        if ruling.deleted is not None:
            check_moderator(viewer, before)
            # Lemmy 0.19, community/delete.rs: is_top_mod.
            if not order or order[0].person_id != viewer.id:
                raise Forbidden("not_top_mod", "Only its first moderator closes a community.")
        else:
            check_admin_of_site(viewer)
        after = _ruled(before.community, ruling)
        if after == before.community:
            return before, before
        return before, self._changed_community(unit, before, after)

    def transfer_community(
        self, unit: Unit, viewer: Viewer, community_id: int, person_id: int, *,
        since_us: int | None = None,
    ) -> Appointed:
        """Put a moderator before all others, as the first of them or an administrator.

        `since_us` puts the person back to where it was. Two round trips.
        """
        asked = {"ids": [community_id], "now_us": unit.clock_us}
        view, (order, actors) = self._governed(
            unit, viewer, community_id, (rows.MODERATORS, asked), (ACTORS_MODERATING, asked)
        )
        if not viewer.admin and (not order or order[0].person_id != viewer.id):
            # Lemmy 0.19, community/transfer.rs: the first moderator, or an administrator.
            raise Forbidden("not_an_admin", "Only the first moderator hands a community over.")
        chosen = next((row for row in order if row.person_id == person_id), None)
        if chosen is None:
            raise NotFound("couldnt_find_person", "Appoint that person as a moderator first.")
        at_us = order[0].published_us - 1 if since_us is None else since_us
        moved = chosen is not order[0] or since_us is not None
        times = {row.person_id: row.published_us for row in order}
        if moved:
            times[person_id] = at_us
            self._move_moderator(unit, view.community, person_id, tid=chosen.tid, at_us=at_us)
        people = self._accounts.actors_from(actors)
        return Appointed(
            moderators=[people[one] for one in sorted(times, key=lambda one: (times[one], one))],
            changed=moved, since_us=chosen.published_us, outside=traces_outside(view.community),
        )

    def scene_of(
        self, unit: Unit, viewer: Viewer | None, *, posts: Sequence[int] = (),
        comments: Sequence[int] = (), communities: Sequence[int] = (),
    ) -> Scene:
        """Return posts and comments whether the viewer may see them or not; one round trip.

        For whoever judges them: the caller decides what of it is shown. `communities` come along
        beside those that the posts and comments are in.
        """
        flush = self._views.fetch(
            unit, viewer, *post_queries(unit, viewer, list(posts)),
            *comment_queries(unit, viewer, list(comments)),
            *self._views.community_queries(unit, viewer, communities),
        )
        below = self._views.posts(flush.rows[:3], flush.standing)
        above = self._views.comments(flush.rows[3:7], flush.standing)
        around = self._views.communities(flush.rows[7:], flush.standing)
        return Scene(
            below.views, above.views, {**below.communities, **above.communities, **around}
        )

    def _check_rank(
        self, unit: Unit, viewer: Viewer, community_id: int, person_id: int
    ) -> None:
        """Refuse a moderator who came after the person whose words it would remove."""
        # Lemmy 0.19, LocalUser::is_higher_mod_or_admin_check.
        if viewer.admin or viewer.id == person_id:
            return
        ranks = [row.person_id for row in unit.fetch(rows.MODERATORS, ids=[community_id])]
        if ranks.index(person_id) < ranks.index(viewer.id):
            raise Forbidden("not_higher_mod", "That moderator came before you.")

    def _move_moderator(
        self, unit: Unit, community: Community, person_id: int, *, tid: str, at_us: int
    ) -> None:
        pair = {"community_id": community.id, "person_id": person_id}
        unit.stage(rows.WRITE_MODERATOR, {**pair, "published_us": at_us, "tid": tid})


def _ruled(
    subject: Subject, ruling: PostRuling | CommentRuling | CommunityRuling
) -> Subject:
    """Return the subject with the marks that the ruling names."""
    marks = {name: value for name, value in msgspec.structs.asdict(ruling).items()
             if value is not None}
    if "removed" in marks and not isinstance(subject, Community):
        marks["held"] = False  # either decides what was held
    return msgspec.structs.replace(subject, **marks)
