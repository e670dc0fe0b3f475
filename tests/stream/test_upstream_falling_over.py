"""Several relays: the next one takes over, by time, without a gap and without doubles."""

import itertools
from bisect import bisect_right
from pathlib import Path
from random import Random

import pytest

from bench.firehose import START_US, Relay, frames
from lichen.kit import Unavailable, system_clock
from lichen.stream.upstream import Cursors
from lichen.stream.upstream.cursors import parts_of, position_of
from lichen.stream.upstream.finding import CLOSE_US, Sighting, cursor_before
from lichen.stream.upstream.limits import RETRY_S_MAX
from lichen.stream.upstream.turns import Outcome, Turns
from tests.stream.relay import FakeRelay, expected, house_in, named, renumbered, told

pytestmark = pytest.mark.anyio

OTHER_SEQ = 7_000_000  # where the other relay's numbers begin
STEP_US = 1_000_000  # between two events


def history(count: int) -> list:
    """Return what one relay sends, an event a second."""
    return [renumbered(one, one.seq, time_us=START_US + one.seq * STEP_US)
            for one in itertools.islice(frames(5), count)]


def elsewhere(sent: list, *, late_us: int = 0, first_seq: int = OTHER_SEQ) -> list:
    """Return the same as another relay sends it, in numbers with holes, and later."""
    return [renumbered(one, first_seq + 3 * one.seq,
                       time_us=START_US + one.seq * STEP_US + late_us) for one in sent]


def by_name(sent: list) -> set:
    """Return what events are known by, without the sequences, which differ between relays."""
    return {name[:3] if name[0] != "commit" else name for name in sent}


@pytest.mark.slow
async def test_the_next_relay_goes_on_where_the_lost_one_ended(tmp_path: Path) -> None:
    sent = history(400)
    first, second = FakeRelay(sent[:250]), FakeRelay(elsewhere(sent, late_us=7_000_000))

    async with second.serving(), house_in(tmp_path) as house:
        async with first.serving():
            async with house.following(first, second) as upstream:
                await house.until_position(sent[249].seq)
        async with house.following(first, second) as upstream:
            await house.until_position(position_of(1, second.history[-1][0]))
        events = [named(event) for event in told(house.store)]

    assert by_name(events) == by_name(expected(sent))
    commits = [one for one in events if one[0] == "commit"]
    assert len(commits) == len(set(commits))
    # It began a minute before the last event, not at its own beginning.
    assert 50 < upstream.counts["repeated"] < 120
    assert upstream.counts["falls"] == 1


@pytest.mark.slow
async def test_events_that_relays_send_in_another_order_are_each_stored_once(
        tmp_path: Path) -> None:
    sent = history(300)
    mixed = elsewhere(sent)
    chance = Random(3)
    for at in range(0, 290, 10):
        names = [(one.frame, one.seq) for one in mixed[at:at + 10]]
        chance.shuffle(names)
    # Neighbours swap their places; the numbers and times of the other relay stay in order.
    for at in range(0, 298, 2):
        one, two = sent[at], sent[at + 1]
        mixed[at] = renumbered(two, mixed[at].seq, time_us=START_US + one.seq * STEP_US)
        mixed[at + 1] = renumbered(one, mixed[at + 1].seq, time_us=START_US + two.seq * STEP_US)
    first, second = FakeRelay(sent[:201]), FakeRelay(mixed)

    async with second.serving(), house_in(tmp_path) as house:
        async with first.serving(), house.following(first):
            await house.until_position(sent[200].seq)
        async with house.following(first, second):
            await house.until_position(position_of(1, mixed[-1].seq))
        events = [named(event) for event in told(house.store)]

    commits = [one for one in events if one[0] == "commit"]
    assert sorted(commits) == sorted(one for one in expected(sent) if one[0] == "commit")


async def test_an_unreachable_relay_is_passed_at_once(tmp_path: Path) -> None:
    sent = history(10)
    absent = FakeRelay()
    async with absent.serving():
        pass

    async with FakeRelay(sent).serving() as served, house_in(tmp_path) as house:
        async with house.following(absent, served) as upstream:
            await house.until_position(position_of(0, sent[-1].seq))

        assert upstream.counts["connections"] == 1
        assert [named(event) for event in told(house.store)] == expected(sent)


@pytest.mark.slow
async def test_a_relay_that_came_back_is_begun_by_time_too(tmp_path: Path) -> None:
    """Its own old cursor would repeat everything that the other one sent meanwhile."""
    sent = history(900)
    first, second = FakeRelay(sent[:100]), FakeRelay(elsewhere(sent[:800]))

    async with house_in(tmp_path) as house:
        async with first.serving(), house.following(first, second):
            await house.until_position(sent[99].seq)
        async with second.serving(), house.following(first, second):
            await house.until_position(position_of(1, second.history[-1][0]))
        first.history = [(one.seq, one.frame) for one in sent]
        async with first.serving(), house.following(first, second) as upstream:
            await house.until_position(position_of(0, sent[-1].seq))
        events = [named(event) for event in told(house.store)]

    assert by_name(events) == by_name(expected(sent))
    commits = [one for one in events if one[0] == "commit"]
    assert len(commits) == len(set(commits))
    assert upstream.counts["repeated"] < 120


async def test_a_relay_that_counts_from_one_again_is_followed_in_its_new_numbers(
        tmp_path: Path) -> None:
    sent = history(300)
    relay = FakeRelay(elsewhere(sent[:200], first_seq=OTHER_SEQ))

    async with house_in(tmp_path) as house:
        async with relay.serving(), house.following(relay):
            await house.until_position(relay.history[-1][0])
        relay.history = [(one.seq, one.frame) for one in sent]
        async with relay.serving(), house.following(relay) as upstream:
            await house.until_position(position_of(1, sent[-1].seq))
        events = [named(event) for event in told(house.store)]

    assert upstream.counts["error_FutureCursor"] == 1
    commits = [one for one in events if one[0] == "commit"]
    assert sorted(commits) == sorted(one for one in expected(sent) if one[0] == "commit")


@pytest.mark.slow
async def test_a_stop_in_the_middle_of_an_overlap_doubles_nothing(tmp_path: Path) -> None:
    sent = history(200)
    first, second = FakeRelay(sent[:150]), FakeRelay(elsewhere(sent))
    # The other relay is cut after each ten frames of what it repeats; every time all is restarted.
    stops = [second.history[at][0] for at in range(99, 160, 10)]

    async with second.serving():
        async with house_in(tmp_path) as house, first.serving(), house.following(first):
            await house.until_position(sent[149].seq)
        for stop in stops:
            whole, second.history = second.history, [
                one for one in second.history if one[0] <= stop]
            async with house_in(tmp_path) as house, house.following(first, second):
                await house.until_position(position_of(1, stop))
            second.history = whole
        async with house_in(tmp_path) as house:
            async with house.following(first, second):
                await house.until_position(position_of(1, second.history[-1][0]))
            events = [named(event) for event in told(house.store)]

    commits = [one for one in events if one[0] == "commit"]
    assert commits == [one for one in expected(sent) if one[0] == "commit"]


async def test_a_lost_table_of_upstreams_is_no_other_relays_cursor(tmp_path: Path) -> None:
    """A number of the old table must not come to mean another relay.

    Then the store's own time of its last event says where the other relay is to begin.
    """
    sent = history(200)
    now_us = START_US + 150 * STEP_US
    first, second = FakeRelay(sent[:150]), FakeRelay(elsewhere(sent))

    async with second.serving(), house_in(tmp_path, clock=lambda: now_us) as house:
        async with first.serving(), house.following(first):
            await house.until_position(sent[149].seq)
        (tmp_path / "upstreams.json").unlink()
        async with house.following(second):
            await house.until_position(position_of(1, second.history[-1][0]))
        events = [named(event) for event in told(house.store)]

    assert by_name(events) == by_name(expected(sent))


async def test_a_position_says_relay_and_cursor_and_the_table_survives(tmp_path: Path) -> None:
    cursors = Cursors(tmp_path, clock=system_clock)
    one = await cursors.begin_anew("wss://one.example/x")
    two = await cursors.begin_anew("wss://two.example/x")
    anew = await cursors.begin_anew("wss://one.example/x")
    await cursors.note(two, 123)
    await cursors.save()

    again = Cursors(tmp_path, clock=system_clock)

    assert [one, two, anew] == [0, 1, 2]
    assert again.number_of("wss://one.example/x") == anew
    assert again.number_of("wss://two.example/x") == two
    assert again.number_of("wss://three.example/x") is None
    assert again.time_us_of(two) == 123
    assert parts_of(position_of(two, 2**53 - 1)) == (two, 2**53 - 1)
    assert position_of(0, 77) == 77, "with one relay ever, the position is its cursor"


@pytest.mark.parametrize("content", [b"", b"{", b'{"version":2,"upstreams":[]}', b"[]"])
def test_a_damaged_or_newer_table_is_left_alone_and_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "upstreams.json").write_bytes(content)

    with pytest.raises(Unavailable, match=r"upstreams\.json"):
        Cursors(tmp_path, clock=system_clock)

    assert (tmp_path / "upstreams.json").read_bytes() == content


@pytest.mark.parametrize("count", [0, 1, 2, 50, 100_000])
@pytest.mark.parametrize("share", [-1.0, 0.0, 0.3, 0.999, 1.5])
async def test_a_time_is_found_in_a_relays_numbers_in_few_steps(count: int, share: float) -> None:
    """Numbers with holes of any size; what is found is at or before the time, and not by much."""
    chance = Random(count)
    seqs = sorted(chance.sample(range(10**9, 10**9 + count * 20 + 1), count))
    known = [Sighting(seq, 1_000 * STEP_US + at * STEP_US) for at, seq in enumerate(seqs)]
    wanted_us = 1_000 * STEP_US + int(share * count * STEP_US)
    asked = []

    async def probe(cursor: int) -> Sighting | None:
        asked.append(cursor)
        at = bisect_right(seqs, cursor)
        return known[at] if at < len(known) else None

    cursor = await cursor_before(wanted_us, probe)

    missed = [one for one in known if one.seq <= cursor and one.time_us >= wanted_us]
    early = [one for one in known if one.seq > cursor and one.time_us < wanted_us - 2 * CLOSE_US]
    assert missed == [] and early == []
    assert len(asked) <= 45


def test_turns_pass_over_who_is_not_there_and_stay_with_who_is() -> None:
    turns = Turns(3, first=1, chance=Random(1))

    came = [(turns.pass_on(outcome), turns.current)[1] for outcome in (
        Outcome.FRUITFUL, Outcome.FRUITLESS, Outcome.FRUITFUL, Outcome.FRUITLESS,
        Outcome.FRUITLESS, Outcome.UNREACHED, Outcome.OURS, Outcome.OURS, Outcome.OURS)]

    assert came == [1, 1, 1, 1, 2, 0, 0, 0, 0]


def test_no_pause_is_ever_longer_than_its_limit() -> None:
    turns = Turns(2, first=0, chance=Random(1))

    pauses = [turns.pass_on(Outcome.UNREACHED) for _ in range(5_000)]

    assert max(pauses) <= RETRY_S_MAX
    assert min(pauses[10:]) >= RETRY_S_MAX / 2


async def test_the_overlap_forgets_nothing_true_about_an_account(tmp_path: Path) -> None:
    """News after the change of relays are kept although the store holds the same words already."""
    relay = Relay(1, step_us=STEP_US)
    rev = relay.tid()
    old = [relay.sync("did:plc:moss", rev), relay.account("did:plc:moss", "deactivated"),
           relay.account("did:plc:moss")]
    other = Relay(2, first_seq=OTHER_SEQ, start_us=START_US, step_us=STEP_US)
    repeated = [other.sync("did:plc:moss", rev), other.account("did:plc:moss", "deactivated"),
                other.account("did:plc:moss")]
    news = [other.account("did:plc:moss", "deactivated"), other.account("did:plc:moss")]
    first, second = FakeRelay(old), FakeRelay([*repeated, *news])

    async with second.serving(), house_in(tmp_path) as house:
        async with first.serving(), house.following(first):
            await house.until_position(old[-1].seq)
        async with house.following(first, second):
            await house.until_position(position_of(1, news[-1].seq))
        events = told(house.store)

    assert [event["$type"].partition("#")[2] for event in events] == ["sync"] + ["account"] * 4
    told_of = [event["account"] for event in events[1:]]
    assert [one["active"] for one in told_of] == [False, True, False, True]
    assert [one["seq"] for one in told_of] == [2, 3, OTHER_SEQ + 3, OTHER_SEQ + 4]
