"""Posts: what is written is there, for whom it shall be there, and counted once."""

import msgspec
import pytest

from lichen.events import forum as records
from lichen.forum import (
    CommunityRuling,
    Listing,
    PostDraft,
    PostQuery,
    PostRuling,
    Sort,
)
from lichen.kit import Forbidden, NotFound, Refused

pytestmark = pytest.mark.anyio


async def ids(house, viewer, **asked):
    """Return the ids of a list of posts."""
    asked = {"listing": Listing.ALL, "sort": Sort.NEW, **asked}
    views, _page = await house.read("post_list", viewer, PostQuery(**asked))
    return [view.post.id for view in views]


async def test_a_new_post_has_its_authors_upvote(house, mira, post):
    again = await house.read("post_view", mira, post.post.id)

    assert again == msgspec.structs.replace(post, community=again.community)
    assert (again.post.up, again.post.down, again.my_vote) == (1, 0, 1)
    assert again.community.posts == 1
    assert again.creator_is_moderator
    assert again.post.ap_id == f"https://lichen.example/post/{again.post.id}"


async def test_a_new_post_is_told_with_its_vote_and_its_tallies(house, mira, post):
    assert house.told()[-4:] == [
        "create forum.post", "create forum.vote", "update forum.tally", "update forum.tally",
    ]


async def test_a_post_is_in_the_list_at_once(house, mira, otto, post):
    assert await ids(house, mira) == [post.post.id]
    assert await ids(house, otto) == [post.post.id]
    assert await ids(house, None) == [post.post.id]


async def test_a_subscribed_list_draws_from_subscriptions(house, mira, otto, post):
    assert await ids(house, mira, listing=Listing.SUBSCRIBED) == [post.post.id]
    assert await ids(house, otto, listing=Listing.SUBSCRIBED) == []
    assert await ids(house, None, listing=Listing.SUBSCRIBED) == []

    await house.write("subscribe", otto, post.community.id, follow=True)

    assert await ids(house, otto, listing=Listing.SUBSCRIBED) == [post.post.id]


async def test_an_edit_changes_what_is_given_and_empties_what_is_empty(house, mira, post):
    draft = PostDraft(name="A lichen on basalt", body="", url="https://example.org/a")

    edited = await house.write("edit_post", mira, post.post.id, draft)

    assert edited.post.name == "A lichen on basalt"
    assert edited.post.body is None
    assert edited.post.url == "https://example.org/a"
    assert edited.post.updated_us is not None
    assert (await house.read("post_view", mira, post.post.id)).post == edited.post


async def test_only_its_author_edits_and_deletes_a_post(house, otto, post):
    with pytest.raises(Forbidden, match="no_post_edit_allowed"):
        await house.write("edit_post", otto, post.post.id, PostDraft(name="Mine now"))
    with pytest.raises(Forbidden, match="no_post_edit_allowed"):
        await house.write("delete_post", otto, post.post.id, deleted=True)


async def test_a_deleted_post_is_there_for_author_and_moderators_alone(house, mira, otto, stones):
    anna = await house.sign_up("anna")
    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="In a hurry"))
    post_id = view.post.id

    await house.write("delete_post", otto, post_id, deleted=True)

    for viewer in (otto, mira):
        assert (await house.read("post_view", viewer, post_id)).post.deleted
        assert await ids(house, viewer) == []
    for viewer in (anna, None):
        with pytest.raises(NotFound, match="couldnt_find_post"):
            await house.read("post_view", viewer, post_id)


async def test_a_deleted_post_comes_back_with_everything(house, mira, otto, post):
    await house.write("delete_post", mira, post.post.id, deleted=True)
    gone = await house.read("community", otto, id=post.community.id)
    house.told()

    await house.write("delete_post", mira, post.post.id, deleted=False)

    assert gone.community.posts == 0
    assert await ids(house, otto) == [post.post.id]
    event = next(event for event in house.events if event.collection == "lichen.forum.post")
    record = msgspec.json.decode(event.record, type=records.Post)
    assert (event.operation, record.name, record.body) == ("update", post.post.name, post.post.body)
    assert (await house.read("person", None, id=mira.id)).posts == 1


async def test_a_removed_post_that_is_edited_is_not_told(house, mira, otto, stones):
    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="Not good"))
    await house.write("rule_post", mira, view.post.id, PostRuling(removed=True))
    house.told()

    await house.write("edit_post", otto, view.post.id, PostDraft(body="Much worse"))

    assert [told for told in house.told() if "forum.post" in told] == []


async def test_posts_of_blocked_people_and_communities_are_not_listed(house, mira, otto, post):
    await house.store.write(
        lambda unit: house.accounts.block_person(unit, otto, mira.id, blocked=True)
    )
    without_mira = await ids(house, otto)
    await house.store.write(
        lambda unit: house.accounts.block_person(unit, otto, mira.id, blocked=False)
    )
    with_mira = await ids(house, otto)
    blocked = await house.write("block_community", otto, post.community.id, block=True)

    assert without_mira == []
    assert with_mira == [post.post.id]
    assert blocked.blocked
    assert await ids(house, otto) == []


async def test_what_is_not_safe_for_work_is_for_those_who_want_it(house, mira, stones):
    bold = await house.sign_up("bold", show_nsfw=True)
    draft = PostDraft(name="Bare rock", nsfw=True)
    view = await house.write("create_post", mira, stones.community.id, draft)

    assert await ids(house, mira) == []
    assert await ids(house, bold) == [view.post.id]
    assert await ids(house, mira, show_nsfw=True) == [view.post.id]


async def test_posts_in_other_languages_than_mine_are_not_listed(house, mira, otto, stones):
    for language_id in (32, 37, None):
        draft = PostDraft(name=f"Written in {language_id}", language_id=language_id)
        await house.write("create_post", mira, stones.community.id, draft)

    assert len(await ids(house, otto)) == 3
    assert len(await ids(house, otto, languages=(0, 37))) == 2


async def test_a_list_of_saved_and_voted_posts_holds_just_those(house, mira, otto, stones):
    views = [
        await house.write("create_post", mira, stones.community.id, PostDraft(name=f"Post {n}"))
        for n in range(4)
    ]
    first, second, third, fourth = (view.post.id for view in views)
    await house.write("save_post", otto, first, save=True)
    await house.write("vote_post", otto, second, value=1)
    await house.write("vote_post", otto, third, value=-1)

    assert await ids(house, otto, saved_only=True) == [first]
    assert await ids(house, otto, liked_only=True) == [second]
    assert await ids(house, otto, disliked_only=True) == [third]
    assert await ids(house, mira, liked_only=True) == [fourth, third, second, first]


async def test_hidden_and_read_posts_leave_the_list(house, mira, otto, post):
    other = await house.write("create_post", mira, post.community.id, PostDraft(name="Another one"))
    everything = await ids(house, otto, show_read=False)
    await house.write("hide_posts", otto, [post.post.id], hide=True)
    await house.write("mark_posts_read", otto, [other.post.id], read=True)

    assert everything == [other.post.id, post.post.id]
    assert await ids(house, otto) == [other.post.id]
    assert await ids(house, otto, show_read=False) == []
    assert await ids(house, otto, show_hidden=True) == [other.post.id, post.post.id]


async def test_pages_follow_each_other_without_gap_or_overlap(house, mira, stones):
    for number in range(7):
        draft = PostDraft(name=f"Number {number}")
        await house.write("create_post", mira, stones.community.id, draft)
    query = PostQuery(listing=Listing.ALL, sort=Sort.HOT, limit=3)

    walked, cursor = [], None
    for _page in range(3):
        views, page = await house.read(
            "post_list", mira, msgspec.structs.replace(query, cursor=cursor)
        )
        walked += [view.post.id for view in views]
        cursor = page.next

    assert len(walked) == len(set(walked)) == 7
    assert cursor is None


async def test_posts_of_one_address_know_each_other(house, mira, stones):
    first, second, _third = [
        await house.write("create_post", mira, stones.community.id, PostDraft(name=name, url=url))
        for name, url in (("First of two", "https://example.org/x"),
                          ("Second of two", "https://example.org/x"),
                          ("Somewhere else", "https://example.org/y"))
    ]

    around = await house.read("post_around", None, first.post.id)

    assert [view.post.id for view in around.cross_posts] == [second.post.id]
    assert [actor.id for actor in around.moderators] == [mira.id]


async def test_a_post_can_say_why_it_stands_where_it_stands(house, mira, post):
    reason = await house.read("explain_post", mira, post.post.id, Sort.HOT)

    assert reason.rule.startswith("Hot")
    assert {term.name for term in reason.terms} >= {"score", "age_hours"}


WRONG = [
    (PostDraft(name=""), "invalid_post_title"),
    (PostDraft(name="ab"), "invalid_post_title"),
    (PostDraft(name="a b c d"), "invalid_post_title"),
    (PostDraft(name="x" * 201), "invalid_post_title"),
    (PostDraft(name="two\nlines"), "invalid_post_title"),
    (PostDraft(name="Fine", body="x" * 50_001), "invalid_body_field"),
    (PostDraft(name="Fine", url="no address"), "invalid_url"),
    (PostDraft(name="Fine", url="https://[::1/"), "invalid_url"),
    (PostDraft(name="Fine", url="ftp://example.org/"), "invalid_url_scheme"),
    (PostDraft(name="Fine", url="https://a.example/" + "x" * 2_000), "url_length_overflow"),
    (PostDraft(name="Fine", alt_text="x" * 1_501), "alt_text_length_overflow"),
    (PostDraft(name="Fine", language_id=184), "language_not_allowed"),
    (PostDraft(name="Fine", language_id=-1), "language_not_allowed"),
]


async def test_a_wrong_post_is_refused_by_name_and_nothing_is_written(house, mira, stones):
    for draft, code in WRONG:
        with pytest.raises(Refused) as refusal:
            await house.write("create_post", mira, stones.community.id, draft)

        assert refusal.value.code == code
    assert await ids(house, mira) == []
    assert (await house.read("community", mira, id=stones.community.id)).community.posts == 0


async def test_nobody_posts_where_they_may_not(house, mira, otto, stones):
    community_id = stones.community.id
    draft = PostDraft(name="Let me in")
    with pytest.raises(NotFound, match="couldnt_find_community"):
        await house.write("create_post", otto, 999, draft)

    await house.write("ban_from_community", mira, community_id, otto.id, banned=True)
    with pytest.raises(Forbidden, match="banned_from_community"):
        await house.write("create_post", otto, community_id, draft)

    await house.write("rule_community", mira, community_id, CommunityRuling(deleted=True))
    with pytest.raises(Refused, match="deleted"):
        await house.write("create_post", mira, community_id, draft)


async def test_a_ban_that_has_ended_is_none(house, mira, otto, stones, clock):
    await house.write("ban_from_community", mira, stones.community.id, otto.id, banned=True,
                      expires_us=clock.now_us + 3_600_000_000)

    clock.advance(hours=2)
    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="Back again"))

    assert not view.banned_from_community
