"""Comments: written, changed, taken away, read as threads and as lists."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from lichen.accounts import Act, Viewer, actors_among
from lichen.events import Operation
from lichen.forum import comment_rows, community_rows, post_rows, vote_rows
from lichen.forum.checks import Written, judged, settle
from lichen.forum.comment_entry import Thread, bumped, enter
from lichen.forum.drafts import check_comment, check_language, fitting_language
from lichen.forum.ledger import Place, uri_of_comment, uri_of_post
from lichen.forum.limits import BATCH_MAX, COMMENT_DEPTH_MAX
from lichen.forum.model import (
    Comment,
    CommentId,
    CommentView,
    CommunityView,
)
from lichen.forum.orders import NewComment
from lichen.forum.part import Part
from lichen.forum.permissions import (
    can_see_post,
    check_member,
    check_replier,
    is_gone,
    is_moderator,
    no_such_comment,
    no_such_post,
)
from lichen.forum.posts import stage_communities
from lichen.forum.tree import ancestors_of, depth_of, path_below
from lichen.forum.views import (
    ACTORS_OF_COMMENTS,
    CommentScene,
    comment_queries,
    post_queries,
    shown,
)
from lichen.kit import Forbidden, Reason, Refused
from lichen.store import Query, Unit

_THREAD_QUERIES = 8  # of a batch of comments: two locks, three of posts, parents, actors twice

ACTORS_OF_PARENTS = actors_among(comment_rows.CREATOR_IDS_OF_PARENTS)


class _Located(NamedTuple):
    """A comment that is about to change, and how records name its parent."""

    scene: CommentScene
    view: CommentView
    parent_uri: str | None

    @property
    def community(self) -> CommunityView:
        return self.scene.communities[self.view.community.id]


class Comments(Part):
    """Commands and queries about single comments."""

    def create_comments(self, unit: Unit, new: Sequence[NewComment]) -> list[Comment]:
        """Write a batch of comments with their authors' own upvotes; two round trips in all.

        Checks what is written, not who writes: that is decided by who calls.
        """
        return self._write_comments(unit, new, self._thread(unit, None, new))

    def create_comment(
        self, unit: Unit, viewer: Viewer, post_id: int, *, content: str,
        parent_id: int | None = None, language_id: int | None = None,
        holds: tuple[Reason, ...] = (),
    ) -> CommentView:
        """Write a comment with its author's own upvote; two round trips.

        One that `holds` keep back waits, seen by nobody else, for a moderator.
        """
        self._screen(content)
        self._check_spoken(language_id)
        new = NewComment(creator_id=viewer.id, post_id=post_id, content=content,
                         parent_id=parent_id, language_id=language_id, holds=holds)
        counting = self._accounts.newcomers.begin(unit, viewer, Act.COMMENT)
        thread = self._thread(unit, viewer, [new], counting.queries)
        view = thread.views[post_id]
        community = thread.communities[view.post.community_id]
        check_replier(viewer, view.post, community)
        counting.end(unit, thread.beside)
        (comment,) = self._write_comments(unit, [new], thread,
                                          moderates=is_moderator(viewer, community))
        return CommentView(
            comment=comment, creator=viewer.actor, post=thread.posts[post_id],
            community=thread.communities[community.community.id].community,
            creator_banned_from_community=False, creator_is_moderator=community.moderates,
            subscribed=community.subscribed, my_vote=1,
        )

    def edit_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, *, content: str | None = None,
        language_id: int | None = None,
    ) -> CommentView:
        """Change one's own comment; what is None stays; two round trips."""
        self._screen(content)
        self._check_spoken(language_id)
        located = self._locked_comment(unit, viewer, comment_id)
        _check_author(viewer, located)
        before = located.view.comment
        comment = msgspec.structs.replace(
            before,
            content=before.content if content is None else check_comment(content),
            language_id=(
                before.language_id if language_id is None
                else check_language(language_id, located.view.community)
            ),
            updated_us=unit.clock_us,
        )
        (verdict,) = judged(self._hooks, unit, [Written(
            post=located.view.post, comment=comment, author=viewer.actor, before=before,
            community=located.view.community, moderates=is_moderator(viewer, located.community),
        )])
        comment = msgspec.structs.replace(comment, held=comment.held or verdict.hold)
        changed = self._changed_comment(unit, located, comment)
        settle(unit, [verdict])
        return changed

    def delete_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, *, deleted: bool
    ) -> CommentView:
        """Take one's own comment away, or bring it back; two round trips."""
        located = self._locked_comment(unit, viewer, comment_id)
        _check_author(viewer, located)
        changed = msgspec.structs.replace(located.view.comment, deleted=deleted)
        return self._changed_comment(unit, located, changed)

    def comment_view(
        self, unit: Unit, viewer: Viewer | None, comment_id: int
    ) -> CommentView:
        """Return a comment, where its post can be seen; one round trip."""
        found = self.comment_views(unit, viewer, [comment_id])
        if not found:
            raise no_such_comment()
        return found[0]

    def comment_views(
        self, unit: Unit, viewer: Viewer | None, ids: Sequence[int]
    ) -> list[CommentView]:
        """Return those of the comments whose posts can be seen, in the order of ids.

        One round trip. What was taken away has lost its text, but for its author and moderators.
        """
        flush = self._views.fetch(unit, viewer, *comment_queries(unit, viewer, ids))
        return list(seen(viewer, self._views.comments(flush.rows, flush.standing), ids))

    def comment_id_by_ap_id(self, unit: Unit, ap_id: str) -> CommentId | None:
        """Return the comment born with an ActivityPub id."""
        rows = unit.fetch(post_rows.COMMENT_ID_BY_AP_ID, ap_id=ap_id)
        return CommentId(rows[0].id) if rows else None

    def _thread(
        self, unit: Unit, viewer: Viewer | None, new: Sequence[NewComment],
        beside: Sequence[Query] = (),
    ) -> Thread:
        """Return what a batch of comments is written into, posts and communities locked."""
        assert len(new) <= BATCH_MAX
        post_ids = sorted({one.post_id for one in new})
        parent_ids = sorted({one.parent_id for one in new if one.parent_id is not None})
        creator_ids = sorted({one.creator_id for one in new})
        flush = self._views.fetch(
            unit, viewer,
            (community_rows.LOCK_COMMUNITIES_OF_POSTS, {"ids": post_ids}),
            (post_rows.LOCK_POSTS, {"ids": post_ids}),
            *post_queries(unit, viewer, post_ids),
            (comment_rows.PARENTS, {"ids": parent_ids}),
            (ACTORS_OF_COMMENTS, {"ids": parent_ids, "now_us": unit.clock_us}),
            self._accounts.actors_query(unit, creator_ids),
            *beside,
        )
        _communities, _posts, *posts, parents, answered, creators = flush.rows[:_THREAD_QUERIES]
        scene = self._views.posts(posts, flush.standing)
        if len(scene.views) < len(post_ids):
            raise no_such_post()
        return Thread(
            posts={key: view.post for key, view in scene.views.items()},
            views=scene.views, communities=scene.communities,
            actors={**scene.actors, **self._accounts.actors_from(chain(answered, creators))},
            parents={row.id: comment_rows.comment_from(row) for row in parents},
            beside=flush.rows[_THREAD_QUERIES:],
        )

    def _write_comments(
        self, unit: Unit, new: Sequence[NewComment], thread: Thread, *, moderates: bool = False
    ) -> list[Comment]:
        written = self._drafted(unit, new, thread, moderates=moderates)
        verdicts = judged(self._hooks, unit, written)
        ledger = self._ledger(unit)
        comments, votes = [], []
        children: dict[int, int] = {}
        for one, verdict in zip(written, verdicts, strict=True):
            assert one.comment is not None, "a comment is written"
            hold = verdict.hold or bool(one.holds)
            comment = msgspec.structs.replace(one.comment, held=hold, unseen=hold)
            comments.append(comment)
            for ancestor in () if comment.held else ancestors_of(comment.path):
                children[ancestor] = children.get(ancestor, 0) + 1
            votes.append(enter(ledger, thread, comment, one.holds))
        comments = [
            msgspec.structs.replace(comment, children=children.pop(comment.id, 0))
            for comment in comments
        ]
        posts = [thread.posts[key] for key in sorted({comment.post_id for comment in comments})]
        thread.tally_posts(ledger, posts)
        communities = {post.community_id: thread.communities[post.community_id] for post in posts}
        for community in communities.values():
            ledger.tally_community(community.community)
        unit.stage(comment_rows.INSERT_COMMENT, *(
            comment_rows.row_of_comment(
                comment, community_id=thread.posts[comment.post_id].community_id
            )
            for comment in comments
        ))
        unit.stage(comment_rows.COUNT_CHILDREN, *(
            {"row_id": key, "more": more} for key, more in sorted(children.items())
        ))
        unit.stage(post_rows.TALLY_POST, *post_rows.tallies_of_posts(posts))
        stage_communities(unit, [view.community for view in communities.values()])
        unit.stage(vote_rows.WRITE_VOTE, *votes)
        ledger.close()
        settle(unit, verdicts)
        return comments

    def _drafted(
        self, unit: Unit, new: Sequence[NewComment], thread: Thread, *, moderates: bool
    ) -> list[Written]:
        """Return the batch as it would be stored; later ones may answer earlier ones."""
        numbers = iter(unit.take_numbers("comment", sum(one.id is None for one in new)))
        written = []
        for one in new:
            comment = self._new_comment(unit, one, thread, number=one.id or next(numbers))
            thread.parents[comment.id] = comment
            post = thread.posts[comment.post_id]
            written.append(Written(
                post=post, comment=comment, author=thread.actors[one.creator_id],
                community=thread.communities[post.community_id].community, moderates=moderates,
                holds=one.holds,
            ))
        return written

    def _new_comment(
        self, unit: Unit, new: NewComment, thread: Thread, *, number: int
    ) -> Comment:
        content = check_comment(new.content)
        post = thread.posts[new.post_id]
        parent = None if new.parent_id is None else thread.parents.get(new.parent_id)
        if new.parent_id is not None and (
            parent is None or parent.post_id != new.post_id or parent.held
        ):
            raise no_such_comment()
        if parent is not None and depth_of(parent.path) >= COMMENT_DEPTH_MAX:
            raise Refused(
                "max_comment_depth_reached",
                f"Replies go {COMMENT_DEPTH_MAX} levels deep; answer further up.",
            )
        community = thread.communities[post.community_id].community
        published_us = unit.clock_us if new.published_us is None else new.published_us
        return Comment(
            id=CommentId(number), tid=new.tid or self._tids.next(),
            ap_id=new.ap_id or self._addresses.absolute(self._addresses.comment(number)),
            local=new.local, post_id=post.id, creator_id=new.creator_id,
            path=path_below(parent.path if parent else None, number), content=content,
            language_id=(
                check_language(new.language_id, community) if new.local
                else fitting_language(new.language_id, community)
            ),
            published_us=published_us, updated_us=None, deleted=False, removed=False,
            distinguished=False, up=1, down=0, children=0,
        )

    def _locked_comment(self, unit: Unit, viewer: Viewer, comment_id: int) -> _Located:
        """Return a comment, locked with its post and community; refuse one that is not there."""
        asked = {"ids": [comment_id]}
        flush = self._views.fetch(
            unit, viewer,
            (community_rows.LOCK_COMMUNITIES_OF_COMMENTS, asked),
            (comment_rows.LOCK_POSTS_OF_COMMENTS, asked),
            (comment_rows.LOCK_COMMENTS, asked),
            *comment_queries(unit, viewer, [comment_id]),
            (comment_rows.PARENTS_OF_COMMENTS, asked),
            (ACTORS_OF_PARENTS, {**asked, "now_us": unit.clock_us}),
        )
        _communities, _posts, _comments, *rows, parents, answered = flush.rows
        scene = self._views.comments(rows, flush.standing)
        if comment_id not in scene.views:
            raise no_such_comment()
        people = self._accounts.actors_from(answered)
        uris = [uri_of_comment(comment_rows.comment_from(row), people[row.creator_id].did)
                for row in parents]
        return _Located(scene, scene.views[comment_id], uris[0] if uris else None)

    def _changed_comment(
        self, unit: Unit, located: _Located, comment: Comment
    ) -> CommentView:
        """Write what a comment has become, count it in or out, and return its view."""
        view = located.view
        ledger = self._ledger(unit)
        more = is_gone(view.comment) - is_gone(comment)
        post, community = view.post, view.community
        comment = msgspec.structs.replace(comment, unseen=comment.unseen and is_gone(comment))
        unit.stage(comment_rows.CHANGE_COMMENT,
                   comment_rows.row_of_comment(comment, community_id=community.id))
        author = located.scene.actors[post.creator_id]
        first_seen = view.comment.unseen and not comment.unseen
        place = Place(post, community)
        if first_seen:
            unit.stage(comment_rows.COUNT_CHILDREN, *(
                {"row_id": key, "more": 1} for key in sorted(ancestors_of(comment.path))
            ))
            ledger.tally_comment(comment, place, author_did=view.creator.did)
        if more:
            post = (bumped(post, comment) if first_seen
                    else msgspec.structs.replace(post, comments=post.comments + more))
            community = msgspec.structs.replace(community, comments=community.comments + more)
            unit.stage(post_rows.TALLY_POST, *post_rows.tallies_of_posts([post]))
            stage_communities(unit, [community])
            if not post.unseen:
                ledger.tally_post(post, author_did=author.did, community=community)
            ledger.tally_community(community)
            ledger.words(comment.creator_id, comments=more)
        if comment.held != view.comment.held:
            ledger.held(comment, author_did=view.creator.did)
        if not (is_gone(comment) and is_gone(view.comment)):
            operation: Operation = "delete" if is_gone(comment) else "update"
            if first_seen:
                operation = "create"
            ledger.comment(
                comment, place, author_did=view.creator.did, post_uri=uri_of_post(post, author.did),
                parent_uri=located.parent_uri, operation=operation, before=view.comment,
            )
        ledger.close()
        return msgspec.structs.replace(view, comment=comment, post=post, community=community)


def _check_author(viewer: Viewer, located: _Located) -> None:
    if viewer.id != located.view.comment.creator_id:
        raise Forbidden("no_comment_edit_allowed", "Only its author can change a comment.")
    check_member(viewer, located.community)


def seen(
    viewer: Viewer | None, scene: CommentScene, ids: Sequence[int]
) -> Iterator[CommentView]:
    """Iterate over the comments whose posts the viewer can see, in the order of ids."""
    for comment_id in ids:
        view = scene.views.get(comment_id)
        if view is None:
            continue
        community = scene.communities[view.community.id]
        if can_see_post(viewer, view.post, community):
            as_seen = shown(view, viewer, moderates=community.moderates)
            if as_seen is not None:
                yield as_seen
