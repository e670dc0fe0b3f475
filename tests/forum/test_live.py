"""Live threads: who listens to what, how many may, and what they are told."""

import pytest

from lichen.accounts import Viewer
from lichen.forum import PostView
from lichen.forum.limits import LISTENERS_MAX, LISTENERS_OF_ADDRESS_MAX, LIVE_WAITING_MAX
from lichen.forum.live import LiveThreads
from lichen.kit import TooMany
from tests.forum.conftest import House

pytestmark = pytest.mark.anyio

SOON_S = 0.01


async def test_a_page_hears_of_the_comments_of_its_post_alone(
    house: House, mira: Viewer, otto: Viewer, post: PostView, stones
) -> None:
    from lichen.forum import PostDraft

    other = await house.write("create_post", mira, stones.community.id, PostDraft(name="Another"))
    live = house.forum.live
    listener = live.listen(house.forum.uri_of(post), "192.0.2.1")

    first = await house.write("create_comment", otto, post.post.id, content="Nice.")
    await house.write("create_comment", otto, other.post.id, content="Not here.")
    await house.write("edit_comment", otto, first.comment.id, content="Very nice.")
    await house.write("delete_comment", otto, first.comment.id, deleted=True)
    live.follow(house.events)

    assert await listener.next(SOON_S) == [first.comment.id]
    assert await listener.next(SOON_S) == []
    live.leave(listener)
    live.leave(listener)
    assert live.listeners == 0


async def test_what_came_since_is_without_what_is_gone(
    house: House, mira: Viewer, otto: Viewer, post: PostView, clock
) -> None:
    ids = []
    for number in range(4):
        clock.advance(seconds=1)
        view = await house.write("create_comment", otto, post.post.id, content=f"Number {number}")
        ids.append(view.comment.id)
    await house.write("delete_comment", otto, ids[2], deleted=True)
    second = (await house.read("comment_view", None, ids[1])).comment.published_us

    async def since(**asked: int) -> list[int]:
        found = await house.read("comments_since", mira, post.post.id, **asked)
        return [one.comment.id for one in found]

    assert await since() == [ids[0], ids[1], ids[3]]
    assert await since(after_id=ids[0]) == [ids[1], ids[3]]
    assert await since(after_us=second) == [ids[3]]
    assert await since(after_id=ids[3]) == []


def test_listeners_are_bounded_by_address_and_in_all() -> None:
    live = LiveThreads(position=0)
    of_one = [live.listen("at://x", "192.0.2.1") for _ in range(LISTENERS_OF_ADDRESS_MAX)]

    with pytest.raises(TooMany):
        live.listen("at://x", "192.0.2.1")
    live.leave(of_one[0])
    live.listen("at://x", "192.0.2.1")
    for number in range(LISTENERS_MAX - LISTENERS_OF_ADDRESS_MAX):
        live.listen("at://x", f"10.0.{number // 10}.1")
    with pytest.raises(TooMany):
        live.listen("at://x", "192.0.2.9")
    assert live.listeners == LISTENERS_MAX


async def test_a_page_that_does_not_read_is_remembered_for_so_long() -> None:
    listener = LiveThreads(position=0).listen("at://x", "192.0.2.1")

    for number in range(LIVE_WAITING_MAX + 10):
        listener.hear(number)

    assert len(await listener.next(SOON_S)) == LIVE_WAITING_MAX
