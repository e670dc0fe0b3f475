"""Marks: kept, hidden, read; seen by their owner alone; twice is once."""

import pytest

from lichen.events.visibility import VISIBILITY, Visibility
from lichen.kit import NotFound, Refused

pytestmark = pytest.mark.anyio


async def test_what_is_saved_is_saved_for_me(house, mira, otto, post):
    comment = await house.write("create_comment", mira, post.post.id, content="Keep this.")
    saved = [await house.write("save_post", otto, post.post.id, save=True),
             await house.write("save_comment", otto, comment.comment.id, save=True)]

    assert [view.saved for view in saved] == [True, True]
    assert (await house.read("post_view", otto, post.post.id)).saved
    assert (await house.read("comment_view", otto, comment.comment.id)).saved
    assert not (await house.read("post_view", mira, post.post.id)).saved
    await house.write("save_post", otto, post.post.id, save=False)
    await house.write("save_comment", otto, comment.comment.id, save=False)
    assert not (await house.read("post_view", otto, post.post.id)).saved
    assert not (await house.read("comment_view", otto, comment.comment.id)).saved


async def test_a_mark_made_twice_is_told_once(house, otto, post):
    ids = [post.post.id]
    house.told()
    for turn in (True, True, False, False):
        await house.write("save_post", otto, post.post.id, save=turn)
        await house.write("mark_posts_read", otto, ids, read=turn)

    assert house.told() == [
        "create forum.save", "create forum.read", "delete forum.save", "delete forum.read",
    ]


async def test_a_post_that_was_read_says_how_many_comments_are_new(house, mira, otto, post):
    await house.write("create_comment", mira, post.post.id, content="First.")
    before = await house.read("post_view", otto, post.post.id)
    await house.write("mark_posts_read", otto, [post.post.id], read=True)
    read = await house.read("post_view", otto, post.post.id)
    await house.write("create_comment", mira, post.post.id, content="Second.")
    after = await house.read("post_view", otto, post.post.id)
    await house.write("mark_posts_read", otto, [post.post.id], read=True)
    again = await house.read("post_view", otto, post.post.id)

    assert [(view.read, view.unread_comments) for view in (before, read, after, again)] == [
        (False, 1), (True, 0), (True, 1), (True, 0),
    ]


async def test_a_hidden_post_says_so_to_who_hid_it(house, mira, otto, post):
    await house.write("hide_posts", otto, [post.post.id], hide=True)

    assert (await house.read("post_view", otto, post.post.id)).hidden
    assert not (await house.read("post_view", mira, post.post.id)).hidden
    await house.write("hide_posts", otto, [post.post.id], hide=False)
    assert not (await house.read("post_view", otto, post.post.id)).hidden


async def test_marks_of_what_is_not_there_are_refused(house, otto, post):
    with pytest.raises(NotFound, match="couldnt_find_post"):
        await house.write("save_post", otto, 999, save=True)
    with pytest.raises(NotFound, match="couldnt_find_comment"):
        await house.write("save_comment", otto, 999, save=True)
    with pytest.raises(NotFound, match="couldnt_find_post"):
        await house.write("hide_posts", otto, [post.post.id, 999], hide=True)
    with pytest.raises(Refused, match="too_many_items"):
        await house.write("mark_posts_read", otto, list(range(1, 1_002)), read=True)
    assert not (await house.read("post_view", otto, post.post.id)).hidden


def test_marks_votes_and_subscriptions_are_private():
    private = {name.rsplit(".", 1)[1] for name, visibility in VISIBILITY.items()
               if visibility is Visibility.PRIVATE and name.startswith("lichen.forum.")}

    assert private == {"held", "vote", "subscription", "save", "hide", "read", "reaction"}
