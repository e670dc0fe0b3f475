"""Reactions: emoji on posts and comments, counted by kind, a few from each person.

FEP-c0e0 (EmojiReact) is how they will travel. A single reaction is its person's own affair and a
private event; what everybody sees, and outsiders may be told, is how many there are of each.
"""

from collections.abc import Sequence

import msgspec

from lichen.accounts import Viewer
from lichen.events import collection_of, forum
from lichen.forum import comment_rows, post_rows
from lichen.forum import reaction_rows as rows
from lichen.forum.emoji import check_emoji
from lichen.forum.ledger import uri_of_comment, uri_of_post
from lichen.forum.limits import REACTION_KINDS_MAX, REACTIONS_OF_PERSON_MAX
from lichen.forum.model import CommentView, PostView, Reaction, SubjectKind
from lichen.forum.outside import words_outside
from lichen.forum.part import Part
from lichen.forum.permissions import (
    check_member,
    check_visible,
    is_gone,
    no_such_comment,
    no_such_post,
)
from lichen.forum.views import CommentScene, PostScene, comment_queries, post_queries
from lichen.kit import NotFound, Refused, isoformat
from lichen.store import Query, Row, Unit

_REACTION = collection_of(forum.Reaction)


class _Subject(msgspec.Struct, frozen=True):
    """What is reacted to, and how records name it."""

    view: PostView | CommentView
    kind: SubjectKind
    id: int
    tid: str
    uri: str


class Reactions(Part):
    """The command that reacts, and the query for the reactions there are."""

    def react(
        self, unit: Unit, viewer: Viewer, kind: SubjectKind, subject_id: int, emoji: str, *,
        on: bool, even_gone: bool = False,
    ) -> tuple[Reaction, ...]:
        """Put an emoji on a post or comment, or take it off, and return what is there.

        Twice is once; two round trips. With `even_gone` it may be gone, for what comes from other
        servers comes in any order. Refuses by `invalid_emoji`, `too_many_reactions`.
        """
        emoji = check_emoji(emoji)
        subject, known = self._reacted(unit, viewer, kind, subject_id, even_gone=even_gone)
        mine = next((row for row in known if row.emoji == emoji), None)
        if on == (mine is not None and mine.tid is not None):
            return _shown(known)
        if on:
            self._check_room(emoji, known)
        after = _counted(known, emoji, on=on, now_us=unit.clock_us)
        self._stage_reaction(unit, viewer, subject, emoji, tid=mine.tid if mine else None, on=on)
        self._stage_tally(unit, subject, emoji, after)
        return tuple(reaction for reaction, _ in after)

    def reactions(
        self, unit: Unit, viewer: Viewer | None, kind: SubjectKind, subject_id: int
    ) -> tuple[Reaction, ...]:
        """Return the reactions to a post or comment that the viewer can see; one round trip."""
        scene, known = self._found_subject(unit, viewer, kind, subject_id, locks=())
        view = scene.views[subject_id]
        check_visible(viewer, view.post, scene.communities[view.community.id])
        return _shown(known)

    def _reacted(
        self, unit: Unit, viewer: Viewer, kind: SubjectKind, subject_id: int, *, even_gone: bool
    ) -> tuple[_Subject, list[Row]]:
        lock = post_rows.LOCK_POSTS if kind is SubjectKind.POST else comment_rows.LOCK_COMMENTS
        scene, known = self._found_subject(
            unit, viewer, kind, subject_id, locks=((lock, {"ids": [subject_id]}),)
        )
        view = scene.views[subject_id]
        community = scene.communities[view.community.id]
        if not even_gone:
            check_visible(viewer, view.post, community)
        check_member(viewer, community)
        one = view.post if isinstance(view, PostView) else view.comment
        if is_gone(one) and not even_gone:
            raise no_such_post() if kind is SubjectKind.POST else no_such_comment()
        uri = (
            uri_of_post(view.post, view.creator.did) if isinstance(view, PostView)
            else uri_of_comment(view.comment, view.creator.did)
        )
        return _Subject(view, kind, subject_id, one.tid, uri), known

    def _found_subject(
        self, unit: Unit, viewer: Viewer | None, kind: SubjectKind, subject_id: int, *,
        locks: Sequence[Query],
    ) -> tuple[PostScene | CommentScene, list[Row]]:
        """Return what is around a subject, and the rows of its reactions."""
        on_post = kind is SubjectKind.POST
        queries = (post_queries if on_post else comment_queries)(unit, viewer, [subject_id])
        flush = self._views.fetch(
            unit, viewer, *locks, *queries, reactions_query(viewer, kind, [subject_id])
        )
        *answers, known = flush.rows[len(locks):]
        scene = (self._views.posts if on_post else self._views.comments)(answers, flush.standing)
        if subject_id not in scene.views:
            raise no_such_post() if on_post else no_such_comment()
        return scene, known

    def _check_room(self, emoji: str, known: list[Row]) -> None:
        if emoji.startswith(":") and emoji.strip(":") not in self._accounts.current_emoji:
            raise NotFound("couldnt_find_custom_emoji", f"This site has no {emoji}.")
        if sum(row.tid is not None for row in known) >= REACTIONS_OF_PERSON_MAX:
            raise Refused("too_many_reactions",
                          f"One person puts at most {REACTIONS_OF_PERSON_MAX} emoji on one thing; "
                          "take one off first.")
        if len(known) >= REACTION_KINDS_MAX and emoji not in {row.emoji for row in known}:
            raise Refused("too_many_reactions", f"There are {REACTION_KINDS_MAX} kinds here "
                                                "already; choose one of them.")

    def _stage_reaction(
        self, unit: Unit, viewer: Viewer, subject: _Subject, emoji: str, *, tid: str | None,
        on: bool,
    ) -> None:
        ledger = self._ledger(unit)
        row = {"kind": int(subject.kind), "subject_id": subject.id, "person_id": viewer.id,
               "emoji": emoji}
        if not on:
            assert tid is not None, "a reaction that never was cannot be taken off"
            unit.stage(rows.DROP_REACTION, row)
            ledger.retract(_REACTION, did=viewer.actor.did, rkey=tid, row=subject.id)
            return
        fresh = self._tids.next()
        unit.stage(rows.WRITE_REACTION, {**row, "tid": fresh, "published_us": unit.clock_us})
        record = forum.Reaction(
            subject=subject.uri, emoji=emoji, created_at=isoformat(unit.clock_us)
        )
        ledger.say(record, did=viewer.actor.did, operation="create", rkey=fresh, row=subject.id)
        ledger.act(viewer.id, subject.view.community.id, at_us=unit.clock_us)
        ledger.close()

    def _stage_tally(
        self, unit: Unit, subject: _Subject, emoji: str, after: list[tuple[Reaction, int]]
    ) -> None:
        key = {"kind": int(subject.kind), "subject_id": subject.id, "emoji": emoji}
        counted = next((pair for pair in after if pair[0].emoji == emoji), None)
        if counted is None:
            unit.stage(rows.DROP_TALLY, key)
        else:
            unit.stage(rows.WRITE_TALLY, {**key, "people": counted[0].count,
                                          "first_us": counted[1]})
        record = forum.ReactionTally(
            subject=subject.uri, emojis=tuple(one.emoji for one, _ in after),
            counts=tuple(one.count for one, _ in after),
        )
        view = subject.view
        things = (view.post,) if isinstance(view, PostView) else (view.post, view.comment)
        self._ledger(unit).say(
            record, did=view.creator.did, operation="update", rkey=subject.tid, row=subject.id,
            outside=words_outside(view.community, *things),
        )


def reactions_query(viewer: Viewer | None, kind: SubjectKind, ids: Sequence[int]) -> Query:
    """Return the query for the reactions to some subjects, to ride along."""
    asked = {"viewer_id": viewer.id if viewer else 0, "kind": int(kind), "ids": ids}
    return rows.REACTIONS, asked


def reactions_from(found: list[Row]) -> dict[int, tuple[Reaction, ...]]:
    """Return the reactions by subject in the rows of `reactions_query`."""
    return {subject: _shown(some) for subject, some in rows.by_subject(found).items()}


def _shown(known: list[Row]) -> tuple[Reaction, ...]:
    return tuple(Reaction(row.emoji, row.people, row.tid is not None) for row in known)


def _counted(
    known: list[Row], emoji: str, *, on: bool, now_us: int
) -> list[tuple[Reaction, int]]:
    """Return what is there after a change, each with when it was first used."""
    after = [(Reaction(row.emoji, row.people, row.tid is not None), row.first_us) for row in known]
    if on and emoji not in {row.emoji for row in known}:
        return [*after, (Reaction(emoji, 1, True), now_us)]
    step = 1 if on else -1
    return [
        (reaction if reaction.emoji != emoji else Reaction(emoji, reaction.count + step, on), first)
        for reaction, first in after
        if reaction.emoji != emoji or reaction.count + step > 0
    ]
