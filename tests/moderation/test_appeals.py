"""Appeals: once, by whom it concerns, decided by somebody else."""

import pytest

from lichen.kit import Conflict, Forbidden, NotFound, Refused
from lichen.moderation import ActionQuery, AppealState, ItemKind, QueueQuery, Why

pytestmark = pytest.mark.anyio


@pytest.fixture
async def action(bench, house, mira, otto, second, stones):
    """A removal by sven of what otto wrote, in mira's community."""
    from lichen.forum import PostDraft

    view = await house.write("create_post", otto, stones.community.id, PostDraft(name="Words"))
    await bench.write("remove_post", second, view.post.id, removed=True, why=Why("Off topic."))
    ((line, *_),) = await bench.read("entries", mira, ActionQuery(community_id=stones.community.id))
    return line.action


async def test_an_upheld_appeal_undoes_the_act(bench, house, mira, otto, action):
    appeal = await bench.write("appeal", otto.actor, action.id, "It is about stones.")
    (waiting,) = (await bench.read("queue", mira, QueueQuery(kind=ItemKind.APPEAL))).items

    decided = await bench.write("decide_appeal", mira, appeal.id, upheld=True, answer="Right.")

    assert (waiting.appeal, waiting.action.reason) == (appeal, "Off topic.")
    assert waiting.post.post.removed
    assert (decided.state, decided.judge_id) == (AppealState.UPHELD, mira.id)
    assert not (await house.read("post_view", otto, action.post_id)).post.removed
    assert (await bench.read("queue", mira, QueueQuery())).items == ()
    with pytest.raises(Conflict, match="already_decided"):
        await bench.write("decide_appeal", mira, appeal.id, upheld=False)


async def test_a_denied_appeal_leaves_it_and_answers(bench, house, mira, otto, action):
    appeal = await bench.write("appeal", otto.actor, action.id, "Please.")

    await bench.write("decide_appeal", mira, appeal.id, upheld=False, answer="It stays.")

    found = (await bench.read("appeals_against", [action.id]))[action.id]
    assert (found.state, found.answer) == (AppealState.DENIED, "It stays.")
    assert (await house.read("post_view", mira, action.post_id)).post.removed
    with pytest.raises(Conflict, match="already_appealed"):
        await bench.write("appeal", otto.actor, action.id, "Please, please.")


async def test_who_acted_decides_only_where_nobody_else_can(bench, mira, otto, second, stones,
                                                            action):
    appeal = await bench.write("appeal", otto.actor, action.id, "It is about stones.")
    with pytest.raises(Forbidden, match="appeal_by_same_moderator"):
        await bench.write("decide_appeal", second, appeal.id, upheld=False)

    await bench.house.write("add_moderator", mira, stones.community.id, mira.id, added=False)

    decided = await bench.write("decide_appeal", second, appeal.id, upheld=False)
    assert decided.state is AppealState.DENIED


async def test_nobody_else_appeals_and_nobody_decides_elsewhere(
    bench, house, mira, otto, action
):
    with pytest.raises(NotFound, match="couldnt_find_object"):
        await bench.write("appeal", mira.actor, action.id, "For otto.")
    with pytest.raises(Refused, match="invalid_body_field"):
        await bench.write("appeal", otto.actor, action.id, "a" * 4_001)
    appeal = await bench.write("appeal", otto.actor, action.id, "It is about stones.")

    for person in (otto, await house.sign_up("elsewhere")):
        with pytest.raises(Forbidden, match="not_a_moderator"):
            await bench.write("decide_appeal", person, appeal.id, upheld=True)


async def test_what_was_undone_meanwhile_is_no_longer_appealed(bench, mira, otto, action):
    await bench.write("undo", mira, action.id)

    with pytest.raises(Conflict, match="couldnt_appeal"):
        await bench.write("appeal", otto.actor, action.id, "Too late.")


async def test_figures_of_a_community_count_what_was_done(bench, mira, otto, stones, action):
    appeal = await bench.write("appeal", otto.actor, action.id, "It is about stones.")
    await bench.write("decide_appeal", mira, appeal.id, upheld=True)

    figures = await bench.read("statistics", stones.community.id)

    assert figures.actions == {"removePost": 1, "undo removePost": 1}
    assert (figures.appeals, figures.appeals_upheld) == (1, 1)
