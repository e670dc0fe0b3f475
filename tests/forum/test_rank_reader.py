"""The rank columns follow the log: rebuilt, replayed or doubled, they come out the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lichen.accounts import ProfileDraft, Viewer
from lichen.events import Event, encode_event
from lichen.forum import (
    CommunityDraft,
    CommunityView,
    Listing,
    PostDraft,
    PostQuery,
    PostView,
    Sort,
)
from lichen.forum.columns import ActorFlag, ColumnFile, PostFlag
from lichen.forum.model import SubjectKind, Vote
from lichen.forum.reader import RankReader
from lichen.log import Batch
from tests.forum.conftest import House

pytestmark = pytest.mark.anyio


def state(reader: RankReader) -> dict[str, dict[int, tuple[int, ...]]]:
    """Return every row that is not empty, of both files."""
    return {"posts": rows_of(reader.posts), "actors": rows_of(reader.actors)}


def rows_of(file: ColumnFile) -> dict[int, tuple[int, ...]]:
    view = file.view()
    flags = view.whole("flags")
    return {
        int(row): tuple(int(view.whole(name)[row]) for name in view.columns)
        for row in np.flatnonzero(flags)
    }


def batch_of(events: list[Event], *, first_seq: int = 1) -> Batch:
    """Return the events as the log would hand them over."""
    return Batch(
        next_seq=first_seq + len(events), seqs=np.arange(first_seq, first_seq + len(events)),
        times_us=np.arange(len(events)), body=b"".join(encode_event(e) + b"\n" for e in events),
    )


async def opened(
    house: House, folder: Path, *, first_seq: int = 1, last_seq: int = 0
) -> RankReader:
    return await RankReader.open(
        folder, store=house.store, accounts=house.accounts, clock=house.store.clock,
        first_seq=first_seq, last_seq=last_seq,
    )


@pytest.fixture
async def evening(house: House, mira: Viewer, otto: Viewer, stones: CommunityView,
                  post: PostView) -> list[Event]:
    """Everything that can happen to a column, as events."""
    community, id_ = stones.community.id, post.post.id
    second = await house.write("create_post", otto, community, PostDraft(name="Another", nsfw=True))
    await house.write("create_comment", otto, id_, content="Nice.")
    for viewer, value in ((mira, 1), (otto, -1), (otto, 1)):
        await house.write("cast_votes", [Vote(viewer.id, SubjectKind.POST, second.post.id, value)])
    await house.write("edit_post", otto, second.post.id, PostDraft(name="Another one", nsfw=False))
    third = await house.write("create_post", mira, community, PostDraft(name="A third"))
    await house.write("delete_post", mira, third.post.id, deleted=True)
    draft = CommunityDraft(title="Moss", nsfw=True)
    moss = await house.write("create_community", otto, "moss", draft)
    await house.write("create_post", otto, moss.community.id, PostDraft(name="Wet feet"))
    await house.store.write(
        lambda unit: house.accounts.save_profile(unit, otto, ProfileDraft(bot=True))
    )
    return list(house.events)


async def test_the_columns_hold_what_happened(
    house: House, evening: list[Event], otto: Viewer
) -> None:
    room: Any = house.room

    posts = sorted(rows_of(room.rank_reader.posts))
    first, second, third, _wet = posts

    reader = room.rank_reader
    assert reader.posts.value(first, "comments") == 1
    assert (reader.posts.value(second, "up"), reader.posts.value(second, "down")) == (2, 0)
    assert reader.posts.value(second, "flags") == PostFlag.EXISTS
    assert reader.posts.value(third, "flags") & PostFlag.GONE
    assert reader.actors.value(otto.id, "flags") & ActorFlag.BOT


async def test_built_from_rows_is_what_was_followed(
    house: House, evening: list[Event], tmp_path: Path
) -> None:
    room: Any = house.room

    built = await opened(house, tmp_path / "built", last_seq=len(evening))

    assert state(built) == state(room.rank_reader)
    assert built.position() == len(evening)


@pytest.mark.parametrize("cut", [0, 1, 5, 12])
async def test_the_tail_applied_over_newer_rows_converges(
    house: House, evening: list[Event], tmp_path: Path, cut: int
) -> None:
    room: Any = house.room
    built = await opened(house, tmp_path / "built", last_seq=cut)

    await built.apply(batch_of(evening[cut:], first_seq=cut + 1))

    assert state(built) == state(room.rank_reader)


async def test_events_applied_twice_change_nothing(house: House, evening: list[Event]) -> None:
    room: Any = house.room
    once = state(room.rank_reader)

    await room.rank_reader.apply(batch_of(evening))

    assert state(room.rank_reader) == once


async def test_event_by_event_is_what_one_batch_is(
    house: House, evening: list[Event], tmp_path: Path
) -> None:
    room: Any = house.room
    built = await opened(house, tmp_path / "built")

    for at, event in enumerate(evening):
        await built.apply(batch_of([event], first_seq=at + 1))

    assert state(built) == state(room.rank_reader)


async def test_a_checkpoint_survives_and_is_gone_on_from(
    house: House, evening: list[Event], tmp_path: Path
) -> None:
    first = await opened(house, tmp_path / "built", last_seq=3)
    await first.apply(batch_of(evening[3:6], first_seq=4))
    await first.close()

    again = await opened(house, tmp_path / "built", last_seq=len(evening))

    assert again.position() == 6


@pytest.mark.parametrize(("first_seq", "last_seq"), [(9, 20), (1, 3)])
async def test_files_that_the_log_cannot_bring_up_are_built_again(
    house: House, evening: list[Event], tmp_path: Path, first_seq: int, last_seq: int
) -> None:
    """The log was trimmed past the checkpoint, or ends before it: another log."""
    built = await opened(house, tmp_path / "built", last_seq=6)
    built.posts.write(99, {"flags": 1})
    await built.close()

    again = await opened(house, tmp_path / "built", first_seq=first_seq, last_seq=last_seq)

    assert again.position() == last_seq
    assert 99 not in rows_of(again.posts)


async def test_a_file_of_another_format_is_built_again(
    house: House, evening: list[Event], tmp_path: Path
) -> None:
    built = await opened(house, tmp_path / "built", last_seq=6)
    expected = state(built)
    await built.close()
    (tmp_path / "built" / "posts.columns").write_bytes(b"something else")

    again = await opened(house, tmp_path / "built", last_seq=6)

    assert state(again) == expected


async def test_a_vote_moves_a_post_in_the_very_next_list(
    house: House, mira: Viewer, otto: Viewer, stones: CommunityView, post: PostView
) -> None:
    await house.write("create_post", otto, stones.community.id, PostDraft(name="Another"))
    query = PostQuery(listing=Listing.ALL, sort=Sort.TOP_ALL)

    before, _ = await house.read("post_list", None, query)
    await house.write("cast_votes", [Vote(otto.id, SubjectKind.POST, post.post.id, 1)])
    after, _ = await house.read("post_list", None, query)

    assert [view.post.name for view in before] == ["Another", "A lichen on granite"]
    assert [view.post.name for view in after] == ["A lichen on granite", "Another"]
