"""What a viewer has, kept by events, is what a fresh look at the rows finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.forum.limits import VIEWERS_MAX
from lichen.forum.standing import Standing, Standings

pytestmark = pytest.mark.anyio


async def standing(house, viewer, standings=None):
    """Return the standing that the pages see, or that of a reader just started."""
    kept = standings or house.room.standings
    return await house.store.read(lambda unit: kept.of(unit, viewer, with_read=True))


def sets(one: Standing):
    """Return the standing's sets, by name."""
    return {name: set(getattr(one, name)) for name in Standing.__struct_fields__[1:]}


ACTS = ("hide_posts", "mark_posts_read", "save_post", "save_comment", "subscribe",
        "block_community", "add_moderator", "block_person")


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.booleans()), max_size=12))
async def test_sets_kept_by_events_are_those_of_the_rows(house, mira, otto, post, acts):
    """The fold law: state kept incrementally = state built from the rows; events twice = once."""
    comment = await house.write("create_comment", mira, post.post.id, content="Mark me.")
    await standing(house, otto)

    for verb, turn in acts:
        start = len(house.events)
        await act(house, mira, otto, post, comment.comment.id, verb, turn)
        house.room.standings.follow(house.events[start:])
        fresh = Standings(house.accounts, position=0)

        kept = await standing(house, otto)

        assert sets(kept) == sets(await standing(house, otto, fresh))


async def act(house, mira, otto, post, comment_id, verb, turn):
    post_id, community_id = post.post.id, post.community.id
    match verb:
        case "hide_posts":
            await house.write(verb, otto, [post_id], hide=turn)
        case "mark_posts_read":
            await house.write(verb, otto, [post_id], read=turn)
        case "save_post":
            await house.write(verb, otto, post_id, save=turn)
        case "save_comment":
            await house.write(verb, otto, comment_id, save=turn)
        case "subscribe":
            await house.write(verb, otto, community_id, follow=turn)
        case "block_community":
            await house.write(verb, otto, community_id, block=turn)
        case "add_moderator":
            await house.write(verb, mira, community_id, otto.id, added=turn)
        case "block_person":
            await house.store.write(
                lambda unit: house.accounts.block_person(unit, otto, mira.id, blocked=turn)
            )


async def test_a_viewer_in_memory_costs_no_round_trip(house, otto, post):
    first = await house.round_trips(lambda unit: house.room.standings.of(unit, otto))
    second = await house.round_trips(lambda unit: house.room.standings.of(unit, otto))

    assert (first, second) == (1, 0)


async def test_a_load_that_an_event_overtook_is_not_kept(house, mira, otto, post):
    """Read before the event and kept after it, the sets would be wrong until the next event."""
    standings = house.room.standings
    loading = standings.begin(otto, with_read=True)
    answers = await house.store.read(lambda unit: unit.fetch_all(*loading.queries))
    await house.write("subscribe", otto, post.community.id, follow=True)
    loading.end(answers)

    kept = await standing(house, otto)

    assert post.community.id in kept.subscribed


async def test_memory_holds_the_viewers_seen_last(house, otto, monkeypatch):
    standings = Standings(house.accounts, position=0)
    import lichen.forum.standing as module

    monkeypatch.setattr(module, "VIEWERS_MAX", 2)
    others = [await house.sign_up(name) for name in ("anna", "bert")]
    for viewer in (otto, *others):
        await standing(house, viewer, standings)

    again = [await house.round_trips(lambda unit: standings.of(unit, viewer))
             for viewer in (others[1], others[0], otto)]

    assert again == [0, 0, 1]
    assert VIEWERS_MAX == 2_000


async def test_nobody_has_nothing(house):
    nobody = await standing(house, None)

    assert not any(sets(nobody).values())
