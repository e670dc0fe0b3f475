"""Purges: things taken out of the rows for good, with a line in the log that says so.

The forum drops the rows and tells; search and notifications follow what is told; pictures go by a
port. What is left: the lines of the log before the purge, until the next sweep. A person who is
purged is erased too, by a port: what is left of them is a number that is never given again.
"""

from collections.abc import Iterable

from lichen.accounts import ActorKind, Viewer
from lichen.forum import PostView, check_admin_of_site, traces_outside
from lichen.kit import NotFound
from lichen.moderation import queue_rows, report_rows
from lichen.moderation.erasure import Erasure
from lichen.moderation.model import Act, Kind, check_reason
from lichen.store import Unit


class Purging(Erasure):
    """Commands for administrators, which nothing undoes; each says whether there is more to do."""

    def purge_post(
        self, unit: Unit, viewer: Viewer, post_id: int, *, reason: str | None = None
    ) -> None:
        """Purge a post with every comment below it."""
        reason = check_reason(reason)
        (view,) = self._forum.purge_posts(unit, viewer, [post_id])
        self._forget(unit, [view])
        self._log(unit, viewer, Act(
            kind=Kind.PURGE_POST, done=True, post_id=post_id, reason=reason,
            community=view.community.actor, outside=traces_outside(view.community, view.post),
        ))

    def purge_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, *, reason: str | None = None
    ) -> None:
        """Purge a comment with the branch below it."""
        reason = check_reason(reason)
        (view,) = self._forum.purge_comments(unit, viewer, [comment_id])
        self._drop(unit, "comment", [comment_id])
        self._log(unit, viewer, Act(
            kind=Kind.PURGE_COMMENT, done=True, post_id=view.post.id, comment_id=comment_id,
            reason=reason, community=view.community.actor,
            outside=traces_outside(view.community, view.post, view.comment),
        ))

    def purge_community(
        self, unit: Unit, viewer: Viewer, community_id: int, *, reason: str | None = None
    ) -> bool:
        """Purge a community with all that is in it; true where it must be asked again."""
        reason = check_reason(reason)
        check_admin_of_site(viewer)
        if self._purge_proposals(unit, community_id):
            return True
        actor = self._community_actor(unit, community_id)
        views = self._forum.community_views(unit, None, [community_id])
        is_known = bool(views) and not views[0].community.local_only
        posts, more = self._forum.purge_community(unit, viewer, community_id)
        self._forget(unit, posts)
        if actor is not None and not more:
            self._purge_pictures(unit, (actor.avatar, actor.banner))
            self._log(unit, viewer, Act(
                kind=Kind.PURGE_COMMUNITY, done=True, community=actor, reason=reason,
                # Whoever tells others what is gone has no row any more that says who may know.
                subject=actor.did if is_known else None,
                outside=traces_outside(views[0].community) if views else "withheld",
            ))
        return more

    def purge_person(
        self, unit: Unit, viewer: Viewer, person_id: int, *, reason: str | None = None
    ) -> bool:
        """Purge all words of a person and ban it for good; true where it must be asked again."""
        reason = check_reason(reason)
        person = self._accounts.actors(unit, [person_id]).get(person_id)
        if person is None or person.kind is not ActorKind.PERSON:
            raise NotFound("couldnt_find_person", "There is no such person.")
        if not person.banned or person.ban_expires_us is not None:
            self._accounts.ban(unit, viewer, person_id, banned=True, reason=reason)
        proposals = self.proposal_ids_of(unit, person_id)
        self.erase_proposals(unit, proposals)
        posts, more = self._forum.purge_words(unit, viewer, person_id)
        self._forget(unit, posts)
        if not more:
            self._purge_pictures(unit, (person.avatar, person.banner))
            if self._erase is not None:
                self._erase(unit, person_id)
            self._log(unit, viewer, Act(
                kind=Kind.PURGE_PERSON, done=True, person=person, reason=reason
            ))
        return more

    def _forget(self, unit: Unit, views: list[PostView]) -> None:
        self._drop(unit, "post", [view.post.id for view in views])
        self._purge_pictures(unit, (view.post.url for view in views))

    def _drop(self, unit: Unit, kind: str, ids: list[int]) -> None:
        """Drop what was reported, with the texts that reports keep."""
        unit.stage(report_rows.DROP_OF, {"of_kind": kind, "ids": ids})
        unit.stage(queue_rows.DROP_OF, {"of_kind": kind, "ids": ids})

    def _purge_pictures(self, unit: Unit, addresses: Iterable[str | None]) -> None:
        ours = [one for one in addresses if one and one.startswith(self._addresses.public_url)]
        if self._pictures is not None and ours:
            self._pictures.purge(unit, ours)
