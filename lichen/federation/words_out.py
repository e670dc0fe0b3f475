"""What people write and how they vote, as activities; pure.

A post or comment that is written becomes a Create, edited an Update, taken away a Delete, brought
back the Undo of that. A vote becomes a Like or Dislike, taken back the Undo of it.
"""

from collections.abc import Iterable, Sequence

import msgspec

from lichen.accounts import Actor
from lichen.events import Event
from lichen.events import forum as of_forum
from lichen.federation.documents import Document
from lichen.federation.scenes import POST, Standing, mentioned_in
from lichen.federation.speaking import Speaker, Told, member_key, vote_key
from lichen.forum import CommentView, Community, PostView
from lichen.kit.ids import time_us_of_tid

# So soon after it was written its author's own upvote belongs to it.
WRITTEN_US_MAX = 3_000_000


class _Marked(msgspec.Struct, frozen=True):
    """What is read of a post or a comment to know whether its words changed."""

    edited: bool = False


_MARKED = msgspec.json.Decoder(_Marked)


class Words(Speaker):
    """Tells of posts, comments and votes."""

    def post(self, event: Event) -> Told:
        """Tell of a post."""
        view = self.scene.posts.get(event.row)
        if view is None:
            return self._purged(event, self._addresses.post(event.row))
        post, community = view.post, view.community
        if not post.local or not view.creator.local:
            return []
        if event.operation == "delete":
            return self._deleted(event, view, post.ap_id) if post.deleted else []
        if post.deleted or post.removed or post.held:
            return []
        back = self._back(event, view)
        if back or (event.operation == "update" and not _is_edit(event)):
            return back
        page = self.documents.page(post, author=view.creator, community=community)
        told = self._say(event, page, view, writes=(post.ap_id,), reads=())
        is_ours = community.actor.local and community.id in {one.community for one in told}
        if event.operation == "create" and is_ours:
            told.append(self.shown(event.id, community, post.ap_id))
        return told

    def comment(self, event: Event) -> Told:
        """Tell of a comment."""
        view = self.scene.comments.get(event.row)
        if view is None:
            return self._purged(event, self._addresses.comment(event.row))
        comment = view.comment
        if not comment.local or not view.creator.local:
            return []
        if event.operation == "delete":
            return self._deleted(event, view, comment.ap_id) if comment.deleted else []
        if comment.deleted or comment.removed or comment.held:
            return []
        back = self._back(event, view)
        if back or (event.operation == "update" and not _is_edit(event)):
            return back
        return self.note(event, view)

    def note(self, event: Event, view: CommentView, *, kind: str = "") -> Told:
        """Return what tells of a comment as it is now."""
        parent = self.scene.comments.get(view.comment.parent_id or 0)
        below = self.scene.posts.get(view.post.id)
        answered = parent.creator if parent else below.creator if below else None
        named = [
            found for one in mentioned_in(view.comment.content)
            if (found := self.scene.named.get((one.name.lower(), one.domain))) is not None
        ]
        note = self.documents.note(
            view.comment, author=view.creator, community=view.community.actor, post=view.post,
            parent=parent.comment if parent else None, answered=answered, mentioned=named,
        )
        above = parent.comment.ap_id if parent else view.post.ap_id
        told_of = [*named, *([answered] if answered else [])]
        return self._say(
            event, note, view, writes=(view.comment.ap_id,), reads=(above,),
            also={one.domain for one in told_of if not one.local}, kind=kind,
        )

    def _say(
        self, event: Event, document: Document, view: PostView | CommentView, *,
        writes: Sequence[str], reads: Sequence[str], also: Iterable[str] = (), kind: str = "",
    ) -> Told:
        group = view.community.actor
        kind = kind or ("Create" if event.operation == "create" else "Update")
        cc = document["cc"]
        activity = self.deeds.in_community(
            kind, event.id, actor=view.creator.ap_id, community=group.ap_id, object_=document,
            cc=cc if isinstance(cc, list) else (),
        )
        return self.in_community(
            event.id, activity, by=view.creator, community=view.community, writes=writes,
            reads=(*reads, member_key(view.creator, group)), also=also,
        )

    def _deleted(self, event: Event, view: PostView | CommentView, object_id: str) -> Told:
        group = view.community.actor
        activity = self.deeds.in_community(
            "Delete", event.id, actor=view.creator.ap_id, community=group.ap_id, object_=object_id
        )
        self.kept[event.rkey] = Standing("Delete", event.id, object_id, view.community.id)
        return self.in_community(
            event.id, activity, by=view.creator, community=view.community, writes=(object_id,)
        )

    def _back(self, event: Event, view: PostView | CommentView) -> Told:
        """Return the Undo of a deletion that stands, with what came back."""
        stood = self.standing(event.rkey)
        if stood is None or stood.kind != "Delete":
            return []
        self.kept[event.rkey] = None
        group = view.community.actor
        deletion = self.deeds.in_community(
            "Delete", stood.event_id, actor=view.creator.ap_id, community=group.ap_id,
            object_=stood.object,
        )
        return self.in_community(
            event.id, self.deeds.undo(event.id, deletion), by=view.creator,
            community=view.community, writes=(stood.object,),
        )

    def _purged(self, event: Event, path: str) -> Told:
        """Return the Delete of a local person's words whose row is gone."""
        author = self.scene.people.get(event.did)
        if event.operation != "delete" or author is None or not author.local:
            return []
        object_id = self._addresses.absolute(path)
        self.purged.add(object_id)
        activity = self.deeds.to_everybody(
            "Delete", event.id, actor=author.ap_id, object_=object_id
        )
        return self.everywhere(activity, by=author, writes=(object_id,))

    def vote(self, event: Event) -> Told:
        """Tell of a vote."""
        voter = self.scene.people.get(event.did)
        stood = self.standing(event.rkey)
        if voter is None or not voter.local:
            return []
        if event.operation == "delete":
            if stood is None:
                return []
            self.kept[event.rkey] = None
            community = self.scene.communities.get(stood.community_id)
            value = 1 if stood.kind == "Like" else -1
            return [] if community is None else self._cast(
                event, voter, community, value=value, object_id=stood.object,
                undoes=stood.event_id,
            )
        record = msgspec.json.decode(event.record, type=of_forum.Vote)
        is_post = record.subject.split("/")[3] == POST
        view = (self.scene.posts if is_post else self.scene.comments).get(event.row)
        if view is None:
            return []
        subject = view.post if isinstance(view, PostView) else view.comment
        if subject.held or subject.unseen:
            return []
        kind = "Like" if record.value > 0 else "Dislike"
        self.kept[event.rkey] = Standing(kind, event.id, subject.ap_id, view.community.id)
        if subject.creator_id == voter.id and event.operation == "create" and record.value > 0:
            # An author's own upvote comes with the post, wherever it is read.
            is_written = time_us_of_tid(event.id) - subject.published_us < WRITTEN_US_MAX
            if is_written:
                return []
        return self._cast(
            event, voter, view.community, value=record.value, object_id=subject.ap_id
        )

    def _cast(
        self, event: Event, voter: Actor, community: Community, *, value: int, object_id: str,
        undoes: str = "",
    ) -> Told:
        vote = self.deeds.vote(
            value, undoes or event.id, actor=voter.ap_id, community=community.actor.ap_id,
            object_=object_id,
        )
        key = vote_key(voter.ap_id, object_id)
        told = self.in_community(
            event.id, self.deeds.undo(event.id, vote) if undoes else vote, by=voter,
            community=community, writes=(key,), reads=(object_id,),
        )
        return [
            msgspec.structs.replace(
                one, vote=key, fresh=event.operation == "create", undo=bool(undoes),
                batch=community.actor.ap_id if one.sender == community.id else "",
            )
            for one in told
        ]


def _is_edit(event: Event) -> bool:
    """Say whether an update tells of an edit; a lock or a pin is told by who decided it."""
    return _MARKED.decode(event.record).edited
