"""The demo is deterministic, whole, and the house that opens it has nothing left to do."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lichen.demo import fill
from lichen.demo.plan import SIZES, Size, draw
from lichen.demo.words import Voice, community_of, person_name
from lichen.events import decode_events
from lichen.forum import PostQuery, Sort
from lichen.house import House
from lichen.kit import Refused
from lichen.kit.config import Config
from lichen.log import Batch, Log
from tests.conftest import START_US

pytestmark = pytest.mark.anyio

TINY = Size(people=30, communities=8, posts=60, comments=400, votes=900)


def drawn(seed: int, size: Size = TINY):
    return draw(size, np.random.Generator(np.random.PCG64(seed)), now_us=START_US)


def whole(log: Log) -> Iterator[Batch]:
    """Yield every batch of a log."""
    batch = log.read(1)
    while len(batch):
        yield batch
        batch = log.read(batch.next_seq)


def test_the_same_seed_draws_the_same_plan() -> None:
    first, second, other = drawn(1), drawn(1), drawn(2)

    assert (first.comment_parent == second.comment_parent).all()
    assert (first.vote_subject == second.vote_subject).all()
    assert not (first.post_us == other.post_us).all()


def test_parents_stand_before_their_answers_in_the_same_post() -> None:
    plan = drawn(3)

    for at, parent in enumerate(plan.comment_parent.tolist()):
        assert parent < at
        assert parent < 0 or plan.comment_post[parent] == plan.comment_post[at]
    assert (np.diff(plan.comment_us) > 0).all()
    assert (plan.comment_us > plan.post_us[plan.comment_post]).all()


def test_nobody_votes_twice_or_on_their_own_words() -> None:
    plan = drawn(4)
    creators = np.concatenate([plan.post_creator, plan.comment_creator])

    pairs = list(zip(plan.vote_person.tolist(), plan.vote_subject.tolist(), strict=True))

    assert len(set(pairs)) == len(pairs) > 500
    assert (creators[plan.vote_subject] != plan.vote_person).all()


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_names_are_different_and_fit(size: Size) -> None:
    people = [person_name(at) for at in range(size.people)]
    communities = [community_of(at)[0] for at in range(size.communities)]

    assert len(set(people)) == size.people
    assert len(set(communities)) == size.communities
    assert max(map(len, people + communities)) <= 20


def test_the_same_generator_speaks_the_same_words() -> None:
    voices = [Voice(np.random.Generator(np.random.PCG64(5))) for _ in range(2)]

    said = [(voice.title(3), voice.texts([1, 2], [2, 0])) for voice in voices]

    assert said[0] == said[1]
    assert said[0][1][1] == ""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_filled_house_has_rows_and_log_alike(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SIZES, "tiny", TINY)
    words = {"server.data": str(tmp_path / "data"), "server.metrics_port": 0, "server.stream_port": 0}
    config = Config.load(None, {}, words=words)
    await asyncio.to_thread(fill, config, size="tiny", seed=7)
    with pytest.raises(Refused):
        await asyncio.to_thread(fill, config, size="tiny", seed=7)
    house = await House.open(config)
    try:
        state = await house._readiness()
        events = [event for batch in whole(house.log) for event in decode_events(batch.lines())]
        found, _page = await house.store.read(
            lambda unit: house.rooms.forum.post_list(
                unit, None, PostQuery(sort=Sort.TOP_ALL, limit=10)
            )
        )
        communities = await house.store.read(
            lambda unit: house.rooms.forum.communities(unit, None, limit=50)
        )
    finally:
        await house.close()

    kinds = Counter(event.collection for event in events if event.operation == "create")
    assert state.ready
    assert sum(view.community.subscribers for view in communities) == (
        TINY.communities + len(drawn(7).followings())
    )
    assert kinds["lichen.forum.post"] == TINY.posts
    assert kinds["lichen.forum.comment"] == TINY.comments
    scores = [view.post.score for view in found]
    assert len(found) == 10
    assert scores == sorted(scores, reverse=True)
    top = found[0].post
    votes = [event for event in events if event.collection == "lichen.forum.vote"]
    uri = f"at://{found[0].creator.did}/lichen.forum.post/{top.tid}".encode()
    values = Counter(
        b'"value":1' in bytes(event.record) for event in votes if uri in bytes(event.record)
    )
    assert (values[True], values[False]) == (top.up, top.down)
