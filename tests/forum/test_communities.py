"""Communities: founded once, changed by who moderates, listed for who may see them."""

import pytest

from lichen.forum import (
    CommunityDraft,
    CommunityRuling,
    Following,
    Listing,
    PostDraft,
    Sort,
    Subscribed,
)
from lichen.kit import Conflict, Forbidden, NotFound, Refused

pytestmark = pytest.mark.anyio


async def names(house, viewer, **asked):
    asked = {"listing": Listing.ALL, "sort": Sort.OLD, **asked}
    return [view.community.actor.name for view in
            await house.read("communities", viewer, **asked)]


async def test_whoever_founds_a_community_moderates_and_follows_it(house, mira, otto, stones):
    mine = await house.read("community", mira, name="stones")
    theirs = await house.read("community", otto, name="Stones")

    assert mine == stones
    assert (mine.moderates, mine.subscribed) == (True, Subscribed.SUBSCRIBED)
    assert (theirs.moderates, theirs.subscribed) == (False, Subscribed.NOT_SUBSCRIBED)
    assert (theirs.community.subscribers, theirs.community.actor.display_name) == (1, "Stones")
    community_id = stones.community.id
    assert await house.read("moderators", community_id) == [mira.actor]
    moderated = await house.read("moderated_by", mira.id)
    for found in (moderated, await house.read("subscriptions", mira)):
        assert [view.community.id for view in found] == [community_id]


async def test_a_founding_is_told(house, mira, stones):
    assert house.told()[-4:] == [
        "create forum.community", "create forum.moderator", "create forum.subscription",
        "update forum.tally",
    ]


async def test_a_name_is_taken_once_whatever_its_case(house, mira, otto, stones):
    with pytest.raises(Conflict, match="community_already_exists"):
        await house.write("create_community", otto, "STONES", CommunityDraft(title="Others"))
    for name in ("ab", "no spaces", "x" * 21, ""):
        with pytest.raises(Refused, match="invalid_name"):
            await house.write("create_community", otto, name, CommunityDraft(title="Others"))
    with pytest.raises(NotFound, match="couldnt_find_community"):
        await house.read("community", None, name="nowhere")
    with pytest.raises(NotFound, match="couldnt_find_community"):
        await house.read("community", None, id=999)


async def test_a_moderator_changes_a_community_and_others_do_not(house, mira, otto, stones):
    community_id = stones.community.id
    draft = CommunityDraft(title="Old stones", description="What grows on them.", nsfw=True,
                           languages=(37,))

    edited = await house.write("edit_community", mira, community_id, draft)

    assert edited.community.actor.display_name == "Old stones"
    assert await house.read("community", mira, id=community_id) == edited
    with pytest.raises(Forbidden, match="not_a_moderator"):
        await house.write("edit_community", otto, community_id, draft)
    with pytest.raises(Refused, match="language_not_allowed"):
        await house.write("create_post", mira, community_id,
                          PostDraft(name="Stein", language_id=32))
    for wrong in (CommunityDraft(title=""), CommunityDraft(title="x" * 101)):
        with pytest.raises(Refused, match="invalid_community_title"):
            await house.write("edit_community", mira, community_id, wrong)


async def test_only_moderators_post_where_it_is_so_restricted(house, mira, otto, stones):
    draft = CommunityDraft(posting_restricted_to_mods=True)
    await house.write("edit_community", mira, stones.community.id, draft)

    with pytest.raises(Forbidden, match="only_mods_can_post_in_community"):
        await house.write("create_post", otto, stones.community.id, PostDraft(name="Hello there"))
    await house.write("create_post", mira, stones.community.id, PostDraft(name="Hello there"))


async def test_following_twice_is_once(house, otto, stones):
    community_id = stones.community.id
    house.told()
    counts = []
    for follow in (True, True, False, False):
        view = await house.write("subscribe", otto, community_id, follow=follow)
        counts.append((view.subscribed, view.community.subscribers))

    assert counts == [(Subscribed.SUBSCRIBED, 2)] * 2 + [(Subscribed.NOT_SUBSCRIBED, 1)] * 2
    assert house.told() == [
        "create forum.subscription", "update forum.tally",
        "delete forum.subscription", "update forum.tally",
    ]


async def test_a_batch_of_followings_counts_each_person_once(house, mira, otto, stones):
    community_id = stones.community.id

    await house.write("follow_communities", [
        Following(otto.id, community_id), Following(otto.id, community_id),
        Following(mira.id, community_id), Following(mira.id, community_id, follow=False),
    ])

    view = await house.read("community", otto, id=community_id)
    assert (view.community.subscribers, view.subscribed) == (1, Subscribed.SUBSCRIBED)


async def test_lists_of_communities_are_sorted_and_filtered(house, mira, otto, stones):
    moss = await house.write("create_community", otto, "moss", CommunityDraft(title="Moss"))
    await house.write("create_community", otto, "rocks", CommunityDraft(title="Rocks", nsfw=True))
    await house.write("subscribe", mira, moss.community.id, follow=True)

    assert await names(house, None) == ["stones", "moss"]
    assert await names(house, None, show_nsfw=True) == ["stones", "moss", "rocks"]
    assert await names(house, None, sort=Sort.NEW) == ["moss", "stones"]
    assert await names(house, None, sort=Sort.TOP_ALL) == ["moss", "stones"]
    assert await names(house, otto, listing=Listing.SUBSCRIBED) == ["moss"]
    assert await names(house, mira, listing=Listing.MODERATOR_VIEW) == ["stones"]
    assert await names(house, None, limit=1, page=2) == ["moss"]
    for sort in Sort:
        assert len(await names(house, None, sort=sort)) == 2
    await house.write("block_community", mira, moss.community.id, block=True)
    assert await names(house, mira) == ["stones"]
    assert await names(house, mira, listing=Listing.SUBSCRIBED) == ["stones"]


async def test_pages_have_bounds(house):
    for asked in ({"page": 0}, {"page": 10_001}, {"limit": 0}, {"limit": 51}):
        with pytest.raises(Refused, match="invalid_(page|limit)"):
            await names(house, None, **asked)


async def test_a_closed_community_is_in_no_list(house, mira, stones, post):
    await house.write("rule_community", mira, stones.community.id, CommunityRuling(deleted=True))

    assert await names(house, None) == []
    assert (await house.read("community", None, name="stones")).community.deleted
    with pytest.raises(NotFound, match="couldnt_find_post"):
        await house.read("post_view", None, post.post.id)


async def test_moderators_are_appointed_and_dismissed_in_order(house, mira, otto, stones):
    community_id = stones.community.id
    anna = await house.sign_up("anna")
    await house.write("add_moderator", mira, community_id, otto.id, added=True)
    three = await house.write("add_moderator", otto, community_id, anna.id, added=True)

    assert [actor.name for actor in three.moderators] == ["mira", "otto", "anna"]
    with pytest.raises(Forbidden, match="not_higher_mod"):
        await house.write("add_moderator", anna, community_id, otto.id, added=False)
    with pytest.raises(Forbidden, match="not_higher_mod"):
        await house.write("ban_from_community", otto, community_id, mira.id, banned=True)
    left = await house.write("add_moderator", mira, community_id, otto.id, added=False)
    assert [actor.name for actor in left.moderators] == ["mira", "anna"]
    with pytest.raises(Forbidden, match="not_a_moderator"):
        await house.write("add_moderator", otto, community_id, otto.id, added=True)


async def test_a_ban_is_seen_where_it_matters(house, mira, otto, stones):
    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="Last words"))

    await house.write("ban_from_community", mira, stones.community.id, otto.id, banned=True,
                      reason="Spam")

    post = await house.read("post_view", otto, view.post.id)
    assert (post.banned_from_community, post.creator_banned_from_community) == (True, True)
    assert not (await house.read("post_view", mira, view.post.id)).banned_from_community
    await house.write("ban_from_community", mira, stones.community.id, otto.id, banned=False)
    assert not (await house.read("post_view", otto, view.post.id)).banned_from_community
    with pytest.raises(Refused, match="ban_expiration_in_past"):
        await house.write("ban_from_community", mira, stones.community.id, otto.id, banned=True,
                          expires_us=1)


async def test_people_who_wrote_or_voted_are_active_for_a_while(house, mira, otto, post, clock):
    community_id = post.community.id
    await house.write("vote_post", otto, post.post.id, value=1)

    async def active():
        one = (await house.read("community", None, id=community_id)).community
        return one.users_active_day, one.users_active_week, one.users_active_month

    assert await active() == (2, 2, 2)
    clock.advance(days=3)
    await house.write("create_comment", mira, post.post.id, content="Still here.")
    assert await active() == (1, 2, 2)
    clock.advance(days=6)
    assert await active() == (0, 1, 2)
    clock.advance(days=40)
    assert await active() == (0, 0, 0)
    counts = await house.read("site_counts")
    assert (counts.communities, counts.posts, counts.comments) == (1, 1, 1)
    assert (counts.users_active_month, counts.users_active_half_year) == (0, 2)


async def test_persons_are_found_by_name_and_id(house, mira, otto, post):
    assert (await house.read("person", None, name="MIRA")).posts == 1
    assert (await house.read("person", None, id=otto.id)).posts == 0
    for asked in ({"name": "nobody"}, {"id": 999}, {"id": post.community.id}):
        with pytest.raises(NotFound, match="couldnt_find_person"):
            await house.read("person", None, **asked)
