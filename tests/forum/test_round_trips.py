"""Round trips: what a page or a command costs when rows are far away, whatever its length."""

import pytest

from lichen.forum import (
    CommentQuery,
    CommunityDraft,
    Listing,
    NewComment,
    NewPost,
    PostDraft,
    PostQuery,
    Sort,
    SubjectKind,
    Vote,
)
from lichen.forum.activity import Activity

pytestmark = pytest.mark.anyio


@pytest.fixture
async def full(house, mira, otto, stones):
    """A community with 30 posts and a thread of 60 comments under the first."""
    community_id = stones.community.id
    posts = await house.write("create_posts", [
        NewPost(mira.id, community_id, PostDraft(name=f"Post number {number}"))
        for number in range(30)
    ])
    comments = await house.write("create_comments", [
        NewComment(otto.id, posts[0].id, f"Comment number {number}.") for number in range(60)
    ])
    _freshen(house)
    await house.read("site_counts")
    return posts, comments


def _freshen(house):
    """Let the counts of active people be a minute old, as in a real house."""
    house.forum.activity._age_us_max = 60_000_000


@pytest.fixture(params=["with its sets in memory", "for the first time"])
def warm(request):
    return request.param == "with its sets in memory"


async def cost(house, viewer, noun, *arguments, warm, **named):
    query = getattr(house.forum, noun)
    if warm:
        await house.store.read(lambda unit: query(unit, viewer, *arguments, **named))
    return await house.round_trips(lambda unit: query(unit, viewer, *arguments, **named))


@pytest.mark.parametrize("limit", [1, 30])
async def test_a_list_of_posts_takes_one_round_trip_or_two(house, otto, full, warm, limit):
    for listing in (Listing.ALL, Listing.SUBSCRIBED):
        query = PostQuery(listing=listing, sort=Sort.HOT, limit=limit)
        assert await cost(house, otto, "post_list", query, warm=warm) <= 2 - warm
    saved = PostQuery(listing=Listing.ALL, saved_only=True)
    liked = PostQuery(listing=Listing.ALL, liked_only=True)
    assert await cost(house, otto, "post_list", saved, warm=warm) <= 2
    assert await cost(house, otto, "post_list", liked, warm=warm) <= 3
    assert await cost(house, None, "post_list", PostQuery(limit=limit), warm=warm) == 1


async def test_a_post_with_comments_takes_two_round_trips(house, otto, full, warm):
    posts, _comments = full
    tree = CommentQuery(depth_max=8)

    assert await cost(house, otto, "post_thread", posts[0].id, tree, warm=warm) == 2
    assert await cost(house, None, "post_thread", posts[0].id, tree, warm=warm) == 2
    assert await cost(house, otto, "post_thread", posts[1].id, tree, warm=warm) == 1


async def test_other_pages_take_one_round_trip_or_two(house, otto, full, warm):
    posts, comments = full

    assert await cost(house, otto, "post_view", posts[0].id, warm=warm) == 1
    assert await cost(house, otto, "comment_view", comments[0].id, warm=warm) == 1
    assert await cost(house, otto, "comment_list", CommentQuery(), warm=warm) == 2
    assert await cost(house, otto, "communities", warm=warm) == 2
    assert await cost(house, otto, "community", id=posts[0].community_id, warm=warm) == 1
    assert await cost(house, otto, "community", name="stones", warm=warm) == 2
    assert await cost(house, otto, "subscriptions", warm=warm) == 1


async def test_a_command_takes_two_round_trips_with_its_commit(house, mira, otto, full, warm):
    posts, comments = full
    post_id, comment_id, community_id = posts[0].id, comments[0].id, posts[0].community_id
    forum = house.forum
    # The first taking of a name's numbers asks for a block, once in a thousand.
    await house.write("create_comment", otto, post_id, content="Numbers are in hand.")
    if warm:
        await house.read("post_list", otto, PostQuery())
    commands = {
        "vote on a post": lambda unit: forum.vote_post(unit, otto, post_id, value=1),
        "vote on a comment": lambda unit: forum.vote_comment(unit, mira, comment_id, value=-1),
        "comment": lambda unit: forum.create_comment(unit, otto, post_id, content="Well."),
        "reply": lambda unit: forum.create_comment(
            unit, otto, post_id, content="Well.", parent_id=comment_id),
        "post": lambda unit: forum.create_post(
            unit, otto, community_id, PostDraft(name="Another one")),
        "edit": lambda unit: forum.edit_post(unit, mira, post_id, PostDraft(body="More.")),
        "delete": lambda unit: forum.delete_comment(unit, otto, comment_id, deleted=True),
        "follow": lambda unit: forum.subscribe(unit, otto, community_id, follow=True),
        "save": lambda unit: forum.save_post(unit, otto, post_id, save=True),
        "hide": lambda unit: forum.hide_posts(unit, otto, [one.id for one in posts], hide=True),
        "read": lambda unit: forum.mark_posts_read(
            unit, otto, [one.id for one in posts], read=True),
        "many votes": lambda unit: forum.cast_votes(
            unit, [Vote(otto.id, SubjectKind.POST, one.id, -1) for one in posts]),
        "found a community": lambda unit: forum.create_community(
            unit, otto, "moss", CommunityDraft(title="Moss")),
    }

    costs = {name: await house.round_trips(command, is_command=True)
             for name, command in commands.items()}

    # On SQLite a commit is nobody's round trip: it is shared by all who wait.
    assert {name: count for name, count in costs.items() if count > 2} == {}


async def test_counts_of_active_people_ride_along_when_they_are_old(house, otto, full):
    posts, _comments = full
    house.forum.activity._age_us_max = 0

    assert await cost(house, otto, "post_view", posts[0].id, warm=True) == 1


async def test_counts_of_active_people_are_asked_for_by_one_page_at_a_time():
    activity = Activity(age_us_max=60)

    first, second, third = (activity.queries(now_us) for now_us in (1_000, 1_030, 1_061))

    assert [bool(asked) for asked in (first, second, third)] == [True, False, True]
