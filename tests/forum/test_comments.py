"""Comments: answered, counted, limited in depth, shown as trees and lists."""

import pytest

from lichen.forum import (
    CommentQuery,
    CommentSort,
    CommunityDraft,
    Listing,
    NewComment,
    PostDraft,
    PostRuling,
)
from lichen.forum.limits import COMMENT_DEPTH_MAX
from lichen.kit import Forbidden, NotFound, Refused, Unauthenticated

pytestmark = pytest.mark.anyio

TREE = CommentQuery(sort=CommentSort.OLD, depth_max=8)


async def say(house, viewer, post_id, content="So it is.", parent_id=None):
    return await house.write(
        "create_comment", viewer, post_id, content=content, parent_id=parent_id
    )


async def ids(house, viewer, **asked):
    """Return the ids of a list of comments."""
    views = await house.read("comment_list", viewer, CommentQuery(**asked))
    return [view.comment.id for view in views]


async def test_a_new_comment_has_its_authors_upvote_and_is_counted(house, mira, otto, post):
    first = await say(house, otto, post.post.id)
    reply = await say(house, mira, post.post.id, parent_id=first.comment.id)

    view, thread = await house.read("post_thread", otto, post.post.id, TREE)

    assert [one.comment.id for one in thread] == [first.comment.id, reply.comment.id]
    assert thread[1].comment == reply.comment
    assert thread[1].comment.path == f"0.{first.comment.id}.{reply.comment.id}"
    assert (thread[0].my_vote, thread[0].comment.up, thread[1].my_vote) == (1, 1, None)
    assert thread[0].comment.children == 1
    assert (view.post.comments, view.community.comments) == (2, 2)
    assert (await house.read("person", None, name="otto")).comments == 1


async def test_children_count_all_below_however_deep(house, mira, post):
    parent_id, written = None, []
    for _level in range(4):
        view = await say(house, mira, post.post.id, parent_id=parent_id)
        parent_id = view.comment.id
        written.append(parent_id)

    views = await house.read("comment_views", mira, written)

    assert [view.comment.children for view in views] == [3, 2, 1, 0]


async def test_replies_go_fifty_levels_deep_and_no_deeper(house, mira, post):
    chain = [
        NewComment(creator_id=mira.id, post_id=post.post.id, content="Deeper.", id=number,
                   parent_id=number - 1 if number > 1 else None)
        for number in range(1, COMMENT_DEPTH_MAX + 1)
    ]
    await house.write("create_comments", chain)

    with pytest.raises(Refused, match="max_comment_depth_reached"):
        await say(house, mira, post.post.id, parent_id=COMMENT_DEPTH_MAX)


async def test_wrong_comments_are_refused_by_name_and_nothing_is_written(house, mira, post):
    for content, parent_id, code in (
        ("", None, "invalid_body_field"), (" \n", None, "invalid_body_field"),
        ("x" * 10_001, None, "invalid_body_field"), ("Fine.", 999, "couldnt_find_comment"),
    ):
        with pytest.raises(Refused) as refusal:
            await say(house, mira, post.post.id, content=content, parent_id=parent_id)
        assert refusal.value.code == code

    with pytest.raises(NotFound, match="couldnt_find_post"):
        await say(house, mira, 999)
    assert (await house.read("post_view", mira, post.post.id)).post.comments == 0


async def test_a_reply_stays_in_its_post(house, mira, post):
    other = await house.write("create_post", mira, post.community.id, PostDraft(name="Another"))
    elsewhere = await say(house, mira, other.post.id)

    with pytest.raises(NotFound, match="couldnt_find_comment"):
        await say(house, mira, post.post.id, parent_id=elsewhere.comment.id)


async def test_a_locked_post_takes_comments_of_moderators_alone(house, mira, otto, post):
    await house.write("rule_post", mira, post.post.id, PostRuling(locked=True))

    with pytest.raises(Forbidden, match="locked"):
        await say(house, otto, post.post.id)
    assert (await say(house, mira, post.post.id)).comment.content == "So it is."


async def test_nobody_comments_on_a_deleted_post(house, mira, otto, post):
    await house.write("delete_post", mira, post.post.id, deleted=True)

    for viewer in (mira, otto):
        with pytest.raises(NotFound, match="couldnt_find_post"):
            await say(house, viewer, post.post.id)


async def test_a_deleted_comment_keeps_its_place_and_loses_its_text(house, mira, otto, post):
    anna = await house.sign_up("anna")
    view = await say(house, otto, post.post.id, content="Regretted.")
    await say(house, anna, post.post.id, parent_id=view.comment.id)

    await house.write("delete_comment", otto, view.comment.id, deleted=True)

    for viewer, content in ((otto, "Regretted."), (mira, "Regretted."), (anna, ""), (None, "")):
        page, thread = await house.read("post_thread", viewer, post.post.id, TREE)
        assert [one.comment.content for one in thread] == [content, "So it is."]
        assert (page.post.comments, page.community.comments) == (1, 1)

    await house.write("delete_comment", otto, view.comment.id, deleted=False)
    page, thread = await house.read("post_thread", None, post.post.id, TREE)
    assert (thread[0].comment.content, page.post.comments) == ("Regretted.", 2)


async def test_a_comment_is_changed_by_its_author_alone(house, mira, otto, post):
    view = await say(house, otto, post.post.id)
    parent = view.comment.id
    await say(house, otto, post.post.id, parent_id=parent)
    house.told()

    edited = await house.write("edit_comment", otto, parent, content="Is it so?")

    assert edited.comment.content == "Is it so?"
    assert edited.comment.updated_us is not None
    assert house.told() == ["update forum.comment"]
    with pytest.raises(Forbidden, match="no_comment_edit_allowed"):
        await house.write("edit_comment", mira, parent, content="Mine.")
    with pytest.raises(Forbidden, match="no_comment_edit_allowed"):
        await house.write("delete_comment", mira, parent, deleted=True)


async def test_an_edited_reply_still_names_its_parent(house, mira, post):
    top = await say(house, mira, post.post.id)
    reply = await say(house, mira, post.post.id, parent_id=top.comment.id)
    created = next(event for event in reversed(house.events)
                   if event.collection == "lichen.forum.comment")

    await house.write("edit_comment", mira, reply.comment.id, content="Anew.")

    edited = next(event for event in reversed(house.events)
                  if event.collection == "lichen.forum.comment")
    parent = f'"parent":"at://{mira.actor.did}/lichen.forum.comment/{top.comment.tid}"'
    assert parent in bytes(created.record).decode()
    assert parent in bytes(edited.record).decode()
    assert (edited.rkey, edited.row) == (created.rkey, created.row)


async def test_active_is_bumped_by_others_within_two_days(house, mira, otto, post, clock):
    published_us = post.post.published_us
    clock.advance(hours=1)
    by_author = await say(house, mira, post.post.id)
    clock.advance(hours=1)
    by_other = await say(house, otto, post.post.id)
    clock.advance(days=2)
    late = await say(house, otto, post.post.id)

    assert by_author.post.active_us == published_us
    assert by_author.post.newest_comment_us == by_author.comment.published_us
    assert by_other.post.active_us == by_other.comment.published_us
    assert late.post.active_us == by_other.comment.published_us
    assert late.post.newest_comment_us == late.comment.published_us


async def test_a_tree_is_cut_by_depth_and_a_branch_goes_on(house, mira, post):
    top = (await say(house, mira, post.post.id)).comment.id
    below = (await say(house, mira, post.post.id, parent_id=top)).comment.id
    deepest = (await say(house, mira, post.post.id, parent_id=below)).comment.id

    asked = {"post_id": post.post.id, "sort": CommentSort.OLD}

    assert await ids(house, None, **asked, depth_max=1) == [top]
    assert await ids(house, None, **asked, depth_max=2) == [top, below]
    assert await ids(house, None, parent_id=below, depth_max=1) == [below, deepest]
    assert await ids(house, None, **asked, limit=2) == [top, below]
    assert await ids(house, None, **asked, limit=2, page=2) == [deepest]
    assert await ids(house, None, parent_id=below, sort=CommentSort.OLD) == [below, deepest]


async def test_a_tree_has_no_page(house, mira, post):
    """A thread was once cut to the page of a flat list: its post was not part of the question."""
    await house.write("create_comments", [
        NewComment(mira.id, post.post.id, f"Number {number}.") for number in range(60)
    ])

    _view, thread = await house.read("post_thread", None, post.post.id, TREE)

    assert len(thread) == 60
    assert len(await ids(house, None, post_id=post.post.id, depth_max=1)) == 60
    assert len(await ids(house, None, post_id=post.post.id)) == 10


async def test_comments_are_sorted_as_asked(house, mira, otto, post, clock):
    first, second, third = [
        (await say(house, mira, post.post.id)).comment.id for _comment in range(3)
    ]
    await house.write("vote_comment", otto, first, value=-1)
    await house.write("vote_comment", otto, second, value=1)
    asked = {"post_id": post.post.id, "depth_max": 1}

    assert await ids(house, None, **asked, sort=CommentSort.TOP) == [second, third, first]
    assert await ids(house, None, **asked, sort=CommentSort.HOT) == [second, third, first]
    assert await ids(house, None, **asked, sort=CommentSort.NEW) == [third, second, first]
    assert await ids(house, None, **asked, sort=CommentSort.OLD) == [first, second, third]
    assert (await ids(house, None, **asked, sort=CommentSort.CONTROVERSIAL))[0] == first


async def test_lists_without_a_post_draw_from_what_was_asked(house, mira, otto, post):
    other = await house.write("create_community", otto, "moss", CommunityDraft(title="Moss"))
    moss = await house.write("create_post", otto, other.community.id, PostDraft(name="On moss"))
    here = (await say(house, mira, post.post.id)).comment.id
    there = (await say(house, otto, moss.post.id)).comment.id
    await house.write("save_comment", mira, there, save=True)
    await house.write("vote_comment", mira, there, value=-1)

    assert await ids(house, mira, sort=CommentSort.NEW) == [there, here]
    assert await ids(house, mira, creator_id=mira.id) == [here]
    assert await ids(house, mira, community_id=other.community.id) == [there]
    assert await ids(house, mira, listing=Listing.SUBSCRIBED) == [here]
    assert await ids(house, mira, saved_only=True) == [there]
    assert await ids(house, mira, liked_only=True) == [here]
    assert await ids(house, mira, disliked_only=True) == [there]
    with pytest.raises(Unauthenticated):
        await ids(house, None, saved_only=True)


async def test_blocked_people_are_silent_in_threads_and_lists(house, mira, otto, post):
    theirs = (await say(house, otto, post.post.id)).comment.id
    await say(house, mira, post.post.id, parent_id=theirs)
    mine = (await say(house, mira, post.post.id)).comment.id

    await house.store.write(
        lambda unit: house.accounts.block_person(unit, mira, otto.id, blocked=True)
    )

    assert await ids(house, mira, post_id=post.post.id, depth_max=8) == [mine]
    assert theirs not in await ids(house, mira)


async def test_a_batch_answers_itself_and_counts_once(house, mira, otto, post):
    chain = [
        NewComment(creator_id=person.id, post_id=post.post.id, content=f"Number {number}.",
                   id=100 + number, parent_id=99 + number if number else None,
                   published_us=post.post.published_us + number)
        for number, person in enumerate((mira, otto, mira))
    ]

    written = await house.write("create_comments", chain)

    page, thread = await house.read("post_thread", None, post.post.id, TREE)
    assert [view.comment for view in thread] == written
    assert [comment.children for comment in written] == [2, 1, 0]
    assert (page.post.comments, page.community.comments) == (3, 3)
    assert [person.comments for person in
            await house.read("persons", None, [mira.id, otto.id])] == [2, 1]
