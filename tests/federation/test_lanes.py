"""The lane of one peer: order where it matters, speed where it does not, nothing needless."""

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lichen.federation.lanes import Item, Lane
from lichen.federation.limits import (
    BACK_OFF_S_MAX,
    BATCH_ACTIVITIES_MAX,
    LANE_ACTIVITIES_MAX,
    WINDOW_MAX,
)
from lichen.federation.outgoing import Entry, Outgoing
from lichen.federation.windows import Window, pause_s


def record(
    writes: Sequence[str] = (), reads: Sequence[str] = (), *, vote: str = "", fresh: bool = False,
    undo: bool = False, batch: str = "", size: int = 2,
) -> Outgoing:
    """Return a record with these keys."""
    return Outgoing(
        source=1, part=1, id="https://a.example/activities/like/x", sender=1,
        activity=msgspec.Raw(b"{" + b" " * (size - 2) + b"}"), writes=tuple(writes),
        reads=tuple(reads), vote=vote, fresh=fresh, undo=undo, batch=batch,
    )


def vote(person: str, thing: str = "post", **marks: bool) -> Outgoing:
    """Return somebody's vote on a thing."""
    key = f"vote {person} {thing}"
    return record([key], [thing], vote=key, batch="group", **marks)


def lane_of(*records: Outgoing) -> Lane:
    """Return a lane that was offered the records as sequences 1, 2, …"""
    lane = Lane(0)
    for seq, one in enumerate(records, 1):
        lane.offer(Entry(seq, one))
    return lane


def taken(lane: Lane, *, in_batches: bool = False) -> list[list[int]]:
    """Take whatever may go now; return the sequences of each request."""
    found = []
    while items := lane.take(in_batches=in_batches):
        found.append([item.entry.seq for item in items])
    return found


def test_votes_wait_for_their_post_and_an_edit_for_the_votes() -> None:
    lane = lane_of(record(["post"]), vote("a"), vote("b"), record(["post"]), record(["other"]))
    (first,) = lane.take(in_batches=False)
    assert first.entry.seq == 1
    assert taken(lane) == [[5]]

    lane.finish(first)
    votes = [*lane.take(in_batches=False), *lane.take(in_batches=False)]

    assert [item.entry.seq for item in votes] == [2, 3]
    assert taken(lane) == []
    for item in votes:
        lane.finish(item)
    assert taken(lane) == [[4]]


def test_a_vote_taken_back_before_it_left_leaves_no_trace() -> None:
    lane = lane_of(vote("a", fresh=True), vote("a", undo=True))

    assert taken(lane) == []
    assert (lane.is_empty, lane.position, lane.coalesced) == (True, 2, 2)


def test_of_like_unlike_like_the_last_goes() -> None:
    lane = lane_of(vote("a", fresh=True), vote("a", undo=True), vote("a", fresh=True))

    assert taken(lane) == [[3]]


def test_a_vote_changed_before_it_left_goes_once_and_its_undo_after_that_not_at_all() -> None:
    lane = lane_of(vote("a", fresh=True), vote("a"), vote("a", undo=True))

    assert taken(lane) == []


def test_a_vote_that_is_under_way_is_taken_back_after_it() -> None:
    lane = lane_of(vote("a", fresh=True))
    (first,) = lane.take(in_batches=False)
    lane.offer(Entry(2, vote("a", undo=True)))
    assert taken(lane) == []

    lane.finish(first)

    assert taken(lane) == [[2]]


def test_votes_go_in_batches_one_batch_of_a_group_at_a_time() -> None:
    many = [vote(f"p{number}") for number in range(BATCH_ACTIVITIES_MAX + 5)]
    lane = lane_of(*many, record(["other"]))

    first = lane.take(in_batches=True)
    rest = taken(lane, in_batches=True)

    assert len(first) == BATCH_ACTIVITIES_MAX
    assert rest == [[len(many) + 1]]
    for item in first:
        lane.finish(item)
    lane.end_batch(first)
    assert len(lane.take(in_batches=True)) == 5


def test_what_failed_goes_first_again() -> None:
    lane = lane_of(record(["a"]), record(["b"]))
    items = lane.take(in_batches=False)

    lane.put_back(items)

    assert taken(lane) == [[1], [2]]


def test_a_lane_is_full_by_count_and_by_bytes() -> None:
    by_count = lane_of(*(record([str(one)]) for one in range(LANE_ACTIVITIES_MAX)))
    by_bytes = lane_of(record(["a"], size=1 << 20), record(["b"], size=1 << 20))

    assert by_count.is_full and by_bytes.is_full
    assert not lane_of(record(["a"])).is_full


def test_the_position_is_below_the_oldest_that_is_not_done() -> None:
    lane = lane_of(record(["a"]), record(["b"]), record(["c"]))
    first, second = lane.take(in_batches=False)[0], lane.take(in_batches=False)[0]

    lane.finish(second)
    assert lane.position == 0
    lane.finish(first)
    assert lane.position == 2
    lane.passed(9)
    assert lane.position == 2, "the third still waits"


KEYS = st.sampled_from(["p", "q", "r"])
PEOPLE = st.sampled_from(["a", "b"])
RECORDS = st.lists(st.one_of(
    st.builds(lambda writes, reads: record(sorted(writes), sorted(reads - writes)),
              st.sets(KEYS, max_size=2), st.sets(KEYS, max_size=2)),
    st.builds(lambda who, what, undo: vote(who, what, undo=undo, fresh=not undo),
              PEOPLE, KEYS, st.booleans()),
), max_size=30)


@given(RECORDS, st.randoms(use_true_random=False), st.booleans())
def test_whatever_the_order_of_answers_dependants_keep_theirs(
    records: list[Outgoing], chance: object, in_batches: bool
) -> None:
    lane = lane_of(*records)
    under_way: list[list[Item]] = []
    sent: list[int] = []
    while not lane.is_empty:
        while items := lane.take(in_batches=in_batches):
            for item in items:
                for other in (one for group in under_way for one in group):
                    assert not conflict(item.record, other.record)
            under_way.append(items)
            sent += [item.entry.seq for item in items]
        if under_way:
            done = under_way.pop(chance.randrange(len(under_way)))  # type: ignore[attr-defined]
            for item in done:
                lane.finish(item)
            if in_batches and done[0].record.batch:
                lane.end_batch(done)

    assert len(sent) == len(set(sent)), "each at most once"
    for index, later in enumerate(sent):
        for earlier in sent[index + 1:]:
            if earlier < later:
                assert not conflict(records[later - 1], records[earlier - 1])
    unsent = set(range(1, len(records) + 1)) - set(sent)
    assert all(records[seq - 1].vote for seq in unsent), "only votes are overtaken"
    assert (lane.position, lane._keys, lane._votes, lane._bytes) == (len(records), {}, {}, 0)


def conflict(one: Outgoing, other: Outgoing) -> bool:
    """Say whether two records share a key that one of them writes."""
    mine, theirs = set(one.writes), set(other.writes)
    return bool(mine & theirs or mine & set(other.reads) or theirs & set(one.reads))


def test_a_window_grows_by_one_for_each_window_that_went_through_and_halves() -> None:
    window = Window()
    for _ in range(1_000):
        window.widen()
    assert window.size == WINDOW_MAX

    window.halve()
    assert window.size == WINDOW_MAX // 2
    window.close()
    assert window.size == 1
    window.halve()
    assert window.size == 1


def test_pauses_grow_to_a_day_with_jitter_and_never_less_than_was_asked_for() -> None:
    assert pause_s(1, 0.5) == 1.0
    assert pause_s(3, 0.5) == 1.25 ** 2
    assert pause_s(100_000, 0.5) == BACK_OFF_S_MAX
    assert pause_s(1, 0.0) < 1.0 < pause_s(1, 1.0)
    assert pause_s(1, 0.5, at_least_s=60.0) == 60.0
