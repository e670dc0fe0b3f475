"""Votes: one a person, counted where they fall; any order of them comes to a recount."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.forum import PostDraft, SubjectKind, Vote
from lichen.forum.vote_rows import VOTE_SUMS
from lichen.kit import Forbidden, NotFound, Refused

pytestmark = pytest.mark.anyio

POST, COMMENT = SubjectKind.POST, SubjectKind.COMMENT


async def recount(house, kind, subject_id):
    """Return up and down by counting all votes."""
    rows = await house.store.read(
        lambda unit: unit.fetch(VOTE_SUMS, kind=int(kind), ids=[subject_id])
    )
    return (rows[0].up, rows[0].down) if rows else (0, 0)


async def test_a_vote_cast_twice_counts_once(house, otto, post):
    first = await house.write("vote_post", otto, post.post.id, value=1)
    house.told()
    second = await house.write("vote_post", otto, post.post.id, value=1)

    assert (first.post.up, first.my_vote) == (2, 1)
    assert (second.post.up, second.my_vote) == (2, 1)
    assert house.told() == []


async def test_a_vote_can_be_turned_and_taken_back(house, otto, post):
    post_id = post.post.id
    counts = []
    for value in (1, -1, 0, -1, 1, 0):
        view = await house.write("vote_post", otto, post_id, value=value)
        counts.append((view.post.up, view.post.down, view.my_vote))

    assert counts == [(2, 0, 1), (1, 1, -1), (1, 0, None), (1, 1, -1), (2, 0, 1), (1, 0, None)]
    assert (await house.read("post_view", otto, post_id)).my_vote is None
    assert await recount(house, POST, post_id) == (1, 0)


async def test_a_vote_is_told_to_the_house_and_its_tally_to_all(house, otto, post):
    house.told()

    await house.write("vote_post", otto, post.post.id, value=1)
    await house.write("vote_post", otto, post.post.id, value=-1)
    await house.write("vote_post", otto, post.post.id, value=0)

    assert len({event.rkey for event in house.events if event.did == otto.actor.did}) == 1
    assert house.told() == [
        "create forum.vote", "update forum.tally", "update forum.vote", "update forum.tally",
        "delete forum.vote", "update forum.tally",
    ]


async def test_a_batch_tells_each_tally_once(house, mira, otto, post):
    comment = await house.write("create_comment", otto, post.post.id, content="Well.")
    house.told()

    await house.write("cast_votes", [
        Vote(mira.id, POST, post.post.id, 0), Vote(otto.id, POST, post.post.id, -1),
        Vote(mira.id, COMMENT, comment.comment.id, 1),
    ])

    assert sorted(house.told()) == [
        "create forum.vote", "create forum.vote", "delete forum.vote",
        "update forum.tally", "update forum.tally",
    ]
    view = await house.read("comment_view", mira, comment.comment.id)
    assert (view.comment.up, view.post.up, view.post.down) == (2, 0, 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from((POST, COMMENT)),
                          st.sampled_from((-1, 0, 1))), max_size=20),
       st.integers(1, 5))
async def test_any_order_of_votes_comes_to_a_recount(house, mira, stones, votes, batch):
    """The subjects are new in every example, the people are not."""
    people = [mira.id, 1_001, 1_002, 1_003]
    await _strangers(house, people[1:])
    post = await house.write("create_post", mira, stones.community.id, PostDraft(name="Vote here"))
    comment = await house.write("create_comment", mira, post.post.id, content="Or here.")
    subjects = {POST: post.post.id, COMMENT: comment.comment.id}
    cast = [Vote(people[person], kind, subjects[kind], value) for person, kind, value in votes]

    for start in range(0, len(cast), batch):
        await house.write("cast_votes", cast[start:start + batch])

    last = {(vote.person_id, vote.kind): vote.value for vote in cast}
    for kind in (POST, COMMENT):
        opinions = {(mira.id, kind): 1} | {pair: value for pair, value in last.items()
                                          if pair[1] is kind}
        expected = (list(opinions.values()).count(1), list(opinions.values()).count(-1))
        view = await house.read("comment_view", mira, subjects[COMMENT])
        subject = view.post if kind is POST else view.comment
        assert (subject.up, subject.down) == expected
        assert await recount(house, kind, subjects[kind]) == expected


async def test_people_who_vote_at_once_are_all_counted(house, mira, post):
    people = list(range(2_001, 2_021))
    await _strangers(house, people)

    await asyncio.gather(*(
        house.write("cast_votes", [Vote(person, POST, post.post.id, 1 - person % 2 * 2)])
        for person in people
    ))

    view = await house.read("post_view", mira, post.post.id)
    assert (view.post.up, view.post.down) == (11, 10)
    assert await recount(house, POST, post.post.id) == (11, 10)


async def test_one_person_who_votes_many_times_at_once_counts_once(house, mira, otto, post):
    await asyncio.gather(*(
        house.write("vote_post", otto, post.post.id, value=value) for value in (1, -1) * 6
    ))

    view = await house.read("post_view", mira, post.post.id)
    assert view.post.up + view.post.down == 2
    assert (view.post.up, view.post.down) == await recount(house, POST, post.post.id)


async def test_wrong_votes_are_refused_by_name_and_change_nothing(house, mira, otto, post):
    for value in (2, -2):
        with pytest.raises(Refused, match="couldnt_like_post"):
            await house.write("vote_post", otto, post.post.id, value=value)
        with pytest.raises(Refused, match="couldnt_like_comment"):
            await house.write("vote_comment", otto, 999, value=value)
    with pytest.raises(NotFound, match="couldnt_find_post"):
        await house.write("vote_post", otto, 999, value=1)
    with pytest.raises(NotFound, match="couldnt_find_comment"):
        await house.write("vote_comment", otto, 999, value=1)
    await house.write("ban_from_community", mira, post.community.id, otto.id, banned=True)
    with pytest.raises(Forbidden, match="banned_from_community"):
        await house.write("vote_post", otto, post.post.id, value=1)
    await house.write("delete_post", mira, post.post.id, deleted=True)
    with pytest.raises(NotFound, match="couldnt_find_post"):
        await house.write("vote_post", mira, post.post.id, value=1)

    assert await recount(house, POST, post.post.id) == (1, 0)


async def _strangers(house, ids):
    """Create people with these ids, unless they are there."""
    from lichen.accounts import ActorDraft, ActorKind

    known = await house.store.read(lambda unit: house.accounts.actors(unit, ids))
    drafts = [ActorDraft(kind=ActorKind.PERSON, name=f"person_{id_}", id=id_)
              for id_ in ids if id_ not in known]
    if drafts:
        await house.store.write(lambda unit: house.accounts.create_actors(unit, drafts))
