"""The reader of proposals: every supporter hears once what it came to, however it is fed."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from lichen.accounts import Viewer
from lichen.moderation import ProposalDraft, ProposalState, Support
from lichen.moderation.reader import NAME, ProposalsReader
from lichen.moderation.room import build_reader
from lichen.store import checkpoint_of
from tests.notifications.conftest import batch_of

pytestmark = pytest.mark.anyio

SUPPORTERS = 7


class Poll:
    """A proposal with supporters, and the reader that follows what is committed."""

    def __init__(self, bench, reader: ProposalsReader, supporters: list[Viewer]) -> None:
        self.bench = bench
        self.reader = reader
        self.supporters = supporters

    async def decide(self, state: ProposalState = ProposalState.ACCEPTED) -> None:
        bench, author, judge = self.bench, self.supporters[0], self.supporters[1]
        place = (await bench.house.read("community", judge, name="stones")).community.id
        made = await bench.write("propose", author, place, ProposalDraft("Lamps", "No lamps."))
        await bench.write("support_proposals", [
            Support(one.id, made.id) for one in self.supporters[2:]
        ])
        await bench.write("answer_proposal", judge, made.id, state, reason="So be it.")

    async def follow(self, size: int, *, times: int = 1) -> None:
        """Hand everything that was committed so far to the reader, in batches of a size."""
        events = list(self.bench.house.events)
        for _ in range(times):
            for start in range(0, len(events), size):
                await self.reader.apply(
                    batch_of(events[start:start + size], first_seq=start + 1))

    def told(self) -> list[tuple[int, str]]:
        """Return who was told, and what, in the order of people."""
        return sorted(
            (event.row, msgspec.json.decode(event.record)["kind"])
            for event in self.bench.notices()
        )


@pytest.fixture
async def poll(bench, house, mira, otto, stones, monkeypatch) -> AsyncIterator[Poll]:
    # Small enough that telling takes several units.
    monkeypatch.setattr("lichen.moderation.supports.TOLD_BATCH_MAX", 3)
    people = [await house.sign_up(f"member{number}") for number in range(SUPPORTERS)]
    yield Poll(bench, await build_reader(house.store, bench.moderation), [otto, mira, *people])


@pytest.mark.parametrize(("size", "times"), [(1_000, 1), (1, 1), (1_000, 2), (3, 2)])
async def test_everybody_is_told_once_however_events_come(poll: Poll, size: int, times: int):
    await poll.decide()
    await poll.decide(ProposalState.DECLINED)

    await poll.follow(size, times=times)

    people = sorted(one.id for one in [poll.supporters[0], *poll.supporters[2:]])
    kinds = ("acceptProposal", "declineProposal")
    assert poll.told() == [(number, kind) for number in people for kind in kinds]


async def test_a_reader_that_was_cut_off_tells_the_rest(poll: Poll, bench, monkeypatch):
    await poll.decide()
    whole = bench.moderation.tell_supporters
    units = iter([True, False])

    def cut_off(unit, proposal_id):
        if not next(units):
            raise ConnectionError
        return whole(unit, proposal_id)

    with monkeypatch.context() as patch:
        patch.setattr(bench.moderation, "tell_supporters", cut_off)
        with pytest.raises(ConnectionError):
            await poll.follow(1_000)
    half = len(poll.told())
    await poll.follow(1_000)

    assert (half, len(poll.told())) == (1 + 3, 1 + SUPPORTERS)
    assert len(set(poll.told())) == len(poll.told())


async def test_what_is_not_decided_tells_nobody_and_is_passed_over(poll: Poll, bench, house):
    await poll.decide(ProposalState.REMOVED)
    await poll.follow(1_000)
    kept = await house.store.read(lambda unit: checkpoint_of(unit, NAME))

    assert [kind for _, kind in poll.told()] == ["removeProposal"]
    assert (poll.reader.position(), kept) == (len(house.events), 0)


async def test_a_reader_begins_where_it_was(poll: Poll, bench, house):
    await poll.decide()
    await poll.follow(1_000)

    again = await build_reader(house.store, bench.moderation)

    assert again.position() == poll.reader.position()
    assert (await build_reader(house.store, bench.moderation, log_first_seq=900)).position() == 899
