"""The nouns of erasing: what is asked for, and how far it is. Pure."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What can be erased; a person goes with all that they wrote, one purged with the name too."""

    PERSON = "person"
    PURGED = "purged"
    POST = "post"
    COMMENT = "comment"
    MESSAGE = "message"
    PROPOSAL = "proposal"


class Step(StrEnum):
    """How far a request is; each step can be repeated."""

    POSTS = "posts"
    COMMENTS = "comments"
    MESSAGES = "messages"
    PROPOSALS = "proposals"
    ACCOUNT = "account"
    LOG = "log"
    FILES = "files"
    DONE = "done"


_OF_PERSON = (
    Step.POSTS, Step.COMMENTS, Step.MESSAGES, Step.PROPOSALS, Step.ACCOUNT, Step.LOG, Step.FILES,
)
# A post takes the comments below it along.
STEPS: dict[Kind, tuple[Step, ...]] = {
    Kind.PERSON: _OF_PERSON,
    Kind.PURGED: _OF_PERSON,
    Kind.POST: (Step.POSTS, Step.COMMENTS, Step.LOG, Step.FILES),
    Kind.COMMENT: (Step.COMMENTS, Step.LOG, Step.FILES),
    Kind.MESSAGE: (Step.MESSAGES, Step.LOG, Step.FILES),
    Kind.PROPOSAL: (Step.PROPOSALS, Step.LOG, Step.FILES),
}


class Request(msgspec.Struct, frozen=True):
    """One erasure that was asked for.

    `position` is the last id that the step has dealt with, `things` how many in all so far.
    """

    id: int
    kind: Kind
    subject_id: int
    step: Step
    position: int
    things: int
    asked_us: int
    done_us: int | None

    @property
    def is_person(self) -> bool:
        """Whether a whole person goes."""
        return self.kind in (Kind.PERSON, Kind.PURGED)

    @property
    def is_in_rows(self) -> bool:
        """Whether rows are still to be emptied."""
        return self.step not in (Step.LOG, Step.FILES, Step.DONE)


def next_step(kind: Kind, step: Step) -> Step:
    """Return what follows a step."""
    steps = (*STEPS[kind], Step.DONE)
    return steps[steps.index(step) + 1]
