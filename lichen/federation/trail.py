"""The trail of one activity: every step it took, in order, with its time and its round trips; pure.

    in:   came ─► verified ─► kept ─► taken up ─► applied | parked … | refused ─► passed on
    out:  written ─► composed ─► for each peer: taken | under way | behind | refused

What each step says is said here, so that pages, calls and the command line say the same.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from lichen.federation.tracks import Applied, Outcome, Try

StepKind = Literal[
    "came", "verified", "kept", "taken_up", "applied", "duplicate", "parked", "refused",
    "worked_off", "waits", "written", "composed",
]
DeliveryState = Literal[
    "refused", "failed", "under_way", "waits", "behind", "blocked", "overtaken", "passed", "taken",
]
_FORMS = {"cavage": "draft-cavage-12", "rfc9421": "RFC 9421"}
_CODES = {
    "invalid_json": "It is no JSON that can be read.",
    "unknown_activity": "Activities of its type are not read here.",
    "too_many_activities": "It passes on more activities at once than are taken.",
    "too_many_parked": "It needs something that is not here, and too many wait already.",
    "unresolved": "What it needs was looked for several times and not found.",
    "broken": "It brought about an error of ours, and was passed over.",
}
# Who has it not, and why, before who has.
_STATES: tuple[DeliveryState, ...] = (
    "failed", "behind", "refused", "waits", "under_way", "blocked", "passed", "overtaken", "taken",
)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: when (µs, 0 where nobody remembers), how long after the one before, what it cost.

    `round_trips` to the database were shared by `shared_by` activities.
    """

    kind: StepKind
    at_us: int
    words: str
    after_us: int | None = None
    round_trips: int = 0
    shared_by: int = 1


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How one activity fares on its way to one peer; `error` is the peer's own words."""

    server: str
    state: DeliveryState
    words: str
    tries: int = 0
    at_us: int = 0  # of the last try's end
    took_us: int = 0  # from that try's beginning to the peer's answer
    together: int = 0  # activities in that request
    retry_at_us: int = 0
    error: str = ""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """One activity in the log `outgoing`, and how far it got; `counts` are of all its servers."""

    id: str
    kind: str
    seq: int
    at_us: int
    counts: dict[str, int]
    deliveries: list[Delivery]
    more: int = 0


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one activity. `server` is who sent it, "" for one of ours."""

    id: str
    kind: str
    server: str
    steps: list[Step]
    passages: list[Passage] = []
    notes: list[str] = []
    remembered_since_us: int = 0


class Arriving(msgspec.Struct, frozen=True, kw_only=True):
    """What the log `inbox` says of a line: all its own words."""

    server: str
    seq: int
    received_us: int
    kept_us: int
    form: str
    took_us: int
    size_bytes: int


class Parked(msgspec.Struct, frozen=True):
    """The row in which an activity waits now."""

    needs: str
    tries: int
    retry_us: int


def timed(steps: Iterable[Step]) -> list[Step]:
    """Return steps with the time since the one before, where both are known."""
    found: list[Step] = []
    before_us = 0
    for step in steps:
        after_us = max(0, step.at_us - before_us) if step.at_us and before_us else None
        found.append(msgspec.structs.replace(step, after_us=after_us))
        before_us = step.at_us or before_us
    return found


def came_steps(line: Arriving) -> list[Step]:
    """Return how an activity came to be accepted."""
    form = _FORMS.get(line.form, "")
    steps = [Step(kind="came", at_us=line.received_us - line.took_us,
                  words=f"{line.server} sent it.")]
    if form:
        steps.append(Step(kind="verified", at_us=line.received_us, words=(
            f"Its signature ({form}) was checked against a key of that server.")))
    steps.append(Step(kind="kept", at_us=line.kept_us, words=(
        f"It was made durable as number {line.seq:,} of what comes in, {line.size_bytes:,} bytes, "
        "and answered 202. No round trip to the database.")))
    return steps


def result_steps(batch: Applied | None, outcomes: Sequence[Outcome]) -> list[Step]:
    """Return what became of an activity: in its batch, and wherever it was tried again."""
    steps = []
    if batch is not None:
        steps.append(_taken_up(batch, "among what came"))
    for outcome in outcomes:
        if outcome.batch.activities and outcome.batch is not batch:
            steps.append(_taken_up(outcome.batch, "with what had waited"))
        steps.append(_result(outcome))
    if batch is not None and not outcomes:
        steps.append(_applied(batch))
    return steps


def waiting_step(before: int) -> Step:
    """Return that an activity was not taken up yet, behind so many others."""
    behind = f", behind {before:,} others" if before else ", as the next"
    return Step(kind="waits", at_us=0, words=f"It waits to be applied{behind}.")


def parked_step(parked: Parked, *, words: str) -> Step:
    """Return for what an activity waits now; `words` say when it is looked for again."""
    tries = f"looked for {_times(parked.tries)}" if parked.tries else "not looked for yet"
    return Step(kind="waits", at_us=0, words=(
        f"It waits for {parked.needs}, {tries}; {words}."))


def worked_off_step(at_us: int) -> Step:
    """Return that an activity was worked off, when nobody remembers how that ended."""
    return Step(kind="worked_off", at_us=at_us, words=(
        "It was worked off. What became of it is older than what is remembered of the last "
        "batches, or than the start of this house."))


def delivery_of(
    server: str, tries: Sequence[Try], *, state: str, is_allowed: bool, retry_at_us: int = 0,
) -> Delivery:
    """Return how an activity fares with a peer: `state` is where it stands in the peer's lane."""
    last = tries[-1] if tries else None
    found, words = _fared(last, state, is_allowed=is_allowed)
    if last is None:
        return Delivery(server=server, state=found, words=words)
    return Delivery(
        server=server, state=found, words=words, tries=len(tries), at_us=last.ended_us,
        took_us=last.ended_us - last.began_us, together=last.together,
        retry_at_us=retry_at_us if found == "failed" else 0, error=last.error,
    )


def passage_of(
    *, id: str, kind: str, seq: int, at_us: int, deliveries: Sequence[Delivery], shown_max: int
) -> Passage:
    """Return a passage with those first that have it not."""
    ordered = sorted(deliveries, key=lambda one: (_STATES.index(one.state), one.server))
    return Passage(
        id=id, kind=kind, seq=seq, at_us=at_us, deliveries=ordered[:shown_max],
        counts=dict(Counter(one.state for one in ordered)),
        more=max(0, len(ordered) - shown_max),
    )


def without_errors(trail: Trail) -> Trail:
    """Return a trail without the peers' own words, which are for administrators."""
    return msgspec.structs.replace(trail, passages=[
        msgspec.structs.replace(passage, deliveries=[
            msgspec.structs.replace(one, error="") for one in passage.deliveries
        ]) for passage in trail.passages
    ])


def _fared(last: Try | None, state: str, *, is_allowed: bool) -> tuple[DeliveryState, str]:
    if last is not None and last.verdict == "taken":
        return "taken", "It took it."
    if last is not None and last.verdict == "refused":
        return "refused", "It refused it, and is not asked again."
    if state == "under_way":
        return "under_way", "It is on its way now."
    if state == "overtaken":
        return "overtaken", "It was taken back before it left; nothing was sent."
    if not is_allowed:
        return "blocked", "We do not federate with it."
    if last is not None and state != "done":
        return "failed", "It did not take it yet; it is tried again."
    if state == "waits":
        return "waits", "It is among the next to be sent."
    if state == "later":
        return "behind", "What comes before it is not there yet."
    return "passed", ("It has it, or needed it no more; the request is older than what is "
                      "remembered.")


def _taken_up(batch: Applied, among: str) -> Step:
    return Step(kind="taken_up", at_us=batch.began_us, words=(
        f"It was taken up {among}, in a batch of {batch.activities:,}."))


def _applied(batch: Applied) -> Step:
    return Step(kind="applied", at_us=batch.ended_us, words="It was applied.",
                round_trips=batch.round_trips, shared_by=max(1, batch.activities))


def _result(outcome: Outcome) -> Step:
    fate, batch = outcome
    if fate.code == "applied":
        return _applied(batch)
    kind: StepKind = "refused"
    words = f"It was refused: {fate.text or _CODES.get(fate.code, fate.code)}"
    if fate.code == "parked":
        kind, words = "parked", f"It was put aside: it needs {fate.needs}, which is not here."
    elif fate.code == "duplicate":
        kind, words = "duplicate", "It had come before; nothing was done again."
    elif fate.code == "unresolved":
        words = f"It was given up. {_CODES['unresolved']}"
    return Step(kind=kind, at_us=batch.ended_us, words=words, round_trips=batch.round_trips,
                shared_by=max(1, batch.activities))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
