"""What is asked before anything is published: may this be seen?

The forum asks the house's own checks, through the register of plugins, in the command that writes,
before a row is staged:

    draft ──► post or comment as it would be stored ──► judge_written ──► publish
                                                                      ├─► hold: private until
                                                                      │   a moderator approves
                                                                      └─► raise Refused
    rows and events staged ──► Verdict.then(unit): a report, a removal, a ban, in the same command

Rules live in a higher room, which knows the forum; the forum knows this.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from lichen.accounts import Actor
from lichen.forum.model import Comment, Community, Post, SubjectKind
from lichen.kit import Reason
from lichen.plugins import Hooks
from lichen.store import Unit


class Written(msgspec.Struct, frozen=True):
    """A post, or a comment and its post, as it is about to be stored.

    `before` is what an edit changes, None for what is new. `moderates` says whether the author
    moderates the community or administers the site, as far as the caller knows. `holds` are the
    reasons for which it is held whatever a check says.
    """

    post: Post
    author: Actor
    community: Community
    comment: Comment | None = None
    before: Post | Comment | None = None
    moderates: bool = False
    holds: tuple[Reason, ...] = ()

    @property
    def kind(self) -> SubjectKind:
        """Whether it is a post or a comment."""
        return SubjectKind.POST if self.comment is None else SubjectKind.COMMENT

    @property
    def subject(self) -> Post | Comment:
        """The post or the comment itself."""
        return self.comment or self.post


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of something written.

    `then` is called once its rows are staged, in the same unit of work. `reasons` say why it is
    held, as its author may read them.
    """

    hold: bool = False
    reasons: tuple[Reason, ...] = ()
    then: Callable[[Unit], None] | None = None


PUBLISHED = Verdict()


class ContentCheck(Protocol):
    """Whoever may say that something is not published, or not yet."""

    def judge(self, unit: Unit, written: Sequence[Written]) -> list[Verdict]:
        """Return a verdict for each; a constant number of round trips. Raises Refused."""


def judged(hooks: Hooks, unit: Unit, written: Sequence[Written]) -> list[Verdict]:
    """Return what the house's own checks say of each thing; all is published where none is."""
    several: list[list[Verdict]] = hooks.judge_written(unit, written)
    if not several:
        return [PUBLISHED for _ in written]
    if len(several) == 1:
        return several[0]
    return [_together(verdicts) for verdicts in zip(*several, strict=True)]


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    """Return one verdict of several: held where one holds, and whatever each does is done."""
    return Verdict(hold=any(one.hold for one in verdicts),
                   then=lambda unit: settle(unit, verdicts))


def settle(unit: Unit, verdicts: Sequence[Verdict]) -> None:
    """Do what the verdicts say should follow on publication."""
    for verdict in verdicts:
        if verdict.then is not None:
            verdict.then(unit)
