"""What a check holds is nobody's but its author's and the moderators', until it is approved, once."""

import msgspec
import pytest

from lichen.forum import (
    CommentQuery,
    CommunityDraft,
    HeldQuery,
    Listing,
    PostDraft,
    PostQuery,
    PostRuling,
    Sort,
    SubjectKind,
    Verdict,
)
from lichen.kit import Forbidden, NotFound, Refused
from lichen.plugins import InHouse, hookimpl

pytestmark = pytest.mark.anyio
NEW = PostQuery(listing=Listing.ALL, sort=Sort.NEW)


class WordCheck(InHouse):
    """Holds what says "hold", refuses what says "refuse", and notes what follows."""

    def __init__(self):
        super().__init__("words")
        self.followed = []

    @hookimpl
    def judge_written(self, unit, written):
        return [self._verdict(one) for one in written]

    def _verdict(self, one):
        text = one.comment.content if one.comment else (
            f"{one.post.name} {one.post.body or ''}")
        text = text.lower()
        if "refuse" in text:
            raise Refused("slurs", "This word is not said here.")
        subject_id = one.subject.id
        then = (lambda _unit: self.followed.append(subject_id)) if "follow" in text else None
        return Verdict(hold="hold" in text, then=then)


@pytest.fixture
def check(house):
    check = WordCheck()
    house.forum._hooks.join(check)
    return check


async def names(house, viewer):
    views, _page = await house.read("post_list", viewer, NEW)
    return [view.post.name for view in views]


async def counts(house, community_id):
    view = await house.read("community", None, id=community_id)
    return view.community.posts, view.community.comments


async def test_a_held_post_is_seen_by_its_author_and_moderators_alone(
    house, mira, otto, stones, check
):
    nora = await house.sign_up("nora")
    house.told()

    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="Please hold"))

    assert view.post.held
    assert [one for one in house.told() if "post" in one or "tally" in one] == [
        "update forum.tally"], "only the community's own counts, which have not changed"
    assert await counts(house, stones.community.id) == (0, 0)
    for somebody in (None, nora):
        with pytest.raises(NotFound):
            await house.read("post_view", somebody, view.post.id)
        assert await names(house, somebody) == []
    for somebody in (otto, mira):
        assert (await house.read("post_view", somebody, view.post.id)).post.held
    own = msgspec.structs.replace(NEW, creator_id=otto.id)
    assert len((await house.read("post_list", otto, own))[0]) == 1
    assert len((await house.read("post_list", nora, own))[0]) == 0
    assert (await house.read("person", None, id=otto.id)).posts == 0


async def test_an_approved_post_becomes_public_exactly_once(house, mira, otto, stones, check):
    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="Please hold"))
    house.told()

    for _ in range(2):
        await house.write("approve_held", mira, SubjectKind.POST, view.post.id)

    assert sorted(house.told()) == ["create forum.post", "delete forum.held", "update forum.tally",
                                    "update forum.tally"]
    assert await names(house, None) == ["Please hold"]
    assert await counts(house, stones.community.id) == (1, 0)
    assert (await house.read("person", None, id=otto.id)).posts == 1
    assert not (await house.read("post_view", None, view.post.id)).post.held


async def test_an_approved_comment_becomes_public_exactly_once(house, mira, otto, post, check):
    parent = await house.write("create_comment", mira, post.post.id, content="Ask away.")
    view = await house.write("create_comment", otto, post.post.id, content="Please hold.",
                             parent_id=parent.comment.id)
    thread = CommentQuery(depth_max=8)
    before, comments = await house.read("post_thread", None, post.post.id, thread)
    assert (before.post.comments, len(comments)) == (1, 1)
    assert comments[0].comment.children == 0
    assert len((await house.read("post_thread", otto, post.post.id, thread))[1]) == 2
    assert len((await house.read("post_thread", mira, post.post.id, thread))[1]) == 2
    assert len(await house.read("comment_list", None, CommentQuery())) == 1
    house.told()

    for _ in range(2):
        await house.write("approve_held", mira, SubjectKind.COMMENT, view.comment.id)

    assert [one for one in house.told() if "tally" not in one] == [
        "delete forum.held", "create forum.comment"]
    after, comments = await house.read("post_thread", None, post.post.id, thread)
    assert (after.post.comments, len(comments), comments[0].comment.children) == (2, 2, 1)
    assert after.post.active_us == view.comment.published_us
    assert await counts(house, post.post.community_id) == (1, 2)


async def test_nobody_votes_on_answers_or_keeps_what_is_held(house, mira, otto, post, check):
    nora = await house.sign_up("nora")
    held = await house.write("create_comment", otto, post.post.id, content="Please hold.")
    community_id = post.post.community_id
    held_post = await house.write("create_post", otto, community_id, PostDraft(name="Hold, hold"))

    for verb, arguments, named in (
        ("vote_comment", (held.comment.id,), {"value": 1}),
        ("vote_post", (held_post.post.id,), {"value": 1}),
        ("create_comment", (post.post.id,), {"content": "So?", "parent_id": held.comment.id}),
        ("create_comment", (held_post.post.id,), {"content": "So?"}),
        ("save_comment", (held.comment.id,), {"save": True}),
        ("save_post", (held_post.post.id,), {"save": True}),
    ):
        with pytest.raises(NotFound):
            await house.write(verb, nora, *arguments, **named)


async def test_an_edit_may_hold_what_was_public_and_it_comes_back_changed(
    house, mira, otto, stones, check
):
    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="A stone"))
    house.told()

    await house.write("edit_post", otto, view.post.id, PostDraft(body="hold this"))
    gone = house.told()
    await house.write("edit_post", otto, view.post.id, PostDraft(body="innocent again"))
    still = house.told()
    await house.write("approve_held", mira, SubjectKind.POST, view.post.id)

    assert "delete forum.post" in gone
    assert still == [], "what waits is not let out by its author"
    assert "update forum.post" in house.told()
    assert await names(house, None) == ["A stone"]


async def test_a_held_edit_of_an_answered_comment_keeps_the_thread_together(
    house, mira, otto, post, check
):
    asked = await house.write("create_comment", otto, post.post.id, content="A question.")
    await house.write("create_comment", mira, post.post.id, content="An answer.",
                      parent_id=asked.comment.id)

    await house.write("edit_comment", otto, asked.comment.id, content="hold the door")

    _view, comments = await house.read("post_thread", None, post.post.id, CommentQuery(depth_max=8))
    assert [(one.comment.content, one.comment.removed) for one in comments] == [
        ("", True), ("An answer.", False)]


async def test_removing_or_deleting_decides_what_was_held(house, mira, otto, stones, check):
    community_id = stones.community.id
    first, second = [
        await house.write("create_post", otto, community_id, PostDraft(name=f"Hold {number}"))
        for number in range(2)
    ]
    house.told()

    await house.write("rule_post", mira, first.post.id, PostRuling(removed=True))
    await house.write("delete_post", otto, second.post.id, deleted=True)

    assert [one for one in house.told() if "forum.post" in one] == []
    assert await house.read("held_queue", mira, HeldQuery()) == []
    assert await counts(house, community_id) == (0, 0)
    await house.write("rule_post", mira, first.post.id, PostRuling(removed=False))
    assert "create forum.post" in house.told()
    assert await names(house, None) == ["Hold 0"]


async def test_the_queue_shows_what_waits_the_oldest_first(house, mira, otto, stones, post, check):
    await house.write("create_post", otto, stones.community.id, PostDraft(name="Hold 1"))
    await house.write("create_comment", otto, post.post.id, content="hold 2")
    await house.write("create_post", otto, stones.community.id, PostDraft(name="Hold 3"))

    found = await house.read("held_queue", mira, HeldQuery())
    second_page = await house.read("held_queue", mira, HeldQuery(page=2, limit=2))
    comments = await house.read("held_queue", mira, HeldQuery(kind=SubjectKind.COMMENT))
    count = await house.read("held_count", mira, HeldQuery(community_id=stones.community.id))

    texts = [getattr(one, "comment", None) and one.comment.content or one.post.name
             for one in found]
    assert texts == ["Hold 1", "hold 2", "Hold 3"]
    assert [one.post.name for one in second_page] == ["Hold 3"]
    assert [one.comment.content for one in comments] == ["hold 2"]
    assert (count.posts, count.comments, count.oldest_us) == (2, 1, found[0].post.published_us)


async def test_only_those_who_moderate_there_see_and_decide(house, mira, otto, stones, check):
    elsewhere = await house.sign_up("elsa")
    await house.write("create_community", elsewhere, "moss", CommunityDraft(title="Moss"))
    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="Hold me"))

    for somebody in (otto, elsewhere):
        with pytest.raises(Forbidden):
            await house.write("approve_held", somebody, SubjectKind.POST, view.post.id)
        with pytest.raises(Forbidden):
            await house.read("held_queue", somebody, HeldQuery(community_id=stones.community.id))
        assert await house.read("held_queue", somebody, HeldQuery()) == []

    assert (await house.read("post_view", mira, view.post.id)).post.held


async def test_a_refusal_writes_nothing_and_what_follows_is_called_once(
    house, otto, stones, check
):
    with pytest.raises(Refused):
        await house.write("create_post", otto, stones.community.id, PostDraft(name="refuse this"))

    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="follow me"))

    assert check.followed == [view.post.id]
    assert await names(house, None) == ["follow me"]


async def test_columns_built_anew_show_what_the_followed_ones_show(house, mira, otto, stones, check):
    """The reader hears of a held post, although its own record is not told."""
    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="Hold me"))

    flags = house.room.rank_reader.posts.value(view.post.id, "flags")

    assert flags & 3 == 3, "it exists, and is in no list but its author's"


async def test_what_one_of_two_checks_holds_is_held_and_what_each_does_is_done(
    house, otto, stones, check
):
    class Lenient(WordCheck):
        def _verdict(self, one):
            return Verdict(then=lambda _unit: self.followed.append(one.subject.id))

    lenient = Lenient()
    lenient.name = "lenient"
    house.forum._hooks.join(lenient)

    view = await house.write(
        "create_post", otto, stones.community.id, PostDraft(name="Hold and follow"))

    assert view.post.held
    assert ([view.post.id], [view.post.id]) == (check.followed, lenient.followed)
