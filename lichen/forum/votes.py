"""Votes: cast in batches, counted where they fall, taken back.

The subjects are locked before anything is read, so what a vote changes is what the last vote left:
any number of people voting at once come to the same tallies as a recount of all votes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from lichen.accounts import Viewer
from lichen.forum import comment_rows, post_rows, vote_rows
from lichen.forum.ledger import Ledger, Place, uri_of_comment, uri_of_post
from lichen.forum.limits import BATCH_MAX
from lichen.forum.model import (
    Comment,
    CommentView,
    CommunityView,
    Post,
    PostView,
    SubjectKind,
    Vote,
)
from lichen.forum.part import Part
from lichen.forum.permissions import (
    check_member,
    check_visible,
    is_gone,
    no_such_comment,
    no_such_post,
)
from lichen.forum.views import comment_queries, post_queries
from lichen.kit import Refused
from lichen.store import Unit


class _Previous(NamedTuple):
    """What a person thought of a subject before; no key where nothing."""

    value: int = 0
    tid: str | None = None


class _Ballot(msgspec.Struct):
    """What a batch of votes of one kind must know; `subjects` change as it is counted."""

    views: Mapping[int, PostView | CommentView]
    communities: dict[int, CommunityView]
    subjects: dict[int, Post | Comment]
    previous: dict[tuple[int, int], _Previous]
    dids: dict[int, str]


class Votes(Part):
    """Commands about votes."""

    def cast_votes(
        self, unit: Unit, votes: Sequence[Vote], *, even_gone: bool = False
    ) -> None:
        """Cast a batch of votes in their order; two round trips, three where kinds are mixed.

        Checks the values and the subjects, not who votes: that is decided by who calls. With
        `even_gone` votes on what is gone are kept and nobody is told, so that the order in which
        peers' votes and deletions come does not matter.
        """
        assert len(votes) <= BATCH_MAX
        for kind in SubjectKind:
            of_kind = [vote for vote in votes if vote.kind is kind]
            if of_kind:
                self._cast(unit, of_kind, self._open(unit, None, of_kind, even_gone=even_gone))

    def vote_post(self, unit: Unit, viewer: Viewer, post_id: int, *, value: int) -> PostView:
        """Vote on a post with 1, -1 or 0, and return it; two round trips."""
        vote = Vote(person_id=viewer.id, kind=SubjectKind.POST, subject_id=post_id, value=value)
        ballot = self._cast_own(unit, viewer, vote)
        view = ballot.views[post_id]
        assert isinstance(view, PostView), "a vote on a post is about a post"
        return msgspec.structs.replace(view, post=ballot.subjects[post_id], my_vote=value or None)

    def vote_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, *, value: int
    ) -> CommentView:
        """Vote on a comment with 1, -1 or 0, and return it; two round trips."""
        vote = Vote(person_id=viewer.id, kind=SubjectKind.COMMENT, subject_id=comment_id,
                    value=value)
        ballot = self._cast_own(unit, viewer, vote)
        view = ballot.views[comment_id]
        assert isinstance(view, CommentView), "a vote on a comment is about a comment"
        comment = ballot.subjects[comment_id]
        return msgspec.structs.replace(view, comment=comment, my_vote=value or None)

    def _cast_own(self, unit: Unit, viewer: Viewer, vote: Vote) -> _Ballot:
        downvotes = self._accounts.current_site.settings.enable_downvotes
        if vote.value < 0 and not downvotes:
            raise Refused("downvotes_are_disabled", "This site has no downvotes.")
        ballot = self._open(unit, viewer, [vote])
        view = ballot.views[vote.subject_id]
        community = ballot.communities[view.community.id]
        check_visible(viewer, view.post, community)
        check_member(viewer, community)
        self._cast(unit, [vote], ballot)
        return ballot

    def _open(
        self, unit: Unit, viewer: Viewer | None, votes: Sequence[Vote], *, even_gone: bool = False
    ) -> _Ballot:
        """Return the subjects voted on, locked, and what the voters thought before."""
        kind = votes[0].kind
        _check_values(votes)
        ids = sorted({vote.subject_id for vote in votes})
        people = sorted({vote.person_id for vote in votes})
        on_posts = kind is SubjectKind.POST
        queries = (post_queries if on_posts else comment_queries)(unit, viewer, ids)
        # What is read after the locks in the same flush is what nobody can change any more.
        flush = self._views.fetch(
            unit, viewer,
            (post_rows.LOCK_POSTS if on_posts else comment_rows.LOCK_COMMENTS, {"ids": ids}),
            *queries,
            (vote_rows.PREVIOUS_VOTES, {"kind": int(kind), "ids": ids, "people": people}),
            self._accounts.actors_query(unit, people),
        )
        _locks, *answers, previous, voters = flush.rows
        read = self._views.posts if on_posts else self._views.comments
        scene = read(answers, flush.standing)
        ballot = _Ballot(
            views=scene.views, communities=scene.communities,
            subjects={
                key: view.post if isinstance(view, PostView) else view.comment
                for key, view in scene.views.items()
            },
            previous={
                (row.person_id, row.subject_id): _Previous(row.value, row.tid) for row in previous
            },
            dids={key: one.did for key, one in self._accounts.actors_from(voters).items()},
        )
        is_missing = not even_gone and any(map(is_gone, ballot.subjects.values()))
        if len(ballot.subjects) < len(ids) or is_missing:
            raise no_such_post() if on_posts else no_such_comment()
        return ballot

    def _cast(self, unit: Unit, votes: Sequence[Vote], ballot: _Ballot) -> None:
        """Count the votes into the ballot's subjects, stage them, and tell."""
        ledger = self._ledger(unit)
        cast: dict[tuple[int, int], int] = {}
        for vote in votes:
            cast[vote.person_id, vote.subject_id] = vote.value
        changed = {pair: value for pair, value in cast.items()
                   if ballot.previous.get(pair, _NOTHING).value != value}
        written: list[dict[str, object]] = []
        dropped: list[dict[str, object]] = []
        for pair, value in sorted(changed.items()):
            row = _count(ledger, ballot, pair, value=value, now_us=unit.clock_us)
            row["kind"] = int(votes[0].kind)
            (written if value else dropped).append(row)
        unit.stage(vote_rows.WRITE_VOTE, *written)
        unit.stage(vote_rows.DROP_VOTE, *dropped)
        subjects = [ballot.subjects[key] for key in {subject for _person, subject in changed}]
        _stage_tallies(unit, ledger, ballot, subjects)
        ledger.close()


_NOTHING = _Previous()


def _check_values(votes: Sequence[Vote]) -> None:
    if any(vote.value not in (-1, 0, 1) for vote in votes):
        kind = "post" if votes[0].kind is SubjectKind.POST else "comment"
        raise Refused(f"couldnt_like_{kind}", "A vote is 1, -1 or 0.")


def _count(
    ledger: Ledger, ballot: _Ballot, pair: tuple[int, int], *, value: int, now_us: int
) -> dict[str, object]:
    """Count one changed vote into its subject, tell of it, and return its row less the kind."""
    person_id, subject_id = pair
    before = ballot.previous.get(pair, _NOTHING)
    subject = ballot.subjects[subject_id]
    view = ballot.views[subject_id]
    ballot.subjects[subject_id] = msgspec.structs.replace(
        subject,
        up=subject.up + (value == 1) - (before.value == 1),
        down=subject.down + (value == -1) - (before.value == -1),
    )
    author = view.creator.did
    tid = ledger.vote(
        value, voter_did=ballot.dids[person_id], tid=before.tid, row=subject_id,
        subject_uri=uri_of_post(subject, author) if isinstance(subject, Post)
        else uri_of_comment(subject, author),
    )
    if value:
        ledger.act(person_id, view.community.id, at_us=now_us)
    return {"person_id": person_id, "subject_id": subject_id, "value": value, "tid": tid,
            "published_us": now_us}


def _stage_tallies(
    unit: Unit, ledger: Ledger, ballot: _Ballot, subjects: Sequence[Post | Comment]
) -> None:
    posts = [one for one in subjects if isinstance(one, Post)]
    comments = [one for one in subjects if isinstance(one, Comment)]
    unit.stage(post_rows.TALLY_POST, *post_rows.tallies_of_posts(posts))
    unit.stage(comment_rows.TALLY_COMMENT, *comment_rows.tallies_of_comments(comments))
    for post in (one for one in posts if not is_gone(one)):
        view = ballot.views[post.id]
        ledger.tally_post(post, author_did=view.creator.did, community=view.community)
    for comment in (one for one in comments if not is_gone(one)):
        around = ballot.views[comment.id]
        assert isinstance(around, CommentView), "a vote on a comment is about a comment"
        ledger.tally_comment(comment, Place(around.post, around.community),
                             author_did=around.creator.did)
