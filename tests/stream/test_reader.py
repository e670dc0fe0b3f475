"""The reader of the house's log: exactly once, from any batches, after any stop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lichen.events import Event, Outside, accounts, encode_event, event_of, forum
from lichen.kit import Tid
from lichen.log import Followers, SegmentLog
from lichen.stream import Dictionaries, Form, Store
from lichen.stream.copying import House
from lichen.stream.reader import StreamReader
from tests.conftest import FakeClock
from tests.stream.kept import forms, kept

pytestmark = pytest.mark.anyio

HOUSE = House("lichen.example", lambda name: f"did:web:lichen.example:u:{name}")
MIRA = "did:web:lichen.example:u:mira"
HOUR_US = 3_600_000_000


def post(number: int, *, outside: Outside = "shown") -> Event:
    record = forum.Post(name=f"Post {number}", community="did:web:lichen.example:c:stones",
                        created_at="2023-11-14T22:13:20.000000Z")
    return event_of(record, id=Tid(f"3k{number:011}"), did=MIRA, operation="create",
                    rkey=f"3k{number:011}", row=number, outside=outside)


def vote(number: int) -> Event:
    record = forum.Vote(subject="at://x", value=1, created_at="2023-11-14T22:13:20.000000Z")
    return event_of(record, id=Tid(f"3v{number:011}"), did=MIRA, operation="create",
                    rkey=f"3v{number:011}")


def door(*, shut: bool) -> Event:
    record = accounts.SiteSettings(name="Here", created_at="2023-11-14T22:13:20.000000Z",
                                   choices={"private_instance": True} if shut else {})
    return event_of(record, id=Tid("3s00000000000"), did="did:web:lichen.example",
                    operation="update", rkey="self")


class Place:
    """A log, a store and the reader between them."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.folder, self.clock = folder, clock
        self.log = SegmentLog.open(folder / "log", clock=clock)
        self.store = self.opened(folder / "stream")
        self.reader = self.reading(self.store)

    def opened(self, folder: Path) -> Store:
        return Store.open(folder, clock=self.clock, dictionaries=Dictionaries(folder / "d"))

    def reading(self, store: Store, *, age_us_max: int = HOUR_US) -> StreamReader:
        return StreamReader(store, self.log, HOUSE, clock=self.clock, age_us_max=age_us_max)

    async def tell(self, *events: Event) -> None:
        await self.log.append([encode_event(one) for one in events])

    async def follow(self, reader: StreamReader | None = None, *, limit: int = 1_000) -> None:
        """Let a reader read to the end, in batches of a size."""
        reader = reader or self.reader
        seq = reader.position() + 1
        while seq <= self.log.last_seq:
            batch = self.log.read(seq, limit=limit)
            if len(batch):
                await reader.apply(batch)
            seq = batch.next_seq

    async def close(self) -> None:
        await self.store.close()
        await self.log.close()


@pytest.fixture
async def place(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Place]:
    place = Place(tmp_path, clock)
    yield place
    await place.close()


async def test_what_is_public_is_copied_with_the_sequences_of_the_log(place: Place) -> None:
    await place.tell(post(1), vote(2), post(3, outside="withheld"), post(4), vote(5))
    await place.follow()

    assert [(one["cursor"], one["commit"]["record"]["name"]) for one in kept(place.store)] == [
        (1, "Post 1"), (4, "Post 4")]
    assert [one["time_us"] for one in kept(place.store)] == [
        entry.time_us for entry in place.log.read(1).entries() if entry.seq in (1, 4)]


async def test_a_batch_that_comes_twice_is_copied_once(place: Place) -> None:
    await place.tell(post(1), post(2), vote(3))
    batch = place.log.read(1)

    await place.reader.apply(batch)
    await place.reader.apply(batch)

    assert [one["cursor"] for one in kept(place.store)] == [1, 2]


async def test_followers_drive_it_from_where_it_stopped(place: Place) -> None:
    await place.tell(post(1), vote(2))
    await place.follow()
    await place.store.close()
    await place.tell(post(3))
    place.store = place.opened(place.folder / "stream")
    place.reader = place.reading(place.store)

    followers = Followers(place.log, [place.reader])
    running = asyncio.create_task(followers.run())
    async with asyncio.timeout(10):
        await place.store.wait_beyond(3)
    running.cancel()

    assert [one["cursor"] for one in kept(place.store)] == [1, 3]


_TOLD = st.lists(st.sampled_from(["post", "vote", "withheld", "shut", "open"]), max_size=40)


@given(words=_TOLD, limits=st.tuples(st.integers(1, 7), st.integers(1, 7)))
@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_store_built_anew_is_the_store_that_followed(
    tmp_path_factory: pytest.TempPathFactory, clock: FakeClock, words: list[str],
    limits: tuple[int, int],
) -> None:
    """The fold law: in whatever batches, with a stop between, from the start again."""
    place = Place(tmp_path_factory.mktemp("fold"), clock)
    made = {"post": post, "vote": vote, "withheld": lambda n: post(n, outside="withheld"),
            "shut": lambda _: door(shut=True), "open": lambda _: door(shut=False)}
    for number, word in enumerate(words, 1):
        await place.tell(made[word](number))
        if number % 3 == 0:
            await place.follow(limit=limits[0])
    await place.follow(limit=limits[0])
    anew = place.opened(place.folder / "anew")

    await place.follow(place.reading(anew), limit=limits[1])

    assert forms(anew) == forms(place.store)
    await anew.close()
    await place.close()


async def test_what_is_erased_is_in_no_form_and_cursors_around_it_go_on(place: Place) -> None:
    await place.tell(post(1), post(2), post(3))
    await place.follow()

    await place.reader.erase([2])

    assert [one["cursor"] for one in kept(place.store)] == [1, 3]
    for content in forms(place.store).values():
        assert b"Post 2" not in content


async def test_what_is_erased_before_it_was_copied_never_is(place: Place) -> None:
    """A batch in hand may still hold what the log has just forgotten."""
    await place.tell(post(1), post(2), post(3))
    in_hand = place.log.read(1)

    await place.reader.erase([2])
    await place.reader.apply(in_hand)

    assert [one["cursor"] for one in kept(place.store)] == [1, 3]


async def test_what_an_older_version_wrote_is_not_copied(place: Place) -> None:
    """It did not say of its events whether outsiders may hear of them."""
    await place.tell(post(1), post(2))
    place.reader.since_seq = 2
    await place.tell(post(3))

    await place.follow()

    assert [one["cursor"] for one in kept(place.store)] == [3]


async def test_what_is_too_old_to_be_served_is_not_copied(place: Place) -> None:
    await place.tell(post(1))
    place.clock.advance(hours=2)
    await place.tell(post(2))

    await place.follow()

    assert [one["cursor"] for one in kept(place.store)] == [2]


async def test_shutting_the_door_takes_back_what_was_let_out(place: Place) -> None:
    await place.tell(post(1), post(2))
    await place.follow()
    await place.tell(post(3), door(shut=True), post(4), door(shut=False), post(5))

    await place.follow()

    assert [one["commit"]["rkey"] for one in kept(place.store)] == ["self", "3k00000000005"]


async def test_a_start_behind_a_shut_door_takes_back_what_is_there(place: Place) -> None:
    await place.tell(post(1))
    await place.follow()

    await place.reader.shut()
    await place.tell(post(2))
    await place.follow()

    assert kept(place.store) == []


async def test_every_stored_form_says_the_same(place: Place) -> None:
    await place.tell(*(post(number) for number in range(1, 50)))
    await place.follow()

    plain = kept(place.store)
    packed = kept(place.store, Form(dictionary=place.store.v1_dictionary))

    assert plain == packed
    assert len(plain) == 49
    assert all(set(one) == {"did", "time_us", "cursor", "kind", "commit"} for one in plain)
