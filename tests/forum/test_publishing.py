"""What people write is asked about first, outside of every unit of work; what is held waits."""

import msgspec
import pytest

from lichen.events.forum import Held
from lichen.forum import CommentRuling, PostDraft, PostRuling
from lichen.forum.permissions import is_gone
from lichen.kit import NotFound, Reason, Refused, Term
from lichen.plugins import Change, Hold, Refuse, RefusedByPlugin, hookimpl
from lichen.plugins.judges import InHouse

pytestmark = pytest.mark.anyio

DOUBT = Reason(rule="doubt", terms=(Term("words", 1, "one odd word"),))


class Doubting(InHouse):
    """Holds what says doubtful, refuses what says forbidden, shouts what is loud."""

    def __init__(self):
        super().__init__("doubting")
        self.asked = []

    @hookimpl
    async def before_create(self, person, writing):
        return self.check(person, writing)

    @hookimpl
    async def before_edit(self, person, writing):
        return self.check(person, writing)

    def check(self, person, writing):
        self.asked.append((person.name, writing))
        words = f"{writing.title} {writing.body}"
        if "forbidden" in words:
            return Refuse(text="Not here.", reason=DOUBT, code="not_here")
        if "doubtful" in words:
            return Hold(reason=DOUBT)
        if "loud" in words:
            return Change(fields={"body": (writing.body or "").upper()})
        return None


class Kind(InHouse):
    @hookimpl
    async def before_vote(self, person, vote):
        return Refuse(text="Be kind.", reason=DOUBT, code="be_kind") if vote.value < 0 else None


@pytest.fixture
def check(house):
    check = Doubting()
    house.forum._hooks.join(check)
    house.told()
    return check


async def test_without_hooks_publishing_is_the_command(house, mira, stones):
    view = await house.forum.publish_post(mira, stones.community.id, PostDraft(name="A lichen"))
    comment = await house.forum.publish_comment(mira, view.post.id, content="So it is.")

    revised = await house.forum.revise_post(mira, view.post.id, PostDraft(name="A moss"))
    edited = await house.forum.revise_comment(mira, comment.comment.id, content="So it was.")
    voted = await house.forum.judge_post(mira, view.post.id, value=-1)
    judged = await house.forum.judge_comment(mira, comment.comment.id, value=0)

    assert ("A moss", "So it was.") == (revised.post.name, edited.comment.content)
    assert (-1, None) == (voted.my_vote, judged.my_vote)


async def test_a_refused_post_leaves_nothing(house, mira, stones, check):
    with pytest.raises(RefusedByPlugin, match="not_here"):
        await house.forum.publish_post(mira, stones.community.id, PostDraft(name="forbidden"))

    assert [] == house.told()
    assert ("mira", "post", stones.community.id) == (
        check.asked[0][0], check.asked[0][1].kind, check.asked[0][1].community_id)


async def test_what_a_hook_changes_is_what_is_written_and_checked_again(house, mira, post, check):
    comment = await house.forum.publish_comment(mira, post.post.id, content="loud")
    edited = await house.forum.revise_comment(mira, comment.comment.id, content="louder, loud")
    revised = await house.forum.revise_post(mira, post.post.id, PostDraft(body="loud"))

    assert "LOUD" == comment.comment.content
    assert "LOUDER, LOUD" == edited.comment.content
    assert ("LOUD", post.post.name) == (revised.post.body, revised.post.name)
    with pytest.raises(Refused):  # 10,000 characters are the most, whoever wrote them
        await house.forum.publish_comment(mira, post.post.id, content="loud" + "ß" * 9_990)


async def test_a_held_post_waits_unseen_and_uncounted(house, mira, otto, stones, check):
    draft = PostDraft(name="A doubtful lichen")

    view = await house.forum.publish_post(mira, stones.community.id, draft)

    told = [event for event in house.events if event.collection == "lichen.forum.held"]
    record = msgspec.json.decode(told[0].record, type=Held)
    assert ("doubt",) == record.rules
    assert view.post.id == told[0].row
    assert is_gone(view.post)
    assert not {"create forum.post", "delete forum.post"} & set(house.told())
    with pytest.raises(NotFound):
        await house.read("post_view", otto, view.post.id)
    assert view.post.id == (await house.read("post_view", mira, view.post.id)).post.id
    assert 0 == (await house.read("community", otto, name="stones")).community.posts


async def test_a_held_post_that_is_restored_is_there_as_any_other(house, mira, otto, stones, check):
    view = await house.forum.publish_post(
        mira, stones.community.id, PostDraft(name="A doubtful lichen"))
    house.told()

    restored = (await house.write(
        "rule_post", mira, view.post.id, PostRuling(removed=False)))[1]

    assert "create forum.post" in house.told()
    seen = await house.read("post_view", otto, view.post.id)
    assert (1, 1) == (seen.post.up, restored.community.posts)
    assert 1 == (await house.read("community", otto, name="stones")).community.posts


async def test_a_held_comment_waits_and_is_restored(house, mira, otto, post, check):
    held = await house.forum.publish_comment(otto, post.post.id, content="doubtful")

    assert not {"create forum.comment"} & set(house.told())
    before = await house.read("post_view", mira, post.post.id)
    await house.write("rule_comment", mira, held.comment.id, CommentRuling(removed=False))
    after = await house.read("post_view", mira, post.post.id)

    assert (0, 1) == (before.post.comments, after.post.comments)
    assert "create forum.comment" in house.told()
    seen = await house.read("comment_view", None, held.comment.id)
    assert "doubtful" == seen.comment.content


async def test_a_held_comment_is_not_read_by_others(house, mira, otto, post, check):
    held = await house.forum.publish_comment(mira, post.post.id, content="doubtful")

    with pytest.raises(NotFound):
        await house.read("comment_view", None, held.comment.id)


async def test_votes_may_be_refused(house, mira, otto, post):
    house.forum._hooks.join(Kind("kind"))
    comment = await house.forum.publish_comment(mira, post.post.id, content="So it is.")

    with pytest.raises(RefusedByPlugin, match="be_kind"):
        await house.forum.judge_post(otto, post.post.id, value=-1)
    with pytest.raises(RefusedByPlugin, match="be_kind"):
        await house.forum.judge_comment(otto, comment.comment.id, value=-1)

    assert 1 == (await house.forum.judge_post(otto, post.post.id, value=1)).my_vote


async def test_asking_costs_no_round_trip(house, mira, post, check):
    async def cost(write):
        before = house.store.round_trips
        await write
        return house.store.round_trips - before

    bare = await cost(house.write("create_comment", mira, post.post.id, content="So it is."))
    asked = await cost(house.forum.publish_comment(mira, post.post.id, content="So it is."))

    assert 1 == len(check.asked)
    assert bare == asked
