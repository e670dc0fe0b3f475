"""Acts on posts, comments and communities: the forum does it, the log keeps it, in one unit.

What is so already changes nothing and is no line of the log: of two moderators who act at once, the
first is in it.
"""

from lichen.accounts import Viewer
from lichen.events import at_uri, collection_of, forum
from lichen.forum import (
    CommentRuling,
    CommentView,
    CommunityRuling,
    CommunityView,
    PostRuling,
    PostView,
    traces_outside,
)
from lichen.moderation.model import Act, Kind, Why, check_reason
from lichen.moderation.part import Part
from lichen.store import Unit

_POST = collection_of(forum.Post)
_COMMENT = collection_of(forum.Comment)
_NO_REASON = Why()

Ruling = PostRuling | CommentRuling | CommunityRuling


class Acts(Part):
    """Commands about words and places; each takes a reason and returns the fresh view."""

    def remove_post(
        self, unit: Unit, viewer: Viewer, post_id: int, *, removed: bool, why: Why = _NO_REASON
    ) -> PostView:
        """Take a post away, or bring it back; removing resolves its reports; two round trips."""
        view = self._rule_post(unit, viewer, post_id, PostRuling(removed=removed), why=why)
        if removed:
            self._close_reports(unit, viewer, kind="post", subject_id=post_id)
        return view

    def lock_post(
        self, unit: Unit, viewer: Viewer, post_id: int, *, locked: bool, why: Why = _NO_REASON
    ) -> PostView:
        """Close a post for new comments, or open it; two round trips."""
        return self._rule_post(unit, viewer, post_id, PostRuling(locked=locked), why=why)

    def feature_post(
        self, unit: Unit, viewer: Viewer, post_id: int, *, featured: bool, local: bool = False,
        why: Why = _NO_REASON,
    ) -> PostView:
        """Pin a post to the top of its community, or of the site; two round trips."""
        ruling = (PostRuling(featured_local=featured) if local
                  else PostRuling(featured_community=featured))
        return self._rule_post(unit, viewer, post_id, ruling, why=why)

    def remove_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, *, removed: bool, why: Why = _NO_REASON
    ) -> CommentView:
        """Take a comment away, or bring it back; removing resolves its reports."""
        view = self._rule_comment(unit, viewer, comment_id, CommentRuling(removed=removed), why=why)
        if removed:
            self._close_reports(unit, viewer, kind="comment", subject_id=comment_id)
        return view

    def distinguish_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, *, distinguished: bool,
        why: Why = _NO_REASON,
    ) -> CommentView:
        """Mark one's own comment as a moderator's word, or no longer."""
        ruling = CommentRuling(distinguished=distinguished)
        return self._rule_comment(unit, viewer, comment_id, ruling, why=why)

    def remove_community(
        self, unit: Unit, viewer: Viewer, community_id: int, *, removed: bool, why: Why = _NO_REASON
    ) -> CommunityView:
        """Take a community away as an administrator, or bring it back."""
        ruling = CommunityRuling(removed=removed)
        return self._rule_community(unit, viewer, community_id, ruling, why=why)

    def hide_community(
        self, unit: Unit, viewer: Viewer, community_id: int, *, hidden: bool, why: Why = _NO_REASON
    ) -> CommunityView:
        """Keep a community out of the lists of who does not follow it, or let it in again."""
        ruling = CommunityRuling(hidden=hidden)
        return self._rule_community(unit, viewer, community_id, ruling, why=why)

    def _rule_post(
        self, unit: Unit, viewer: Viewer, post_id: int, ruling: PostRuling, *, why: Why
    ) -> PostView:
        reason = check_reason(why.reason)
        kind, done = _kind_of(ruling)
        before, after = self._forum.rule_post(unit, viewer, post_id, ruling)
        if after.post != before.post:
            self._log(unit, viewer, Act(
                kind=kind, done=done, person=after.creator,
                community=after.community.actor, post_id=post_id, reason=reason,
                subject=at_uri(after.creator.did, _POST, after.post.tid),
                outside=traces_outside(after.community, after.post),
            ), undoes=why.undoes)
        return after

    def _rule_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, ruling: CommentRuling, *, why: Why
    ) -> CommentView:
        reason = check_reason(why.reason)
        kind, done = _kind_of(ruling)
        before, after = self._forum.rule_comment(unit, viewer, comment_id, ruling)
        if after.comment != before.comment:
            self._log(unit, viewer, Act(
                kind=kind, done=done, person=after.creator,
                community=after.community.actor, post_id=after.post.id, comment_id=comment_id,
                reason=reason, subject=at_uri(after.creator.did, _COMMENT, after.comment.tid),
                outside=traces_outside(after.community, after.post, after.comment),
            ), undoes=why.undoes)
        return after

    def _rule_community(
        self, unit: Unit, viewer: Viewer, community_id: int, ruling: CommunityRuling, *, why: Why
    ) -> CommunityView:
        reason = check_reason(why.reason)
        kind, done = _kind_of(ruling)
        before, after = self._forum.rule_community(unit, viewer, community_id, ruling)
        if after.community != before.community:
            actor = after.community.actor
            # What it hides or lets out, outsiders knew before or know from now on.
            known = {traces_outside(one.community) for one in (before, after)}
            self._log(unit, viewer, Act(
                kind=kind, done=done, community=actor, reason=reason, subject=actor.did,
                outside="shown" if "shown" in known else "withheld",
            ), undoes=why.undoes)
        return after


# The kind of an act by the noun and the one mark that it sets.
_KINDS: dict[tuple[type[Ruling], str], Kind] = {
    (PostRuling, "removed"): Kind.REMOVE_POST,
    (PostRuling, "locked"): Kind.LOCK_POST,
    (PostRuling, "featured_community"): Kind.FEATURE_POST,
    (PostRuling, "featured_local"): Kind.FEATURE_POST_LOCAL,
    (CommentRuling, "removed"): Kind.REMOVE_COMMENT,
    (CommentRuling, "distinguished"): Kind.DISTINGUISH_COMMENT,
    (CommunityRuling, "removed"): Kind.REMOVE_COMMUNITY,
    (CommunityRuling, "hidden"): Kind.HIDE_COMMUNITY,
}


def _kind_of(ruling: Ruling) -> tuple[Kind, bool]:
    """Return what an act is by the one mark that it sets, and whether it sets or takes it."""
    ((name, mark),) = ((name, value) for name in ruling.__struct_fields__
                       if (value := getattr(ruling, name)) is not None)
    return _KINDS[type(ruling), name], bool(mark)
